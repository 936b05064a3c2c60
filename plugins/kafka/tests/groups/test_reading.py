"""Reading: each record once and in order, each partition for itself, whoever gives up waiting."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from penstock.plugin import Assigned, Edge, Group, Record, Revoked
from plugins.kafka.tests.groups.broker import Broker, store
from plugins.kafka.tests.groups.conftest import Join, OpenGroups
from plugins.kafka.tests.groups.waiting import until

_ResultT = TypeVar("_ResultT")
BIG = b"1" * 400_000


async def test_a_partition_that_is_not_read_holds_up_no_other(
    broker: Broker, topic: str, join: Join
) -> None:
    member = await join(ignores=[0])
    await member.until_holding(4)
    latencies: list[float] = []
    now = asyncio.get_running_loop().time
    async with broker.producer() as producer:
        # More than is buffered of the partition that nobody reads.
        for _ in range(6):
            await producer.send_and_wait(topic, BIG, partition=0)
        for number in range(200):
            sent = now()
            await store(producer, topic, 1 + number % 3, [number])
            await member.until_read([number])
            latencies.append(now() - sent)
    assert 0 not in member.records
    assert sorted(latencies)[len(latencies) * 9 // 10] < 0.1
    member.heed(0)
    await until(lambda: len(member.records.get(0, ())) == 6, "all of it is read in the end")


async def test_a_partition_that_is_read_slowly_holds_up_no_other(
    broker: Broker, topic: str, join: Join
) -> None:
    member = await join(ignores=[0])
    await member.until_holding(4)
    reading = True

    async def read_slowly() -> int:
        count = 0
        while reading:
            count += len(await member.subscription.read(0, 20))
            await asyncio.sleep(0.01)
        return count

    latencies: list[float] = []
    now = asyncio.get_running_loop().time
    async with broker.producer() as producer:
        await store(producer, topic, 0, range(20_000))
        slowly = asyncio.create_task(read_slowly())
        for number in range(100):
            sent = now()
            await store(producer, topic, 1, [number])
            await member.until_read([number])
            latencies.append(now() - sent)
        reading = False
        await store(producer, topic, 0, [0])
        assert await slowly > 0
    assert sorted(latencies)[len(latencies) * 9 // 10] < 0.1


async def test_no_more_is_fetched_than_there_is_room_for(
    broker: Broker, topic: str, join: Join
) -> None:
    """What is buffered is bounded: two fetches, each of a batch at least."""
    member = await join(ignores=[0])
    await member.until_holding(4)
    async with broker.producer() as producer:
        for _ in range(12):
            await producer.send_and_wait(topic, BIG, partition=0)
    await broker.delete_records(topic, {0: 10})
    member.heed(0)
    # What was not fetched by then is gone.
    await until(lambda: member.gaps, "it is told of the gap")
    await until(lambda: member.records[0][-1].offset == 11, "it goes on behind the gap")
    offsets = [record.offset for record in member.records[0]]
    (gap,) = member.gaps
    assert offsets == [*range(gap.wanted), 10, 11]
    assert gap.wanted <= 4
    assert (gap.partition, gap.earliest) == (0, 10)


async def test_bounds_of_a_read_are_kept(broker: Broker, topic: str, join: Join) -> None:
    member = await join(ignores=range(4))
    await member.until_holding(4)
    async with broker.producer() as producer:
        for _ in range(3):
            batch = producer.create_batch()
            for _ in range(10):
                batch.append(key=None, value=b"abc", timestamp=None)
            batch.close()
            await (await producer.send_batch(batch, topic, partition=0))
    subscription = member.subscription
    sizes = [
        len(await subscription.read(0, 1)),
        len(await subscription.read(0, 4)),
        len(await subscription.read(0, 100, max_bytes=7)),
        len(await subscription.read(0, 100, max_bytes=1)),
        len(await subscription.read(0, 2, max_bytes=1000)),
    ]
    assert sizes == [1, 4, 3, 1, 2]


async def test_a_record_is_read_however_large_it_is(broker: Broker, topic: str, join: Join) -> None:
    large = f"{topic}-large"
    await broker.make(large, 2, max_message_bytes=20_000_000)
    await broker.publish(large, {0: [1], 1: [2]})
    async with broker.producer(max_request_size=20_000_000) as producer:
        for partition in (0, 1):
            await producer.send_and_wait(large, b"3" * 10_000_000, partition=partition)
    await broker.publish(large, {0: [4], 1: [5]})
    member = await join(topic=large, ignores=range(2))
    await member.until_holding(2)
    for partition in (0, 1):
        sizes: list[int] = []
        while len(sizes) < 3:
            records = await member.subscription.read(partition, 10)
            sizes += [len(record.message.payload) for record in records]
        assert sizes == [1, 10_000_000, 1]


async def test_small_batches_are_read_together(broker: Broker, topic: str, join: Join) -> None:
    async with broker.producer() as producer:
        for number in range(50):
            await producer.send_and_wait(topic, b"%d" % number, partition=0)
    member = await join()
    await member.until_holding(4)
    await member.until_read(range(50))
    records = member.records[0]
    assert [record.offset for record in records] == list(range(50))


async def at_random(work: Callable[[], Awaitable[_ResultT]], chance: random.Random) -> _ResultT:
    """Do something, giving up at any moment and beginning again until it is done."""
    while True:
        doing = asyncio.ensure_future(work())
        try:
            if chance.random() < 0.5:
                for _ in range(chance.randrange(8)):
                    await asyncio.sleep(0)
            else:
                await asyncio.wait([doing], timeout=chance.random() * 0.02)
        finally:
            doing.cancel()
        await asyncio.wait([doing])
        if not doing.cancelled():
            return doing.result()


async def test_nothing_is_lost_by_who_gives_up_waiting(
    broker: Broker, topic: str, join: Join, open_groups: OpenGroups, group: Group
) -> None:
    """Reads and waits for events are cancelled at any moment, while partitions come and go."""
    chance = random.Random(4711)
    subscription = await open_groups().subscribe(topic, group, Edge.EARLIEST)
    read: dict[int, list[Record]] = {at: [] for at in range(4)}
    reading: dict[int, asyncio.Task[None]] = {}
    held: set[int] = set()

    async def read_on(partition: int) -> None:
        while True:
            some = partial(subscription.read, partition, chance.randrange(1, 40))
            records = await at_random(some, chance)
            if not records:
                return
            read[partition] += records

    async def follow() -> None:
        while True:
            match await at_random(subscription.next_event, chance):
                case Assigned(partitions):
                    assert not partitions & held
                    held.update(partitions)
                    for partition in partitions:
                        read[partition] = []
                        reading[partition] = asyncio.create_task(read_on(partition))
                case Revoked(partitions):
                    assert partitions <= held
                    held.difference_update(partitions)
                    await asyncio.gather(*(reading[partition] for partition in partitions))
                    await subscription.release(partitions)

    following = asyncio.create_task(follow())
    count = 0
    async with broker.producer() as producer:
        for _ in range(3):
            other = await join(groups=open_groups())
            await other.until_holding(2)
            for _ in range(20):
                for at in range(4):
                    await store(producer, topic, at, range(count, count + 10))
                count += 10
            await other.close()
            await until(lambda: len(held) == 4, "all comes back")
    await until(
        lambda: all(len(records) >= count for records in read.values()), "all is read again"
    )
    for records in read.values():
        assert [record.offset for record in records] == list(range(count))
        assert [int(record.message.payload) for record in records] == list(range(count))
    following.cancel()
    await asyncio.wait([following])
    await subscription.close()
    await asyncio.gather(*reading.values())
