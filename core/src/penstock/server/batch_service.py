"""penstock's own gateway protocol: what riff's does, in batches and with credit."""

from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any, TypeVar

import grpc
from google.protobuf.message import DecodeError

from penstock.plugin import (
    AtOffsets,
    ContentTypeMismatch,
    Edge,
    Group,
    Message,
    PermanentError,
    PublishResult,
    PubSub,
    Start,
    start_of_version,
)
from penstock.server.batch_session import BatchSession
from penstock.server.catalog import StreamCatalog
from penstock.server.leaving import leave
from penstock.server.publish_session import PublishSession
from penstock.server.refusals import Refused, nobody_is_told
from penstock.server.topic import check_topic
from penstock.wire.columns import unpack_messages
from penstock.wire.protocol import gateway_pb2
from penstock.wire.protocol.gateway_pb2_grpc import BatchGatewayServicer
from penstock.wire.results import pack_results
from penstock.wire.start import unpack_start

Request = TypeVar("Request")

_Context = grpc.aio.ServicerContext[Any, Any]


class BatchGatewayService(BatchGatewayServicer):
    """Serves any gateway over the batch protocol; raises the errors of `penstock.plugin`.

    Args:
        gateway: What is served.
        catalog: Which content type each topic takes.
        refused: Told of messages that are refused here: their topic, why, and how many.

    Attributes:
        sessions: The subscriptions that are open.
    """

    def __init__(
        self, gateway: PubSub, catalog: StreamCatalog, refused: Refused = nobody_is_told
    ) -> None:
        self.sessions: set[BatchSession] = set()
        self._gateway = gateway
        self._catalog = catalog
        self._refused = refused

    async def Publish(  # noqa: N802 - the protocol's name
        self,
        request: gateway_pb2.PublishRequest,
        context: _Context,  # noqa: ARG002 - gRPC's signature
    ) -> gateway_pb2.PublishReply:
        """Store a batch; a message that does not fit its stream is refused, the rest is stored."""
        return await self._store(request)

    async def PublishStream(  # noqa: N802 - the protocol's name
        self,
        request_iterator: AsyncIterator[gateway_pb2.NumberedPublish],
        context: _Context,  # noqa: ARG002 - gRPC's signature
    ) -> AsyncIterator[gateway_pb2.NumberedReply]:
        """Store batch after batch, each as `Publish` does."""
        session = PublishSession(self._store)
        async with aclosing(session.replies(_readable(request_iterator))) as replies:
            async for reply in replies:
                yield reply

    async def _store(self, request: gateway_pb2.PublishRequest) -> gateway_pb2.PublishReply:
        count = len(request.messages.payload)
        try:
            check_topic(request.topic)
            messages = _messages(request)
        except PermanentError as error:
            self._refused(request.topic, error, count)
            raise
        content_types = set(request.messages.content_type) or {""}
        misfits = {
            content_type: mismatch
            for content_type in content_types
            if (mismatch := self._catalog.mismatch(request.topic, content_type))
        }
        return pack_results(await self._publish(request.topic, messages, misfits))

    async def _publish(
        self, topic: str, messages: Sequence[Message], misfits: dict[str, ContentTypeMismatch]
    ) -> Sequence[PublishResult]:
        fitting = (
            [one for one in messages if one.content_type not in misfits] if misfits else messages
        )
        if misfits:
            self._refused(topic, next(iter(misfits.values())), len(messages) - len(fitting))
        results = await self._gateway.publish(topic, fitting) if fitting else ()
        if not misfits:
            return results
        stored = iter(results)
        return [misfits.get(one.content_type) or next(stored) for one in messages]

    async def Subscribe(  # noqa: N802 - the protocol's name
        self,
        request_iterator: AsyncIterator[gateway_pb2.SubscribeRequest],
        context: _Context,  # noqa: ARG002 - gRPC's signature
    ) -> AsyncIterator[gateway_pb2.SubscribeReply]:
        """Be a member of a group for as long as the client keeps its side open."""
        commands = _readable(request_iterator)
        first = await anext(commands, gateway_pb2.SubscribeRequest())
        if not first.HasField("open"):
            raise PermanentError("the first command must be open: topic, group and start")
        topic, group = first.open.topic, _group(first.open.group)
        check_topic(topic)
        start = await self._start(topic, group, first.open.start)
        member = first.open.member
        subscription = await self._gateway.subscribe(topic, group, start, member)
        try:
            async with (
                self._listed(BatchSession(subscription)) as session,
                aclosing(session.replies(commands)) as replies,
            ):
                async for reply in replies:
                    yield reply
        finally:
            await leave(subscription)

    @asynccontextmanager
    async def _listed(self, session: BatchSession) -> AsyncIterator[BatchSession]:
        self.sessions.add(session)
        try:
            yield session
        finally:
            self.sessions.remove(session)

    async def Ack(  # noqa: N802 - the protocol's name
        self,
        request: gateway_pb2.AckRequest,
        context: _Context,  # noqa: ARG002 - gRPC's signature
    ) -> gateway_pb2.AckReply:
        """Store how far a group is done, for whoever asks."""
        check_topic(request.topic)
        positions = {**request.positions, **dict.fromkeys(request.nothing_done, -1)}
        if positions:
            await self._gateway.ack(request.topic, _group(request.group), positions)
        return gateway_pb2.AckReply()

    async def GetPositions(  # noqa: N802 - the protocol's name
        self,
        request: gateway_pb2.GetPositionsRequest,
        context: _Context,  # noqa: ARG002 - gRPC's signature
    ) -> gateway_pb2.GetPositionsReply:
        """How far each version of a group has acked."""
        check_topic(request.topic)
        versions = await self._gateway.positions(request.topic, request.group_name)
        return gateway_pb2.GetPositionsReply(
            versions={
                version: gateway_pb2.Positions(offsets=offsets)
                for version, offsets in versions.items()
            }
        )

    async def Locate(  # noqa: N802 - the protocol's name
        self,
        request: gateway_pb2.LocateRequest,
        context: _Context,  # noqa: ARG002 - gRPC's signature
    ) -> gateway_pb2.LocateReply:
        """Where a start is in a topic."""
        check_topic(request.topic)
        start = _unpacked(request.start)
        if isinstance(start, AtOffsets):
            raise PermanentError("offsets need no looking up: expected an edge or a time")
        return gateway_pb2.LocateReply(offsets=await self._gateway.locate(request.topic, start))

    async def _start(self, topic: str, group: Group, asked: gateway_pb2.Start) -> Start:
        """The rule of riff is about its two edges: who asks for offsets or a time means them."""
        start = _unpacked(asked)
        if group.version or not isinstance(start, Edge):
            return start
        acked = await self._gateway.positions(topic, group.name)
        return start_of_version(group, acked, start, start)


def _messages(request: gateway_pb2.PublishRequest) -> Sequence[Message]:
    """The messages of a request.

    Raises:
        PermanentError: They cannot be told apart.
    """
    try:
        return unpack_messages(request.messages)
    except ValueError as error:
        raise PermanentError(f"messages: {error}") from error


async def _readable(requests: AsyncIterator[Request]) -> AsyncIterator[Request]:
    """What the client sends.

    Raises:
        PermanentError: It is none of the protocol's messages.
    """
    try:
        async for request in requests:
            yield request
    except DecodeError as error:
        raise PermanentError(f"a command cannot be read: {error}") from error


def _unpacked(start: gateway_pb2.Start) -> Start:
    """Where a group starts.

    Raises:
        PermanentError: It contradicts itself.
    """
    try:
        return unpack_start(start)
    except ValueError as error:
        raise PermanentError(str(error)) from error


def _group(group: gateway_pb2.Group) -> Group:
    """A group by its one name, however it is written: `x-v3` is version 3 of `x`.

    Raises:
        PermanentError: It has no name.
    """
    if not group.name:
        raise PermanentError("the group is empty: name the one to read or ack for")
    return Group.parse(group.name, group.version)
