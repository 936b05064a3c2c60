"""Starts at offsets and at a time."""

from uuid import uuid4

from penstock.plugin import AtOffsets, AtTime, Capability, Edge, PubSub
from penstock.testing.expectation import expect
from penstock.testing.filling import fill, numbers
from penstock.testing.promise import Chapter, promise
from penstock.testing.rig import Rig
from penstock.testing.way import Way

NOT_OVER_RIFF = {Way.RIFF: "riff's protocol knows the earliest and the latest alone"}
OFFSETS = "Start at these offsets (the first to deliver), by partition; elsewhere at `otherwise`."
TIME = "Start at the first record stored at or after a time, in milliseconds since the epoch."
REPLACES = (
    "Where nothing is acked yet, offsets or a time replace an edge that was settled before, "
    "unless a member is there."
)
LOCATES = "The first offset that a start delivers, for every partition of a topic."
NOBODY_ASKS = {Way.RIFF: "riff's protocol has no call for it"}
AN_HOUR_MS = 3_600_000


class Seeking(Chapter):
    """`Capability.SEEK`."""

    title = "seek"
    needs = frozenset({Capability.SEEK})

    @promise(AtOffsets, OFFSETS, not_over=NOT_OVER_RIFF)
    async def test_an_offset_is_the_first_that_is_delivered(self, rig: Rig) -> None:
        topic = await rig.topic()
        positions = await rig.publish(topic, numbers(10))
        member = await rig.join(topic, start=AtOffsets({0: positions[7].offset}))
        records = await member.until_read(3)
        expect("offsets", [one.offset for one in records], [one.offset for one in positions[7:]])

    @promise(AtOffsets, OFFSETS, needs=[Capability.PARTITIONS], not_over=NOT_OVER_RIFF)
    async def test_partitions_without_an_offset_start_at_the_edge(self, rig: Rig) -> None:
        topic = await rig.topic(partitions=2)
        offsets = await fill(rig, topic, 2, least=5)
        start = {0: offsets[0][3]}
        earliest = await rig.join(topic, start=AtOffsets(start, Edge.EARLIEST))
        await earliest.until_read(len(offsets[0]) - 3 + len(offsets[1]))
        latest = await rig.join(topic, start=AtOffsets(start, Edge.LATEST))
        more = await fill(rig, topic, 2, least=1)
        await latest.until_read(len(offsets[0]) - 3 + len(more[0]) + len(more[1]))
        read = {at: [one.offset for one in records] for at, records in latest.records.items()}
        expect("offsets by partition", read, {0: offsets[0][3:] + more[0], 1: more[1]})

    @promise(AtTime, TIME, not_over=NOT_OVER_RIFF)
    async def test_a_time_is_that_of_the_first_record_that_is_delivered(self, rig: Rig) -> None:
        topic = await rig.topic()
        await rig.publish(topic, numbers(5))
        reader = await rig.join(topic)
        [*_, first] = await reader.until_read(5)
        last = first
        while last.timestamp_ms == first.timestamp_ms:  # the clock has not gone on
            before = reader.count
            await rig.publish(topic, numbers(1, start=before))
            [*_, last] = await reader.until_read(before + 1)
        await rig.publish(topic, numbers(5, start=reader.count))
        member = await rig.join(topic, start=AtTime(last.timestamp_ms))
        records = await member.until_read(6)
        expect("the first offset", records[0].offset, last.offset)

    @promise(AtTime, TIME, not_over=NOT_OVER_RIFF)
    async def test_a_time_before_all_records_is_the_earliest(self, rig: Rig) -> None:
        topic = await rig.topic()
        await rig.publish(topic, numbers(5))
        member = await rig.join(topic, start=AtTime(0))
        await member.until_read(5)

    @promise(
        PubSub.subscribe,
        "a record that is published from then on is never missed",
        not_over=NOT_OVER_RIFF,
    )
    async def test_a_time_behind_all_records_misses_none_that_comes(self, rig: Rig) -> None:
        topic = await rig.topic()
        await rig.publish(topic, numbers(5))
        [last] = (await rig.read_all(topic, 5)).records[0][-1:]
        member = await rig.join(topic, start=AtTime(last.timestamp_ms + AN_HOUR_MS))
        await rig.publish(topic, numbers(3, start=5))
        await member.until_read(3)
        expect("payloads as read", member.payloads, [b"5", b"6", b"7"])

    @promise(PubSub.subscribe, REPLACES, not_over=NOT_OVER_RIFF)
    async def test_offsets_replace_an_edge_when_nobody_is_there(self, rig: Rig) -> None:
        topic, group = await rig.topic(), rig.group()
        positions = await rig.publish(topic, numbers(10))
        await rig.leave(await rig.join(topic, group, Edge.LATEST))
        member = await rig.join(topic, group, AtOffsets({0: positions[4].offset}))
        records = await member.until_read(6)
        expect("the first offset", records[0].offset, positions[4].offset)

    @promise(PubSub.subscribe, REPLACES, not_over=NOT_OVER_RIFF)
    async def test_a_time_replaces_an_edge_when_nobody_is_there(self, rig: Rig) -> None:
        topic, group = await rig.topic(), rig.group()
        await rig.publish(topic, numbers(10))
        await rig.leave(await rig.join(topic, group, Edge.LATEST))
        member = await rig.join(topic, group, AtTime(0))
        await member.until_read(10)

    @promise(PubSub.subscribe, REPLACES, not_over=NOT_OVER_RIFF)
    async def test_offsets_replace_no_edge_while_a_member_is_there(self, rig: Rig) -> None:
        topic, group = await rig.topic(), rig.group()
        positions = await rig.publish(topic, numbers(10))
        first = await rig.join(topic, group, holds=frozenset({0}))
        await first.until_holding(1)
        second = await rig.join(topic, group, AtOffsets({0: positions[4].offset}))
        await rig.leave(first)
        records = await second.until_read(10)
        expect("the first offset", records[0].offset, positions[0].offset)

    @promise(
        PubSub.subscribe,
        "`start` is settled and stored for the partitions in which the group has no position",
        not_over=NOT_OVER_RIFF,
    )
    async def test_offsets_replace_no_ack(self, rig: Rig) -> None:
        topic, group = await rig.topic(), rig.group()
        positions = await rig.publish(topic, numbers(10))
        first = await rig.join(topic, group)
        await first.until_read(10)
        await first.subscription.ack({0: positions[7].offset})
        await rig.leave(first)
        second = await rig.join(topic, group, AtOffsets({0: positions[2].offset}))
        records = await second.until_read(2)
        expect("the first offset", records[0].offset, positions[8].offset)

    @promise(PubSub.locate, LOCATES, not_over=NOBODY_ASKS)
    async def test_edges_and_times_are_located(self, rig: Rig) -> None:
        topic = await rig.topic()
        await rig.publish(topic, numbers(5))
        records = (await rig.read_all(topic, 5)).records[0]
        first, last = records[0], records[-1]
        stored = next(one for one in records if one.timestamp_ms == last.timestamp_ms)
        located = [
            await rig.locate(topic, start)
            for start in (Edge.EARLIEST, Edge.LATEST, AtTime(0), AtTime(last.timestamp_ms))
        ]
        wanted = [first.offset, last.offset + 1, first.offset, stored.offset]
        expect("offsets of starts", [dict(one) for one in located], [{0: at} for at in wanted])

    @promise(
        PubSub.locate,
        "Where no record is that late, it is the offset of the one to come.",
        not_over=NOBODY_ASKS,
    )
    async def test_a_time_behind_all_records_is_located_at_the_one_to_come(self, rig: Rig) -> None:
        topic = await rig.topic()
        [*_, last] = await rig.publish(topic, numbers(5))
        [record] = (await rig.read_all(topic, 5)).records[0][-1:]
        behind = await rig.locate(topic, AtTime(record.timestamp_ms + AN_HOUR_MS))
        expect("offset of a time behind all", dict(behind), {0: last.offset + 1})

    @promise(
        PubSub.locate,
        "A topic that nobody made gives an empty mapping, and is not made.",
        not_over=NOBODY_ASKS,
    )
    async def test_a_topic_that_nobody_made_has_no_offsets(self, rig: Rig) -> None:
        unknown = f"conformance-{uuid4().hex[:12]}"
        for _ in range(2):
            expect("offsets", dict(await rig.locate(unknown, Edge.EARLIEST)), {})
