"""A gateway over penstock's own protocol: many messages in a request, records by credit."""

from collections.abc import Mapping, Sequence

import grpc

from penstock.plugin import (
    AtTime,
    Edge,
    Group,
    Message,
    PermanentError,
    PublishResult,
    PubSub,
    Start,
    Subscription,
    TemporaryError,
)
from penstock.wire.channel import FRAME_BYTES, MAX_MESSAGE_BYTES
from penstock.wire.columns import in_frames, pack_messages
from penstock.wire.protocol import gateway_pb2
from penstock.wire.protocol.columns_pb2 import MessageColumns
from penstock.wire.protocol.gateway_pb2_grpc import BatchGatewayStub
from penstock.wire.remote.batch_subscription import BatchSubscription
from penstock.wire.remote.failure import CALL_SECONDS, failures
from penstock.wire.remote.liiklus import LiiklusPubSub
from penstock.wire.remote.publish_stream import PublishStream
from penstock.wire.results import unpack_results
from penstock.wire.start import pack_start


class BatchPubSub(PubSub):
    """The client of BatchGateway.

    Args:
        channel: To the gateway; it is not closed here.
        address: The gateway's, for the texts of errors.
        heartbeat: Seconds between two signs of life of a subscription that says nothing else.

    Raises:
        NotSpoken: Every call: the server does not have the service.
    """

    def __init__(self, channel: grpc.aio.Channel, address: str, heartbeat: float) -> None:
        self._stub = BatchGatewayStub(channel)
        self._liiklus = LiiklusPubSub(channel, address)
        self._address = address
        self._heartbeat = heartbeat
        self._publishing: PublishStream | None = None

    async def close(self) -> None:
        """End what is under way."""
        if self._publishing:
            await self._publishing.close()

    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[PublishResult]:
        """Store a batch: in one request, or in several, one after the other, where it is large."""
        if not messages:
            return ()
        results: list[PublishResult] = []
        try:
            for columns in in_frames(messages, pack_messages, FRAME_BYTES):
                results += await self._publish(topic, columns)
                # The rest may hold messages of the same partition: they must not overtake.
                if len(results) < len(messages) and (failed := _first_temporary(results)):
                    untried = TemporaryError(f"not tried after: {failed}", failed.retry_after)
                    return results + [untried] * (len(messages) - len(results))
        except UnicodeEncodeError as error:
            raise PermanentError(f"a message has text that is not Unicode: {error}") from error
        return results

    async def _publish(self, topic: str, columns: MessageColumns) -> Sequence[PublishResult]:
        request = gateway_pb2.PublishRequest(topic=topic, messages=columns)
        count = len(columns.payload)
        if count == 1 and (size := request.ByteSize()) > MAX_MESSAGE_BYTES:
            too_large = f"a message of {size} bytes: a gateway takes up to {MAX_MESSAGE_BYTES}"
            return (PermanentError(too_large),)
        reply = await self._send(request)
        try:
            return unpack_results(reply, count)
        except ValueError as error:
            raise TemporaryError(f"gateway {self._address} answered wrongly: {error}") from error

    async def _send(self, request: gateway_pb2.PublishRequest) -> gateway_pb2.PublishReply:
        """The first request on a connection is a call of its own, the others share a stream.

        Who publishes once needs no more, and a stream that is refused while it is written to may
        lose the reason on its way through gRPC.
        """
        if self._publishing and not self._publishing.broken:
            return await self._publishing.publish(request)
        with failures(self._address):
            reply = await self._stub.Publish(request, timeout=CALL_SECONDS)
        if self._publishing is None or self._publishing.broken:
            self._publishing = PublishStream(self._stub, self._address)
        return reply

    async def subscribe(
        self, topic: str, group: Group, start: Start, member: str = ""
    ) -> Subscription:
        """Join a group; the start is settled before this returns."""
        # As in `_send`: a call that is no stream shows first why it is refused.
        await self.positions(topic, group.name)
        opening = gateway_pb2.Open(
            topic=topic, group=_pack_group(group), start=pack_start(start), member=member
        )
        return await BatchSubscription.join(self._stub, self._address, opening, self._heartbeat)

    async def ack(self, topic: str, group: Group, positions: Mapping[int, int]) -> None:
        """Store how far a group is done."""
        request = gateway_pb2.AckRequest(
            topic=topic,
            group=_pack_group(group),
            positions={at: offset for at, offset in positions.items() if offset >= 0},
            nothing_done=[at for at, offset in positions.items() if offset < 0],
        )
        with failures(self._address):
            await self._stub.Ack(request, timeout=CALL_SECONDS)

    async def positions(self, topic: str, name: str) -> Mapping[int, Mapping[int, int]]:
        """How far each version of a group has acked."""
        request = gateway_pb2.GetPositionsRequest(topic=topic, group_name=name)
        with failures(self._address):
            reply = await self._stub.GetPositions(request, timeout=CALL_SECONDS)
        return {version: dict(acked.offsets) for version, acked in reply.versions.items()}

    async def end_positions(self, topic: str) -> Mapping[int, int]:
        """The last offsets; riff's protocol, which is served beside, has the call for it."""
        return await self._liiklus.end_positions(topic)

    async def locate(self, topic: str, start: Edge | AtTime) -> Mapping[int, int]:
        """The first offset that a start delivers, by partition."""
        request = gateway_pb2.LocateRequest(topic=topic, start=pack_start(start))
        with failures(self._address):
            reply = await self._stub.Locate(request, timeout=CALL_SECONDS)
        return dict(reply.offsets)


def _pack_group(group: Group) -> gateway_pb2.Group:
    return gateway_pb2.Group(name=group.name, version=group.version)


def _first_temporary(results: Sequence[PublishResult]) -> TemporaryError | None:
    return next((one for one in results if isinstance(one, TemporaryError)), None)
