"""Reading: what a read returns, when, and how much."""

import asyncio

from penstock.plugin import READ_BYTES, Capability, Message, Subscription
from penstock.testing.expectation import expect, expect_that
from penstock.testing.filling import numbers
from penstock.testing.promise import Chapter, promise
from penstock.testing.rig import Rig

SAFE = "Cancelling any of them is safe: no event and no record is lost by it."


async def all_of(subscription: Subscription, amount: int) -> list[int]:
    """The offsets of the next records of partition 0."""
    offsets: list[int] = []
    while len(offsets) < amount:
        records = await subscription.read(0, 1000)
        expect_that(records, "a read of a partition that is assigned", records, "records")
        offsets += [record.offset for record in records]
    return offsets


class Reading(Chapter):
    """`Subscription.read`."""

    title = "reading"

    @promise(
        Subscription.read,
        "Wait for at least one record of a partition and return those that follow in order.",
    )
    async def test_a_read_waits_for_a_record(self, rig: Rig) -> None:
        topic = await rig.topic()
        subscription = await rig.subscribe_one(topic)
        reading = asyncio.create_task(subscription.read(0, 10))
        await rig.settle()
        expect_that(
            not reading.done(),
            "a read of a partition without records",
            reading.done() and (reading.exception() or reading.result()),
            "it is pending",
        )
        await rig.publish(topic, numbers(1))
        expect("payloads", [one.message.payload for one in await reading], [b"0"])

    @promise(Subscription.read, "Returns what is there: it never waits to fill a batch.")
    async def test_a_read_does_not_wait_for_more(self, rig: Rig) -> None:
        topic = await rig.topic()
        subscription = await rig.subscribe_one(topic)
        for number in range(3):
            [position] = await rig.publish(topic, numbers(1, start=number))
            expect("offsets", await all_of(subscription, 1), [position.offset])

    @promise(Subscription.read, "Each record is returned once in the life of an assignment.")
    async def test_each_record_is_returned_once_and_in_order(self, rig: Rig) -> None:
        topic = await rig.topic()
        positions = await rig.publish(topic, numbers(50))
        subscription = await rig.subscribe_one(topic)
        offsets = await all_of(subscription, 50)
        positions += await rig.publish(topic, numbers(50, start=50))
        offsets += await all_of(subscription, 50)
        expect("offsets", offsets, [position.offset for position in positions])

    @promise(Subscription.read, "max_records: At most so many records, at least 1.")
    async def test_a_read_returns_no_more_records_than_asked_for(self, rig: Rig) -> None:
        topic = await rig.topic()
        positions = await rig.publish(topic, numbers(50))
        subscription = await rig.subscribe_one(topic)
        offsets: list[int] = []
        for most in (1, 7, 1, 20):
            records = await subscription.read(0, most)
            expect_that(
                1 <= len(records) <= most,
                f"how many records a read of at most {most} returns",
                len(records),
                f"1 to {most}",
            )
            offsets += [record.offset for record in records]
        offsets += await all_of(subscription, 50 - len(offsets))
        expect("offsets", offsets, [position.offset for position in positions])

    @promise(
        Subscription.read,
        "max_bytes: Stop after the record that passes this many bytes of payload.",
    )
    async def test_a_read_stops_behind_the_bytes_asked_for(self, rig: Rig) -> None:
        topic = await rig.topic()
        positions = await rig.publish(topic, numbers(50, size=100))
        subscription = await rig.subscribe_one(topic)
        offsets: list[int] = []
        for size, most in ((250, 3), (1, 1), (99, 1)):
            records = await subscription.read(0, 50, size)
            expect_that(
                1 <= len(records) <= most,
                f"how many records of 100 bytes a read of at most {size} bytes returns",
                len(records),
                f"1 to {most}",
            )
            offsets += [record.offset for record in records]
        offsets += await all_of(subscription, 50 - len(offsets))
        expect("offsets", offsets, [position.offset for position in positions])

    @promise(
        "READ_BYTES",
        "How much one read returns at most by default, in bytes of payload; at least one record.",
    )
    async def test_a_read_is_bounded_where_nobody_says_how(self, rig: Rig) -> None:
        topic = await rig.topic()
        size = 500_000
        positions = [
            one for _ in range(6) for one in await rig.publish(topic, numbers(2, size=size))
        ]
        subscription = await rig.subscribe_one(topic)
        offsets: list[int] = []
        while len(offsets) < len(positions):
            records = await subscription.read(0, 1000)
            expect_that(
                1 <= len(records) <= READ_BYTES // size + 1,
                f"how many records of {size} bytes a read returns",
                len(records),
                f"1 to {READ_BYTES // size + 1}",
            )
            offsets += [record.offset for record in records]
        expect("offsets", offsets, [position.offset for position in positions])

    @promise(
        Subscription.read,
        "Wait for at least one record of a partition and return those that follow in order.",
    )
    async def test_a_large_record_is_returned_to_who_asks_for_few_bytes(self, rig: Rig) -> None:
        topic = await rig.topic()
        await rig.publish(topic, [Message(b"x" * 500_000)])
        subscription = await rig.subscribe_one(topic)
        records = await subscription.read(0, 10, 1000)
        sizes = [len(record.message.payload) for record in records]
        expect("bytes of the records", sizes, [500_000])

    @promise(
        Subscription.read,
        "Records in ascending offset; none: the partition is no longer assigned.",
    )
    async def test_a_partition_that_is_not_assigned_gives_nothing(self, rig: Rig) -> None:
        topic = await rig.topic()
        await rig.publish(topic, numbers(3))
        subscription = await rig.subscribe_one(topic)
        expect("records", list(await subscription.read(9, 10)), [])

    @promise(Subscription, SAFE)
    async def test_a_read_that_is_cancelled_loses_no_record(self, rig: Rig) -> None:
        topic = await rig.topic()
        subscription = await rig.subscribe_one(topic)
        published: list[int] = []
        read: list[int] = []
        for turn in range(30):
            reading = asyncio.create_task(subscription.read(0, 10))
            publishing = asyncio.create_task(rig.publish(topic, numbers(2)))
            # So that it meets every point at which a read may be.
            if turn % 2:
                await asyncio.wait({reading, publishing}, return_when=asyncio.FIRST_COMPLETED)
            for _ in range(turn // 2 % 8):
                await asyncio.sleep(0)
            reading.cancel()
            await asyncio.wait({reading})
            if not reading.cancelled():
                read += [record.offset for record in reading.result()]
            published += [position.offset for position in await publishing]
        read += await all_of(subscription, len(published) - len(read))
        expect("offsets", read, published)

    @promise(Subscription, "Cancelling any of them is safe")
    async def test_calls_that_are_cancelled_leave_the_rest_as_it_was(self, rig: Rig) -> None:
        topic, group = await rig.topic(), rig.group()
        member = await rig.join(topic, group)
        [position] = await rig.publish(topic, numbers(1))
        await member.until_read(1)
        for call in (
            lambda: rig.pubsub.publish(topic, [Message(b"cancelled")]),
            lambda: member.subscription.ack({0: position.offset}),
        ):
            task = asyncio.ensure_future(call())
            await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait({task})
        [last] = await rig.publish(topic, [Message(b"last")])
        await member.until(lambda: member.payloads[-1:] == [b"last"], "the last message is read")
        await member.ack_all()
        expect("positions", await rig.positions(topic, group), {0: {0: last.offset}})

    @promise(
        Subscription,
        "a partition that is not being read is held back, and no other with it.",
        needs=[Capability.PARTITIONS],
    )
    async def test_a_partition_that_is_not_read_holds_up_no_other(self, rig: Rig) -> None:
        topic = await rig.topic(partitions=2)
        member = await rig.join(topic, holds=frozenset({0}))
        offsets: dict[int, list[int]] = {0: [], 1: []}
        # More than any buffer on the way would hold back.
        while min(map(len, offsets.values())) < 20:
            for position in await rig.publish(topic, numbers(4, size=500_000)):
                offsets[position.partition].append(position.offset)
        await member.until_read(len(offsets[1]))
        expect("partitions that were read", set(member.records), {1})
        member.resume(0)
        await member.until_read(len(offsets[0]) + len(offsets[1]))
        read = {at: [one.offset for one in records] for at, records in member.records.items()}
        expect("offsets by partition", read, offsets)
