"""Nothing behind a bound is handed out, and it is known when everything before it is done."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence

import pytest

from penstock.observability.forwarding import ForwardingSubscription
from penstock.plugin import READ_BYTES, Edge, Group, Message, Record, Subscription
from penstock_inmemory import InMemoryGateway, InMemoryGatewaySpec
from penstock_sidecar.bounded_run import BoundedRun, NothingToRead

PATIENCE = 10.0
READERS = Group("readers")


@pytest.fixture
async def gateway() -> AsyncIterator[InMemoryGateway]:
    """One with ten records in the one partition of `numbers`."""
    async with InMemoryGateway(InMemoryGatewaySpec(partitions=1)) as gateway:
        await gateway.publish("numbers", [Message(b"%d" % number) for number in range(10)])
        yield gateway


@pytest.fixture
def run() -> BoundedRun:
    return BoundedRun()


async def bounded(
    gateway: InMemoryGateway,
    run: BoundedRun,
    bounds: Mapping[int, int],
    acked: Mapping[int, int] | None = None,
) -> Subscription:
    if acked:
        await gateway.ack("numbers", READERS, acked)
    inner = await gateway.subscribe("numbers", READERS, Edge.EARLIEST)
    subscription = run.add(inner, bounds, acked or {})
    run.begin()
    await subscription.next_event()
    return subscription


async def test_records_up_to_the_bound_are_read_and_no_more(
    gateway: InMemoryGateway, run: BoundedRun
) -> None:
    subscription = await bounded(gateway, run, {0: 5})
    read = [*await subscription.read(0, 4), *await subscription.read(0, 100)]
    assert [record.offset for record in read] == [0, 1, 2, 3, 4, 5]
    # Who got the last records may not have looked at them yet.
    assert not run.all_read.is_set()
    last = asyncio.create_task(subscription.read(0, 100))
    async with asyncio.timeout(PATIENCE):
        await run.all_read.wait()
    assert not last.done()
    await subscription.close()
    assert await last == ()


async def test_it_is_done_when_what_was_read_is_acked(
    gateway: InMemoryGateway, run: BoundedRun
) -> None:
    subscription = await bounded(gateway, run, {0: 5})
    await subscription.read(0, 100)
    last = asyncio.create_task(subscription.read(0, 100))
    async with asyncio.timeout(PATIENCE):
        await run.all_read.wait()
    done = []
    for offset in (4, 5):
        await subscription.ack({0: offset})
        done.append(run.is_done)
    assert done == [False, True]
    last.cancel()


async def test_what_is_acked_up_to_the_bound_is_not_read(
    gateway: InMemoryGateway, run: BoundedRun
) -> None:
    subscription = await bounded(gateway, run, {0: 5}, acked={0: 5})
    assert run.all_read.is_set()
    assert run.is_done
    reading = asyncio.create_task(subscription.read(0, 100))
    await subscription.close()
    assert await reading == ()


async def test_it_goes_on_behind_what_is_acked(gateway: InMemoryGateway, run: BoundedRun) -> None:
    subscription = await bounded(gateway, run, {0: 5}, acked={0: 3})
    assert [record.offset for record in await subscription.read(0, 100)] == [4, 5]


class Compacted(ForwardingSubscription):
    """A topic of which offsets 4 to 7 are gone by compaction."""

    async def read(
        self, partition: int, max_records: int, max_bytes: int = READ_BYTES
    ) -> Sequence[Record]:
        records = await super().read(partition, max_records, max_bytes)
        return [record for record in records if not 4 <= record.offset <= 7]


async def test_a_bound_that_is_gone_shows_with_the_record_behind_it(run: BoundedRun) -> None:
    async with InMemoryGateway(InMemoryGatewaySpec(partitions=1)) as gateway:
        await gateway.publish("numbers", [Message(b"")] * 10)
        inner = await gateway.subscribe("numbers", READERS, Edge.EARLIEST)
        subscription = run.add(Compacted(inner), {0: 5}, {})
        await subscription.next_event()
        assert [record.offset for record in await subscription.read(0, 100)] == [0, 1, 2, 3]
        last = asyncio.create_task(subscription.read(0, 100))
        async with asyncio.timeout(PATIENCE):
            await run.all_read.wait()
        await subscription.ack({0: 3})
        assert run.is_done
        last.cancel()


async def test_a_partition_that_comes_back_is_read_again_from_its_ack(
    gateway: InMemoryGateway, run: BoundedRun
) -> None:
    subscription = await bounded(gateway, run, {0: 5})
    await subscription.read(0, 100)
    await subscription.ack({0: 2})
    await subscription.close()
    again = await bounded(gateway, run, {0: 5}, acked={0: 2})
    assert [record.offset for record in await again.read(0, 100)] == [3, 4, 5]


async def test_an_input_without_bounds_has_nothing_to_read() -> None:
    nothing = NothingToRead()
    waiting = asyncio.create_task(nothing.next_event())
    assert await nothing.read(0, 1) == ()
    assert not waiting.done()
    waiting.cancel()
