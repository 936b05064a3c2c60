"""riff's gateway protocol, for any gateway."""

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import grpc
from google.protobuf.empty_pb2 import Empty
from google.protobuf.timestamp_pb2 import Timestamp

from penstock.plugin import Edge, Group, Message, PermanentError, PubSub, Record
from penstock.server.catalog import StreamCatalog
from penstock.server.refusals import Refused, nobody_is_told
from penstock.server.session import Session
from penstock.server.topic import check_topic
from penstock.wire.cloud_event_json import to_json
from penstock.wire.liiklus_event import from_event, to_event
from penstock.wire.protocol.liiklus_pb2 import (
    AckRequest,
    Assignment,
    GetEndOffsetsReply,
    GetEndOffsetsRequest,
    GetOffsetsReply,
    GetOffsetsRequest,
    PublishReply,
    PublishRequest,
    ReceiveReply,
    ReceiveRequest,
    SubscribeReply,
    SubscribeRequest,
)
from penstock.wire.protocol.liiklus_pb2_grpc import LiiklusServiceServicer

_Context = grpc.aio.ServicerContext[Any, Any]


class LiiklusService(LiiklusServiceServicer):
    """Answers riff's clients. What it raises is made a status by `Calls`.

    Args:
        gateway: What is served; it is open.
        catalog: The content types that publishers are held to.
        refused: Told of messages that are refused here.
    """

    def __init__(
        self, gateway: PubSub, catalog: StreamCatalog, refused: Refused = nobody_is_told
    ) -> None:
        self._gateway = gateway
        self._catalog = catalog
        self._refused = refused
        self._sessions: dict[str, Session] = {}

    async def Publish(self, request: PublishRequest, context: _Context) -> PublishReply:  # noqa: N802, ARG002
        """Store one event."""
        try:
            message = self._message(request)
        except PermanentError as error:
            self._refused(request.topic, error, 1)
            raise
        [result] = await self._gateway.publish(request.topic, (message,))
        if isinstance(result, Exception):
            raise result
        return PublishReply(partition=result.partition, offset=result.offset, topic=request.topic)

    def _message(self, request: PublishRequest) -> Message:
        check_topic(request.topic)
        if request.value:
            raise PermanentError("`value` is no longer taken: publish a `liiklusEvent`")
        if not request.HasField("liiklusEvent"):
            raise PermanentError("there is no event: set `liiklusEvent`")
        message = from_event(request.liiklusEvent, request.key)
        if mismatch := self._catalog.mismatch(request.topic, message.content_type):
            raise mismatch
        return message

    async def Subscribe(  # noqa: N802
        self, request: SubscribeRequest, context: _Context
    ) -> AsyncIterator[SubscribeReply]:
        """Hold a place in a group; name all the partitions held after each rebalance."""
        check_topic(request.topic)
        group = _group(request.group, request.group_version)
        edge = _edge(request.auto_offset_reset)
        session = Session(self._gateway, request.topic, group, edge, self._remind_others)
        try:
            await session.join()
            self._sessions[session.id] = session
            # For clients that want to know when `latest` is settled.
            await context.send_initial_metadata(())
            async with aclosing(session.partitions()) as changes:
                async for partitions in changes:
                    for partition in partitions:
                        assignment = Assignment(session_id=session.id, partition=partition)
                        yield SubscribeReply(assignment=assignment)
        finally:
            self._sessions.pop(session.id, None)
            await session.leave()

    async def Receive(  # noqa: N802
        self,
        request: ReceiveRequest,
        context: _Context,  # noqa: ARG002
    ) -> AsyncIterator[ReceiveReply]:
        """Send the records of a partition until it is revoked.

        Records up to `last_known_offset` are left out: the client has them. 0 stands for none,
        since that is what a client sends that does not set it.
        """
        if (pack := _PACK.get(request.format)) is None:
            raise PermanentError(f"format {request.format} is not one: expected 0 or 1")
        session = self._sessions.get(request.assignment.session_id)
        holding = session and session.holding(request.assignment.partition)
        if not holding:
            return
        known = request.last_known_offset
        async with aclosing(holding.batches()) as batches:
            async for records in batches:
                unknown = [one for one in records if one.offset > known] if known else records
                for reply in [pack(record) for record in unknown]:
                    if holding.revoked:
                        break
                    yield reply

    async def Ack(self, request: AckRequest, context: _Context) -> Empty:  # noqa: N802, ARG002
        """Store the last offset that is done, as it is given, higher or lower.

        A session that is open says topic, group and partition; otherwise the request's own fields
        do, and where those are empty as well the ack is of a session that is gone: it is answered
        and does nothing.
        """
        session = self._sessions.get(request.assignment.session_id)
        if session:
            await session.ack(request.assignment.partition, request.offset)
        elif request.topic or request.group or not request.HasField("assignment"):
            check_topic(request.topic)
            group = _group(request.group, request.group_version)
            partition = request.partition or request.assignment.partition
            await self._gateway.ack(request.topic, group, {partition: request.offset})
        return Empty()

    async def GetOffsets(  # noqa: N802
        self,
        request: GetOffsetsRequest,
        context: _Context,  # noqa: ARG002
    ) -> GetOffsetsReply:
        """The last acked offset of each partition, for one version of a group."""
        group = Group.parse(request.group, request.group_version)
        positions = await self._gateway.positions(request.topic, group.name)
        return GetOffsetsReply(offsets=positions.get(group.version, {}))

    async def GetEndOffsets(  # noqa: N802
        self,
        request: GetEndOffsetsRequest,
        context: _Context,  # noqa: ARG002
    ) -> GetEndOffsetsReply:
        """The offset of the last record of each partition that has one."""
        return GetEndOffsetsReply(offsets=await self._gateway.end_positions(request.topic))

    def _remind_others(self, assigned: Session) -> None:
        # A gateway tells a member of a rebalance only where its share changes; riff tells all.
        for session in self._sessions.values():
            same_group = (session.topic, session.group) == (assigned.topic, assigned.group)
            if same_group and session is not assigned:
                session.remind()


def _group(name: str, version: int) -> Group:
    if not name:
        raise PermanentError("the group is empty: name the one to use")
    return Group.parse(name, version)


def _edge(reset: SubscribeRequest.AutoOffsetReset.ValueType) -> Edge:
    if (edge := _EDGES.get(reset)) is None:
        raise PermanentError(f"auto_offset_reset {reset} is not one: expected 0 or 1")
    return edge


def _timestamp(milliseconds: int) -> Timestamp:
    seconds, rest = divmod(milliseconds, 1000)
    return Timestamp(seconds=seconds, nanos=rest * 1_000_000)


def _pack_binary(record: Record) -> ReceiveReply:
    return ReceiveReply(
        record=ReceiveReply.Record(
            offset=record.offset,
            key=record.message.key or b"",
            value=to_json(record.message),
            timestamp=_timestamp(record.timestamp_ms),
            replay=record.replay,
        )
    )


def _pack_event(record: Record) -> ReceiveReply:
    return ReceiveReply(
        liiklus_event_record=ReceiveReply.LiiklusEventRecord(
            offset=record.offset,
            key=record.message.key or b"",
            event=to_event(record.message),
            timestamp=_timestamp(record.timestamp_ms),
            replay=record.replay,
        )
    )


_PACK: dict[int, Callable[[Record], ReceiveReply]] = {
    ReceiveRequest.BINARY: _pack_binary,
    ReceiveRequest.LIIKLUS_EVENT: _pack_event,
}
_EDGES: dict[int, Edge] = {
    SubscribeRequest.EARLIEST: Edge.EARLIEST,
    SubscribeRequest.LATEST: Edge.LATEST,
}
