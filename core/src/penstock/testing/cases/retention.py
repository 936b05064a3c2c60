"""Retention: what is let go, what is kept, and how a reader learns of it."""

import asyncio
from dataclasses import replace

from penstock.plugin import (
    Capability,
    Edge,
    PermanentError,
    Position,
    PositionExpired,
    Record,
    Retention,
    Subscription,
)
from penstock.testing.expectation import BrokenPromise, expect, expect_that
from penstock.testing.filling import numbers
from penstock.testing.promise import ONLY_IN_PROCESS, Chapter, promise
from penstock.testing.rig import Rig
from penstock.testing.way import Way

BOUNDS = {
    "messages": Retention(messages=10),
    "bytes": Retention(bytes=50_000),
    "seconds": Retention(seconds=2),
}
KEPT = "How long records are kept; the first bound that is passed counts"
_BATCH = 20
_SIZE = 10_000  # of each record
_PAUSE = 0.1  # seconds between two looks at what is still there


async def bounded_topic(rig: Rig, *bounds: str) -> str:
    """A topic with the first of these bounds that the gateway has; not applicable: it has none."""
    for bound in bounds:
        try:
            return (await rig.provision(rig.stream(retention=BOUNDS[bound]))).topic
        except PermanentError as error:
            if "retention" not in str(error):
                raise
    return rig.not_applicable(f"the gateway refuses a bound in {' and in '.join(bounds)}")


async def pass_bound(rig: Rig, topic: str) -> tuple[Position, Position]:
    """Publish until the first record is gone; the positions of the first and the last."""
    first, *_, last = await rig.publish(topic, numbers(_BATCH, size=_SIZE))
    loop = asyncio.get_running_loop()
    end = loop.time() + rig.patience
    while await earliest(rig, topic) <= first.offset:
        if loop.time() > end:
            raise BrokenPromise(
                f"the first record of a stream beyond its bound\n"
                f"  expected: it is gone within {rig.patience:g} s\n  came:     it is still read"
            )
        await asyncio.sleep(_PAUSE)
        last = (await rig.publish(topic, numbers(_BATCH, size=_SIZE)))[-1]
    return first, last


async def earliest(rig: Rig, topic: str) -> int:
    """The offset of the first record that a new group reads."""
    subscription = await rig.subscribe_one(topic)
    reading = asyncio.create_task(first_record(subscription))
    while not reading.done():
        # There may be none, for a bound in time: then this one is the first.
        await asyncio.wait({reading}, timeout=_PAUSE)
        if not reading.done():
            await rig.publish(topic, numbers(1))
    await subscription.close()
    return (await reading).offset


async def first_record(subscription: Subscription) -> Record:
    """The first record that is still there when it is read."""
    while True:
        try:
            [record] = await subscription.read(0, 1)
        except PositionExpired:  # what was the earliest a moment ago
            continue
        return record


class RetentionBounds(Chapter):
    """`Capability.RETENTION`."""

    title = "retention"
    needs = frozenset({Capability.RETENTION})

    @promise(
        Capability.RETENTION, "A stream's retention bounds are kept.", not_over=ONLY_IN_PROCESS
    )
    async def test_one_kind_of_bound_is_taken_at_least(self, rig: Rig) -> None:
        refusals: list[PermanentError] = []
        for bound in BOUNDS.values():
            try:
                await rig.provision(rig.stream(retention=bound))
            except PermanentError as error:
                refusals.append(error)
        expect_that(len(refusals) < len(BOUNDS), "bounds that are refused", refusals, "not all")

    @promise(Retention, "messages: Records, for each partition.")
    async def test_a_bound_in_messages_is_kept(self, rig: Rig) -> None:
        topic = await bounded_topic(rig, "messages")
        _, last = await pass_bound(rig, topic)
        await last_is_read(rig, topic, last)

    @promise(Retention, "bytes: Payload and key bytes, for each partition.")
    async def test_a_bound_in_bytes_is_kept(self, rig: Rig) -> None:
        topic = await bounded_topic(rig, "bytes")
        _, last = await pass_bound(rig, topic)
        await last_is_read(rig, topic, last)

    @promise(Retention, "seconds: Age of a record.")
    async def test_a_bound_in_seconds_is_kept(self, rig: Rig) -> None:
        topic = await bounded_topic(rig, "seconds")
        await pass_bound(rig, topic)
        [last] = await rig.publish(topic, numbers(1))
        await last_is_read(rig, topic, last)

    @promise(Retention, "``None`` is no bound.")
    async def test_without_a_bound_nothing_is_let_go(self, rig: Rig) -> None:
        topic = await rig.topic()
        positions = await rig.publish(topic, numbers(_BATCH, size=_SIZE))
        bounded = await bounded_topic(rig, "messages", "bytes", "seconds")
        await pass_bound(rig, bounded)
        expect("the earliest record", await earliest(rig, topic), positions[0].offset)

    @promise(
        Subscription.read,
        "PositionExpired: The next record is gone by retention; the next call goes on behind the "
        "gap.",
        not_over={Way.RIFF: "riff's protocol has no word for a gap"},
    )
    async def test_a_reader_is_told_of_a_gap(self, rig: Rig) -> None:
        topic, group = await bounded_topic(rig, "messages", "bytes", "seconds"), rig.group()
        [position] = await rig.publish(topic, numbers(1))
        member = await rig.join(topic, group)
        await member.until_read(1)
        await member.ack_all()
        await rig.leave(member)
        [missed] = await rig.publish(topic, numbers(1))
        await pass_bound(rig, topic)
        member = await rig.join(topic, group, Edge.LATEST)
        [more] = await rig.publish(topic, numbers(1))
        await member.until(lambda: more.offset in offsets(member.records), "it reads on")
        gaps = [(gap.partition, gap.wanted) for gap in member.gaps]
        expect_that(
            gaps and gaps[0][0] == 0 and position.offset < gaps[0][1] <= missed.offset,
            "partitions of the gaps that were told, and the offsets that were due",
            gaps,
            f"one of partition 0 at {missed.offset}",
        )
        told, read = member.gaps[0].earliest, member.records[0][0].offset
        expect_that(
            missed.offset < told <= read,
            "the earliest offset that is kept, as told",
            told,
            f"behind {missed.offset}, and not behind {read}, which was read next",
        )

    @promise(Subscription.read, "the next call goes on behind the gap.")
    async def test_reading_goes_on_behind_a_gap(self, rig: Rig) -> None:
        topic, group = await bounded_topic(rig, "messages", "bytes", "seconds"), rig.group()
        await rig.publish(topic, numbers(1))
        member = await rig.join(topic, group)
        await member.until_read(1)
        await member.ack_all()
        await rig.leave(member)
        await pass_bound(rig, topic)
        member = await rig.join(topic, group)
        [last] = await rig.publish(topic, numbers(1))
        await member.until(lambda: last.offset in offsets(member.records), "it reads the last one")

    @promise(Retention, KEPT, not_over=ONLY_IN_PROCESS)
    async def test_a_bound_may_be_set_later(self, rig: Rig) -> None:
        stream = rig.stream()
        topic = (await rig.provision(stream)).topic
        await rig.publish(topic, numbers(_BATCH, size=_SIZE))
        for bound in BOUNDS.values():
            try:
                await rig.provision(replace(stream, retention=bound))
                break
            except PermanentError:
                continue
        await pass_bound(rig, topic)


def offsets(records: dict[int, list[Record]]) -> list[int]:
    """Offsets that were read of the only partition."""
    return [record.offset for record in records.get(0, ())]


async def last_is_read(rig: Rig, topic: str, last: Position) -> None:
    """Hold that the newest record is kept."""
    member = await rig.join(topic)
    await member.until(lambda: last.offset in offsets(member.records), "the newest record is read")
