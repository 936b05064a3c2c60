"""Clients that stop reading, or leave in the middle: they hold up nobody, and fill no memory."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import grpc
import pytest

from penstock.plugin import READ_BYTES, Group, Message, Record, Start, Subscription
from penstock.server import GatewayServer
from penstock.wire.channel import open_channel
from penstock_inmemory import InMemoryGateway
from penstock_inmemory.subscription import InMemorySubscription

if TYPE_CHECKING:
    from core.tests.server.conftest import RiffClient

RECORD = b"0" * 256 * 1024
RECORDS = 320  # in each of two partitions: 80 MiB
GRACE = 60.0  # seconds that a member has to let a partition go: longer than a test waits


class Measured(InMemoryGateway):
    """Counts the payload bytes that it has handed out, by partition."""

    def __init__(self) -> None:
        super().__init__(grace=GRACE)
        self.handed_out: Counter[int] = Counter()

    async def subscribe(
        self,
        topic: str,
        group: Group,
        start: Start,
        member: str = "",  # noqa: ARG002 - nobody here has a name
    ) -> Subscription:
        gateway = self

        class MeasuredSubscription(InMemorySubscription):
            async def read(
                self, partition: int, max_records: int, max_bytes: int = READ_BYTES
            ) -> Sequence[Record]:
                records = await super().read(partition, max_records, max_bytes)
                gateway.handed_out[partition] += sum(len(one.message.payload) for one in records)
                return records

        return MeasuredSubscription(self._topic(topic).group(group), start)

    async def fill(self, topic: str) -> None:
        await self.publish(topic, [Message(RECORD)] * (2 * RECORDS))


@pytest.fixture
def gateway() -> Measured:
    return Measured()


async def test_one_receive_that_is_not_read_holds_up_no_other_and_is_not_buffered(
    riff: "RiffClient", gateway: Measured, two_partitions: str
) -> None:
    await gateway.fill(two_partitions)
    assignments = await riff.assignments(await riff.subscribe(two_partitions), 2)
    stalled, flowing = (riff.receive(one) for one in assignments)
    await riff.records(stalled, 1)
    await riff.records(flowing, RECORDS)
    assert gateway.handed_out[assignments[1].partition] == RECORDS * len(RECORD)
    # What is on its way: a batch, and what the transport takes, which may grow to 16 MiB.
    assert gateway.handed_out[assignments[0].partition] < RECORDS * len(RECORD) / 2
    rest = await riff.records(stalled, RECORDS - 1)
    assert [one.offset for one in rest] == list(range(1, RECORDS))


async def test_a_client_that_reads_nothing_gives_up_its_partition_at_once(
    riff: "RiffClient", gateway: Measured, two_partitions: str
) -> None:
    await gateway.fill(two_partitions)
    assignments = await riff.assignments(await riff.subscribe(two_partitions), 2)
    stalled = {one.partition: riff.receive(one) for one in assignments}
    for receiving in stalled.values():
        await riff.records(receiving, 1)
    await gateway.fill("another")
    # While this flows, the others fill what there is between here and the server.
    await riff.read("another", 2 * RECORDS)
    [given] = await riff.assignments(await riff.subscribe(two_partitions))
    records = await riff.records(riff.receive(given), RECORDS)
    assert [one.offset for one in records] == list(range(RECORDS))
    # What was on its way is delivered, and not a record more.
    assert len(await riff.rest(stalled[given.partition])) < RECORDS / 2


async def test_a_batch_that_is_being_sent_is_broken_off_when_its_partition_is_revoked(
    riff: "RiffClient", server: GatewayServer, gateway: Measured, two_partitions: str
) -> None:
    await gateway.publish(two_partitions, [Message(b"0" * 1024)] * 2000)
    # Takes 64 KiB that nobody reads, and never more.
    options = (("grpc.http2.lookahead_bytes", 64 * 1024), ("grpc.http2.bdp_probe", 0))
    async with grpc.aio.insecure_channel(server.address, options=options) as channel:
        narrow = type(riff)(channel)
        assignments = await narrow.assignments(await narrow.subscribe(two_partitions), 2)
        stalled = {one.partition: narrow.receive(one) for one in assignments}
        for receiving in stalled.values():
            await narrow.records(receiving, 1)
        await gateway.fill("another")
        await riff.read("another", RECORDS)
        [given] = await riff.assignments(await riff.subscribe(two_partitions))
        # All of them were read from the gateway in one batch.
        assert gateway.handed_out[given.partition] >= 1000 * 1024
        assert len(await narrow.rest(stalled[given.partition])) < 500


async def test_a_client_that_hangs_up_in_the_middle_hands_over_what_it_has_not_acked(
    riff: "RiffClient", server: GatewayServer, gateway: Measured, two_partitions: str
) -> None:
    await gateway.fill(two_partitions)
    async with open_channel(server.address) as channel:
        leaving = type(riff)(channel)
        for one in await leaving.assignments(await leaving.subscribe(two_partitions), 2):
            await leaving.records(leaving.receive(one), 3)
            await leaving.ack(two_partitions, 1, partition=one.partition)
    for one in await riff.assignments(await riff.subscribe(two_partitions), 2):
        records = await riff.records(riff.receive(one), RECORDS - 2)
        assert [each.offset for each in records] == list(range(2, RECORDS))


async def test_a_receive_that_is_cancelled_in_the_middle_is_over_for_its_assignment(
    riff: "RiffClient", gateway: Measured, two_partitions: str
) -> None:
    await gateway.fill(two_partitions)
    subscribing = await riff.subscribe(two_partitions)
    first, _ = await riff.assignments(subscribing, 2)
    receiving = riff.receive(first)
    await riff.records(receiving, 1)
    receiving.cancel()
    # It must not go on behind what was lost on the way to a client that then acks more.
    assert await riff.rest(riff.receive(first)) == []
    subscribing.cancel()
    [again, _] = await riff.assignments(await riff.subscribe(two_partitions), 2)
    [record] = await riff.records(riff.receive(again), 1)
    assert record.offset == 0


async def test_a_cancelled_receive_does_not_keep_its_partition_from_the_next_member(
    riff: "RiffClient", gateway: Measured, two_partitions: str
) -> None:
    await gateway.fill(two_partitions)
    for one in await riff.assignments(await riff.subscribe(two_partitions), 2):
        receiving = riff.receive(one)
        await riff.records(receiving, 1)
        receiving.cancel()
    [given] = await riff.assignments(await riff.subscribe(two_partitions))
    assert len(await riff.records(riff.receive(given), RECORDS)) == RECORDS


async def test_a_server_stops_in_time_whatever_its_clients_do(
    riff: "RiffClient", server: GatewayServer, gateway: Measured, two_partitions: str
) -> None:
    await gateway.fill(two_partitions)
    for one in await riff.assignments(await riff.subscribe(two_partitions), 2):
        await riff.records(riff.receive(one), 1)
    await gateway.fill("another")
    await riff.read("another", 2 * RECORDS)
    async with asyncio.timeout(5):
        await server.stop(grace=0.2)
