"""Subscriptions over our own protocol, to a server of which each step is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import grpc
import pytest

from penstock.plugin import (
    Assigned,
    Edge,
    Group,
    Message,
    PermanentError,
    Record,
    Revoked,
    Subscription,
    TemporaryError,
)
from penstock.wire.columns import pack_records
from penstock.wire.protocol import gateway_pb2
from penstock.wire.protocol.columns_pb2 import MessageColumns, RecordColumns
from penstock.wire.protocol.gateway_pb2 import Acked, Records, SubscribeReply, SubscribeRequest
from penstock.wire.protocol.gateway_pb2_grpc import (
    BatchGatewayServicer,
    add_BatchGatewayServicer_to_server,
)
from penstock.wire.remote import RemotePubSub
from penstock.wire.remote.inbox import HIGH_BYTES, HIGH_RECORDS

PATIENCE = 10.0


class Scripted(BatchGatewayServicer):
    """A gateway that answers what it is told to.

    Attributes:
        replies: Of its Subscribe; ``None`` ends it.
        farewell: Of its Subscribe, when the client has ended its side.
        commands: All that came, but the first.
    """

    def __init__(self) -> None:
        self.replies: asyncio.Queue[SubscribeReply | None] = asyncio.Queue()
        self.farewell: list[SubscribeReply] = []
        self.commands: asyncio.Queue[SubscribeRequest] = asyncio.Queue()

    async def GetPositions(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        return gateway_pb2.GetPositionsReply()

    async def Locate(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        return gateway_pb2.LocateReply()

    async def Publish(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        return gateway_pb2.PublishReply()

    async def PublishStream(self, request_iterator: Any, context: Any) -> AsyncIterator[Any]:  # noqa: ARG002, N802
        async for request in request_iterator:
            yield gateway_pb2.NumberedReply(sequence=request.sequence)

    async def Ack(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        return gateway_pb2.AckReply()

    async def Subscribe(self, request_iterator: Any, context: Any) -> AsyncIterator[Any]:  # noqa: ARG002, N802
        collecting = asyncio.create_task(self._collect(request_iterator))
        try:
            while reply := await self.replies.get():
                yield reply
        finally:
            collecting.cancel()

    async def _collect(self, requests: AsyncIterator[SubscribeRequest]) -> None:
        await anext(requests)
        async for request in requests:
            self.commands.put_nowait(request)
        for reply in (*self.farewell, None):
            self.replies.put_nowait(reply)


@pytest.fixture
async def gateway() -> Scripted:
    return Scripted()


@pytest.fixture
async def remote(gateway: Scripted) -> AsyncIterator[RemotePubSub]:
    async with AsyncExitStack() as running:
        server = grpc.aio.server()
        add_BatchGatewayServicer_to_server(gateway, server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        running.push_async_callback(server.stop, 0)
        await running.enter_async_context(asyncio.timeout(PATIENCE))
        yield await running.enter_async_context(RemotePubSub(f"127.0.0.1:{port}"))


@pytest.fixture
async def subscription(gateway: Scripted, remote: RemotePubSub) -> AsyncIterator[Subscription]:
    """A subscription that was assigned partition 3."""
    for partitions in ([], [3]):
        assigned = gateway_pb2.Assigned(partitions=partitions)
        gateway.replies.put_nowait(SubscribeReply(assigned=assigned))
    subscription = await remote.subscribe("numbers", Group("readers"), Edge.EARLIEST)
    assert await subscription.next_event() == Assigned(frozenset({3}))
    yield subscription
    await subscription.close()


def frame(start: int, stop: int) -> RecordColumns:
    return pack_records([Record(Message(b"1"), offset, 0) for offset in range(start, stop)])


def records(columns: RecordColumns, partition: int = 3) -> SubscribeReply:
    return SubscribeReply(records=Records(partition=partition, records=columns))


async def test_credit_is_granted_for_what_has_been_read(
    gateway: Scripted, subscription: Subscription
) -> None:
    first = (await gateway.commands.get()).credit
    assert (first.partition, first.records, first.bytes) == (3, HIGH_RECORDS, HIGH_BYTES)
    half = HIGH_RECORDS // 2
    for start in (0, half):
        gateway.replies.put_nowait(records(frame(start, start + half)))
    read = 0
    while read < half:
        read += len(await subscription.read(3, half - read))
    more = (await gateway.commands.get()).credit
    assert (more.partition, more.records, more.bytes) == (3, half, frame(0, half).ByteSize())


async def test_a_partition_that_came_back_is_not_read_before_that_is_told(
    gateway: Scripted, subscription: Subscription
) -> None:
    acking = asyncio.create_task(subscription.ack({3: 1}))
    acks = (one.ack.sequence for one in [await gateway.commands.get() for _ in range(2)])
    gateway.replies.put_nowait(SubscribeReply(revoked=gateway_pb2.Revoked(partitions=[3])))
    gateway.replies.put_nowait(SubscribeReply(assigned=gateway_pb2.Assigned(partitions=[3])))
    gateway.replies.put_nowait(records(frame(5, 6)))
    gateway.replies.put_nowait(SubscribeReply(acked=Acked(sequence=max(acks))))
    await acking  # so all of it has come
    assert not await subscription.read(3, 10)
    assert await subscription.next_event() == Revoked(frozenset({3}), grace=0)
    assert not await subscription.read(3, 10)
    assert await subscription.next_event() == Assigned(frozenset({3}))
    assert [one.offset for one in await subscription.read(3, 10)] == [5]


@pytest.mark.parametrize(
    ("nonsense", "reason"),
    [
        (records(frame(0, 1), partition=5), "partition 5, which is not assigned"),
        (
            records(RecordColumns(messages=MessageColumns(payload=[b"1"]), offset=[1])),
            "1 payloads with 1 offsets and 0 timestamps",
        ),
        (SubscribeReply(revoked=gateway_pb2.Revoked(partitions=[5])), "partition 5"),
    ],
)
async def test_a_reply_that_makes_no_sense_loses_the_membership_with_the_reason(
    gateway: Scripted, subscription: Subscription, nonsense: SubscribeReply, reason: str
) -> None:
    gateway.replies.put_nowait(nonsense)
    with pytest.raises(TemporaryError, match=f"sent what makes no sense: .*{reason}"):
        await subscription.next_event()
    assert not await subscription.read(3, 10)


@pytest.mark.parametrize(("temporary", "kind"), [(True, TemporaryError), (False, PermanentError)])
async def test_a_refused_ack_raises_and_the_next_one_is_another(
    gateway: Scripted, subscription: Subscription, temporary: bool, kind: type[Exception]
) -> None:
    await gateway.commands.get()
    acking = asyncio.create_task(subscription.ack({3: 1}))
    sequence = (await gateway.commands.get()).ack.sequence
    refused = Acked(sequence=sequence, refusal="busy", temporary=temporary)
    gateway.replies.put_nowait(SubscribeReply(acked=refused))
    with pytest.raises(kind, match="busy"):
        await acking
    acking = asyncio.create_task(subscription.ack({3: 1}))
    again = (await gateway.commands.get()).ack
    assert dict(again.positions) == {3: 1}
    assert again.sequence != sequence
    gateway.replies.put_nowait(SubscribeReply(acked=Acked(sequence=sequence)))  # of nobody
    gateway.replies.put_nowait(SubscribeReply(acked=Acked(sequence=again.sequence)))
    await acking


async def test_what_is_assigned_while_it_is_being_closed_is_for_nobody(
    gateway: Scripted, subscription: Subscription
) -> None:
    assigned = gateway_pb2.Assigned(partitions=[4])
    gateway.farewell = [SubscribeReply(assigned=assigned), records(frame(0, 1), partition=4)]
    await subscription.close()
    assert not await subscription.read(4, 10)
    with pytest.raises(TemporaryError, match="closed"):
        await subscription.next_event()


async def test_a_publish_that_is_answered_for_other_messages_is_in_doubt(
    remote: RemotePubSub,
) -> None:
    with pytest.raises(TemporaryError, match="answered wrongly: 0 partitions"):
        await remote.publish("numbers", [Message(b"1")])
