"""A subscription over the batch protocol, by a client that is made of the generated stub alone."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from penstock.plugin import (
    READ_BYTES,
    Group,
    Message,
    PermanentError,
    Record,
    Retention,
    Start,
    StreamSettings,
    Subscription,
    SubscriptionEvent,
    TemporaryError,
)
from penstock.server import GatewayServer, batch_session
from penstock.wire.channel import FRAME_BYTES, open_channel
from penstock.wire.columns import unpack_records
from penstock.wire.protocol import gateway_pb2
from penstock.wire.protocol.gateway_pb2 import (
    Ack,
    Credit,
    Open,
    Release,
    SubscribeReply,
    SubscribeRequest,
)
from penstock.wire.protocol.gateway_pb2_grpc import BatchGatewayStub
from penstock_inmemory import InMemoryGateway

if TYPE_CHECKING:
    from core.tests.server.conftest import RiffClient
    from penstock.wire.protocol.gateway_pb2_grpc import BatchGatewayAsyncStub

PATIENCE = 10.0
PLENTY = 1_000_000_000
EARLIEST = gateway_pb2.Start(edge=gateway_pb2.Start.EARLIEST)
LATEST = gateway_pb2.Start(edge=gateway_pb2.Start.LATEST)
Join = Callable[..., Coroutine[Any, Any, "Client"]]
Status = grpc.StatusCode


class Watched(Subscription):
    """A gateway's subscription under observation, which can be made to fail."""

    def __init__(self, subscription: Subscription, gateway: "WatchedGateway") -> None:
        self._subscription = subscription
        self._gateway = gateway

    async def next_event(self) -> SubscriptionEvent:
        lost = asyncio.ensure_future(self._gateway.lost.wait())
        event = asyncio.ensure_future(self._subscription.next_event())
        try:
            await asyncio.wait({lost, event}, return_when=asyncio.FIRST_COMPLETED)
            if lost.done():
                raise TemporaryError("the session has expired")
            return await event
        finally:
            lost.cancel()
            event.cancel()

    async def read(
        self, partition: int, max_records: int, max_bytes: int = READ_BYTES
    ) -> Sequence[Record]:
        if self._gateway.read_failures:
            raise self._gateway.read_failures.pop(0)
        records = await self._subscription.read(partition, max_records, max_bytes)
        self._gateway.handed[partition] += len(records)
        return records

    async def release(self, partitions: Collection[int]) -> None:
        await self._subscription.release(partitions)

    async def ack(self, positions: Mapping[int, int]) -> None:
        await self._gateway.acks.wait()
        if self._gateway.ack_failures:
            raise self._gateway.ack_failures.pop(0)
        await self._subscription.ack(positions)

    async def close(self) -> None:
        await self._subscription.close()
        self._gateway.closed.set()


class WatchedGateway(InMemoryGateway):
    """Counts what its subscribers are handed.

    Attributes:
        handed: Records that were read, by partition.
        read_failures, ack_failures: What the next reads and acks raise.
        acks: While it is not set, acks take for ever.
        lost: Once set, memberships are lost.
        closed: Set when a subscription was closed.
        members: What its subscribers were called, in their order.
    """

    def __init__(self) -> None:
        super().__init__()
        self.handed: Counter[int] = Counter()
        self.read_failures: list[Exception] = []
        self.ack_failures: list[Exception] = []
        self.acks = asyncio.Event()
        self.acks.set()
        self.lost = asyncio.Event()
        self.closed = asyncio.Event()
        self.members: list[str] = []

    async def subscribe(
        self, topic: str, group: Group, start: Start, member: str = ""
    ) -> Subscription:
        if topic == "unready":
            raise TemporaryError("the broker is away")
        self.members.append(member)
        return Watched(await super().subscribe(topic, group, start, member), self)


class Client:
    """One Subscribe call."""

    def __init__(self, stub: "BatchGatewayAsyncStub") -> None:
        self.call = stub.Subscribe()

    async def send(self, **command: Any) -> None:
        await self.call.write(SubscribeRequest(**command))

    async def grant(self, partition: int, records: int = PLENTY, size: int = PLENTY) -> None:
        await self.send(credit=Credit(partition=partition, records=records, bytes=size))

    async def reply(self) -> SubscribeReply:
        async with asyncio.timeout(PATIENCE):
            reply = await self.call.read()
        assert isinstance(reply, SubscribeReply)
        return reply

    async def records(self, count: int, partition: int = 0) -> list[Record]:
        """The next records, so many of them, all of one partition."""
        records: list[Record] = []
        while len(records) < count:
            reply = await self.reply()
            assert reply.WhichOneof("event") == "records"
            assert reply.records.partition == partition
            records += unpack_records(reply.records.records)
        assert len(records) == count
        return records

    async def nothing_more(self) -> None:
        """Nothing was sent before the answer to what is asked now."""
        await self.send(ack=Ack(sequence=99))
        assert (await self.reply()).acked.sequence == 99

    async def refused(self) -> tuple[grpc.StatusCode, str]:
        """The status and the text with which the call ends."""
        async with asyncio.timeout(PATIENCE):
            try:
                while await self.call.read() is not grpc.aio.EOF:
                    pass
            except grpc.aio.AioRpcError as error:
                return error.code(), error.details() or ""
        raise AssertionError("the call ended well")


@pytest.fixture
def gateway() -> WatchedGateway:
    return WatchedGateway()


@pytest.fixture
def stub(channel: grpc.aio.Channel) -> "BatchGatewayAsyncStub":
    return BatchGatewayStub(channel)


@pytest.fixture
async def join(stub: "BatchGatewayAsyncStub") -> AsyncIterator[Join]:
    """Opens a subscription, and waits until its start is settled."""
    clients: list[Client] = []

    async def join(
        topic: str = "numbers",
        group: str = "readers",
        start: gateway_pb2.Start = EARLIEST,
        version: int = 0,
    ) -> Client:
        client = Client(stub)
        clients.append(client)
        name = gateway_pb2.Group(name=group, version=version)
        await client.send(open=Open(topic=topic, group=name, start=start))
        assert await client.reply() == SubscribeReply(assigned=gateway_pb2.Assigned())
        return client

    yield join
    for client in clients:
        client.call.cancel()


async def assigned(client: Client, *partitions: int) -> None:
    assert list((await client.reply()).assigned.partitions) == list(partitions)


def numbers(count: int, size: int = 1) -> list[Message]:
    return [Message(b"%d" % number * size) for number in range(count)]


async def test_the_gateway_is_told_what_the_member_is_called(
    stub: "BatchGatewayAsyncStub", gateway: WatchedGateway
) -> None:
    client = Client(stub)
    group = gateway_pb2.Group(name="readers")
    await client.send(open=Open(topic="numbers", group=group, start=EARLIEST, member="averager-0"))
    assert await client.reply() == SubscribeReply(assigned=gateway_pb2.Assigned())
    assert gateway.members == ["averager-0"]
    client.call.cancel()


async def test_nothing_is_sent_without_credit(join: Join, gateway: WatchedGateway) -> None:
    await gateway.publish("numbers", numbers(10))
    client = await join()
    await assigned(client, 0)
    await client.nothing_more()
    assert not gateway.handed


async def test_records_come_as_far_as_the_credit_goes_and_no_further(
    join: Join, gateway: WatchedGateway
) -> None:
    await gateway.publish("numbers", numbers(10))
    client = await join()
    await assigned(client, 0)
    await client.grant(0, records=3)
    assert [record.offset for record in await client.records(3)] == [0, 1, 2]
    await client.nothing_more()
    await client.grant(0, records=2)
    await client.grant(0, records=2)
    assert [record.offset for record in await client.records(4)] == [3, 4, 5, 6]
    await client.nothing_more()
    assert gateway.handed == {0: 7}


async def test_credit_is_of_bytes_too_which_the_last_frame_may_pass(
    join: Join, gateway: WatchedGateway
) -> None:
    await gateway.publish("numbers", numbers(10, size=1000))
    client = await join()
    await assigned(client, 0)
    await client.grant(0, size=2500)
    records = await client.records(3)
    assert [record.offset for record in records] == [0, 1, 2]
    await client.nothing_more()
    await client.grant(0, records=0, size=500)  # the frame had more than 3000
    await client.nothing_more()
    await client.grant(0, records=0, size=1500)
    await client.records(2)


async def test_credit_in_one_measure_alone_is_none(join: Join, gateway: WatchedGateway) -> None:
    await gateway.publish("numbers", numbers(2))
    client = await join()
    await assigned(client, 0)
    await client.grant(0, size=0)
    await client.nothing_more()
    await client.grant(0, records=0, size=1000)
    await client.records(2)


async def test_a_frame_holds_what_is_there_and_does_not_wait(
    join: Join, gateway: WatchedGateway
) -> None:
    client = await join()
    await assigned(client, 0)
    await client.grant(0)
    for _ in range(3):
        await gateway.publish("numbers", numbers(1))
        await client.records(1)


async def test_records_with_large_headers_come_in_several_frames(
    join: Join, gateway: WatchedGateway
) -> None:
    large = [Message(b"1", headers={"h": str(number) * 1_000_000}) for number in range(10)]
    await gateway.publish("numbers", large)
    client = await join()
    await assigned(client, 0)
    await client.grant(0)
    records: list[Record] = []
    while len(records) < 10:
        frame = (await client.reply()).records.records
        assert frame.ByteSize() <= FRAME_BYTES
        records += unpack_records(frame)
    assert [record.message for record in records] == large


async def test_a_partition_without_credit_holds_up_no_other(
    join: Join, gateway: WatchedGateway, two_partitions: str
) -> None:
    client = await join(two_partitions)
    await assigned(client, 0, 1)
    await client.grant(1)
    for _ in range(20):
        await gateway.publish(two_partitions, numbers(1000))
        await client.records(500, partition=1)
    assert gateway.handed == {1: 10_000}
    await client.grant(0)
    await client.records(10_000, partition=0)


async def test_a_client_that_stops_reading_makes_the_server_hold_no_more_than_a_few_reads(
    join: Join, gateway: WatchedGateway
) -> None:
    payload = b"x" * 1000
    for _ in range(60):
        await gateway.publish("numbers", [Message(payload)] * 1000)
    stalled = await join(group="stalled")
    await assigned(stalled, 0)
    await stalled.grant(0)
    reading = await join(group="reading")
    await assigned(reading, 0)
    await reading.grant(0)
    await reading.records(60_000)
    held = (gateway.handed[0] - 60_000) * len(payload)
    # One is being sent, one waits for its turn, one waits to be put there.
    assert 0 < held <= 4 * batch_session.READ_BYTES
    assert [record.offset for record in await stalled.records(60_000)] == list(range(60_000))


@pytest.mark.parametrize(
    ("commands", "reason"),
    [
        ([], "the first command must be open"),
        ([{"credit": Credit(partition=0)}], "the first command must be open"),
        ([{}], "the first command must be open"),
        ([{"open": Open(group=gateway_pb2.Group(name="readers"))}], "the topic is empty"),
        ([{"open": Open(topic="numbers")}], "the group is empty"),
        (
            [
                {
                    "open": Open(
                        topic="numbers",
                        group=gateway_pb2.Group(name="readers"),
                        start=gateway_pb2.Start(offsets={0: 1}, timestamp_ms=1),
                    )
                }
            ],
            "at most one of them",
        ),
    ],
)
async def test_what_opens_no_subscription_is_refused_with_the_reason(
    stub: "BatchGatewayAsyncStub", commands: list[dict[str, Any]], reason: str
) -> None:
    client = Client(stub)
    for command in commands:
        await client.send(**command)
    if not commands:
        await client.call.done_writing()
    code, text = await client.refused()
    assert code is Status.INVALID_ARGUMENT
    assert reason in text


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ({"open": Open(topic="numbers")}, "a second open"),
        ({"credit": Credit(partition=7)}, "partition 7, which was never assigned here"),
        ({}, "an empty command"),
    ],
)
async def test_a_command_that_makes_no_sense_ends_the_call_with_the_reason_and_the_server_lives(
    join: Join, gateway: WatchedGateway, command: dict[str, Any], reason: str
) -> None:
    client = await join()
    await assigned(client, 0)
    await client.send(**command)
    code, text = await client.refused()
    assert code is Status.INVALID_ARGUMENT
    assert reason in text
    async with asyncio.timeout(PATIENCE):
        await gateway.closed.wait()
    await assigned(await join(), 0)


@pytest.mark.parametrize("opened", [False, True])
async def test_bytes_that_are_no_command_end_the_call_and_the_server_lives(
    channel: grpc.aio.Channel, join: Join, opened: bool
) -> None:
    call: grpc.aio.StreamStreamCall[bytes, bytes] = channel.stream_stream(
        "/penstock.gateway.v1.BatchGateway/Subscribe"
    )()
    async with asyncio.timeout(PATIENCE):
        if opened:
            opening = Open(topic="numbers", group=gateway_pb2.Group(name="readers"))
            await call.write(SubscribeRequest(open=opening).SerializeToString())
            for _ in ("joined", "assigned"):
                await call.read()
        await call.write(b"\xff\xff\xff")
        with pytest.raises(grpc.aio.AioRpcError, match="a command cannot be read") as failure:
            await call.read()
    assert failure.value.code() is Status.INVALID_ARGUMENT
    await join()


async def test_acks_are_answered_in_their_order_and_stored(
    join: Join, gateway: WatchedGateway
) -> None:
    client = await join()
    await assigned(client, 0)
    await client.send(ack=Ack(positions={0: 9}))  # without a number, without an answer
    await client.send(ack=Ack(positions={0: 4}, sequence=5))
    await client.send(ack=Ack(positions={0: 2}, sequence=3))
    assert [(await client.reply()).acked.sequence for _ in range(2)] == [5, 3]
    assert await gateway.positions("numbers", "readers") == {0: {0: 2}}


async def test_an_ack_that_takes_its_time_holds_up_neither_heartbeats_nor_credit(
    join: Join, gateway: WatchedGateway
) -> None:
    gateway.acks.clear()
    client = await join()
    await assigned(client, 0)
    await client.send(ack=Ack(positions={0: 4}, sequence=1))
    await client.nothing_more()
    await client.grant(0)
    await gateway.publish("numbers", numbers(3))
    await client.records(3)
    gateway.acks.set()
    assert (await client.reply()).acked.sequence == 1


@pytest.mark.parametrize(
    ("failure", "temporary"), [(TemporaryError("busy"), True), (PermanentError("busy"), False)]
)
async def test_an_ack_that_was_not_stored_says_so_and_the_subscription_goes_on(
    join: Join, gateway: WatchedGateway, failure: Exception, temporary: bool
) -> None:
    gateway.ack_failures = [failure]
    client = await join()
    await assigned(client, 0)
    await client.send(ack=Ack(positions={0: 9}, sequence=1))
    acked = (await client.reply()).acked
    assert (acked.sequence, acked.refusal, acked.temporary) == (1, "busy", temporary)
    await client.send(ack=Ack(positions={0: 9}, sequence=2))
    assert (await client.reply()).acked == gateway_pb2.Acked(sequence=2)


async def test_acks_sent_before_the_client_ends_its_side_are_stored(
    join: Join, gateway: WatchedGateway
) -> None:
    client = await join()
    await assigned(client, 0)
    for offset in range(300):
        await client.send(ack=Ack(positions={0: offset}))
    await client.call.done_writing()
    async with asyncio.timeout(PATIENCE):
        assert await client.call.read() is grpc.aio.EOF
    assert await gateway.positions("numbers", "readers") == {0: {0: 299}}


async def test_who_ends_its_side_has_left_the_group_when_the_call_ends(join: Join) -> None:
    first, second = await join(), await join()
    await assigned(first, 0)
    await first.call.done_writing()
    async with asyncio.timeout(PATIENCE):
        assert await first.call.read() is grpc.aio.EOF
        assert await first.call.code() is Status.OK
    await assigned(second, 0)


async def test_who_cancels_has_left_the_group(join: Join) -> None:
    first, second = await join(), await join()
    await assigned(first, 0)
    first.call.cancel()
    await assigned(second, 0)


async def test_a_client_that_vanishes_with_its_connection_has_left_the_group(
    join: Join, server: GatewayServer, gateway: WatchedGateway
) -> None:
    await gateway.publish("numbers", numbers(10_000, size=100))
    async with open_channel(server.address) as channel:
        vanishing = Client(BatchGatewayStub(channel))
        opening = Open(topic="numbers", group=gateway_pb2.Group(name="readers"), start=EARLIEST)
        await vanishing.send(open=opening)
        await vanishing.reply()
        await assigned(vanishing, 0)
        await vanishing.grant(0)  # and it never reads
        second = await join()
    await assigned(second, 0)


async def test_a_rebalance_takes_a_partition_hears_the_last_ack_and_waits_for_the_release(
    join: Join, gateway: WatchedGateway, two_partitions: str
) -> None:
    await gateway.publish(two_partitions, numbers(20))
    first = await join(two_partitions)
    await assigned(first, 0, 1)
    await first.grant(1)
    await first.records(10, partition=1)
    second = await join(two_partitions)
    revoked = (await first.reply()).revoked
    assert list(revoked.partitions) == [1]
    assert 0 < revoked.grace_seconds <= 30
    await first.grant(1)  # on its way while the partition was revoked: no fault, no records
    await second.nothing_more()
    await first.send(ack=Ack(positions={1: 6}))
    await first.send(release=Release(partitions=[1]))
    await assigned(second, 1)
    await second.grant(1)
    assert [record.offset for record in await second.records(3, partition=1)] == [7, 8, 9]
    await first.nothing_more()


async def test_a_partition_that_comes_back_is_read_from_the_position_with_new_credit(
    join: Join, gateway: WatchedGateway
) -> None:
    topic = (await gateway.provision(StreamSettings("default", "pair", partitions=2))).topic
    await gateway.publish(topic, numbers(20))
    first = await join(topic)
    await assigned(first, 0, 1)
    second = await join(topic)
    assert list((await first.reply()).revoked.partitions) == [1]
    await first.send(release=Release(partitions=[1]))
    await assigned(second, 1)
    await second.call.done_writing()
    await assigned(first, 1)
    await first.nothing_more()
    await first.grant(1)
    await first.records(10, partition=1)


async def test_a_position_that_is_gone_is_told_and_reading_goes_on(
    join: Join, gateway: WatchedGateway
) -> None:
    stream = StreamSettings("default", "short", retention=Retention(messages=5))
    topic = (await gateway.provision(stream)).topic
    await gateway.publish(topic, numbers(20))
    client = await join(topic, start=gateway_pb2.Start(offsets={0: 2}))
    await assigned(client, 0)
    await client.grant(0)
    expired = (await client.reply()).position_expired
    assert (expired.partition, expired.wanted, expired.earliest) == (0, 2, 15)
    assert [record.offset for record in await client.records(5)] == [15, 16, 17, 18, 19]


async def test_a_read_that_fails_for_now_is_tried_again(
    join: Join, gateway: WatchedGateway
) -> None:
    gateway.read_failures = [TemporaryError("busy", retry_after=0.01), TemporaryError("busy", 0.01)]
    await gateway.publish("numbers", numbers(3))
    client = await join()
    await assigned(client, 0)
    await client.grant(0)
    await client.records(3)


async def test_a_membership_that_is_lost_ends_the_call_unavailable(
    join: Join, gateway: WatchedGateway
) -> None:
    client = await join()
    await assigned(client, 0)
    gateway.lost.set()
    assert await client.refused() == (Status.UNAVAILABLE, "the session has expired")


async def test_a_gateway_that_is_broken_ends_the_call_and_the_server_lives(
    join: Join, gateway: WatchedGateway
) -> None:
    gateway.read_failures = [ZeroDivisionError("a fault of a plugin")]
    client = await join()
    await assigned(client, 0)
    await client.grant(0)
    code, text = await client.refused()
    assert code is Status.INTERNAL
    assert "ZeroDivisionError" in text
    await join()


async def test_a_gateway_that_cannot_subscribe_now_is_unavailable(
    stub: "BatchGatewayAsyncStub",
) -> None:
    client = Client(stub)
    await client.send(open=Open(topic="unready", group=gateway_pb2.Group(name="readers")))
    assert await client.refused() == (Status.UNAVAILABLE, "the broker is away")


async def test_a_group_starts_where_it_is_told(join: Join, gateway: WatchedGateway) -> None:
    await gateway.publish("numbers", numbers(10))
    for group, start, expected in (
        ("earliest", EARLIEST, 10),
        ("latest", LATEST, 0),
        ("offsets", gateway_pb2.Start(offsets={0: 7}, edge=gateway_pb2.Start.LATEST), 3),
        ("elsewhere", gateway_pb2.Start(offsets={5: 7}, edge=gateway_pb2.Start.LATEST), 0),
        ("time", gateway_pb2.Start(timestamp_ms=0), 10),
    ):
        client = await join(group=group, start=start)
        await assigned(client, 0)
        await client.grant(0)
        await client.records(expected)
        await client.nothing_more()


async def test_a_group_without_a_version_starts_at_its_lowest_acked_version(
    join: Join, gateway: WatchedGateway
) -> None:
    await gateway.publish("numbers", numbers(10))
    await gateway.ack("numbers", Group("readers", 3), {0: 2})
    await gateway.ack("numbers", Group("readers", 2), {0: 6})
    client = await join(start=LATEST)
    await assigned(client, 0)
    await client.grant(0)
    assert [record.offset for record in await client.records(3)] == [7, 8, 9]


async def test_a_group_that_asks_for_offsets_is_given_those_whatever_its_versions_have_acked(
    join: Join, gateway: WatchedGateway
) -> None:
    await gateway.publish("numbers", numbers(10))
    await gateway.ack("numbers", Group("readers", 2), {0: 6})
    client = await join(start=gateway_pb2.Start(offsets={0: 9}))
    await assigned(client, 0)
    await client.grant(0)
    assert [record.offset for record in await client.records(1)] == [9]


async def test_a_name_with_a_version_is_that_version_of_the_group(
    join: Join, gateway: WatchedGateway
) -> None:
    client = await join(group="readers-v3")
    await assigned(client, 0)
    await client.send(ack=Ack(positions={0: 4}, sequence=1))
    await client.reply()
    assert await gateway.positions("numbers", "readers") == {3: {0: 4}}


async def test_members_over_both_protocols_share_a_group(
    join: Join, riff: "RiffClient", two_partitions: str, gateway: WatchedGateway
) -> None:
    subscribing = await riff.subscribe(two_partitions)
    await riff.assignments(subscribing, 2)
    client = await join(two_partitions)
    [partition] = (await client.reply()).assigned.partitions
    await gateway.publish(two_partitions, numbers(10))
    await client.grant(partition)
    await client.records(5, partition)


async def test_a_server_that_stops_ends_the_call(join: Join, server: GatewayServer) -> None:
    client = await join()
    await assigned(client, 0)
    stopping = asyncio.create_task(server.stop(grace=1))
    code, _ = await client.refused()
    assert code is Status.UNAVAILABLE
    await stopping
