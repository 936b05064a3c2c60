"""Marks on records that the group has acked before."""

from penstock.plugin import Capability, Group, Record
from penstock.testing.expectation import expect
from penstock.testing.filling import numbers
from penstock.testing.promise import Chapter, promise
from penstock.testing.rig import Rig
from penstock.testing.way import Way

MARKED = (
    "Whether the offset is at or below one that the group had acked at the time of the read, any "
    "version of the group counted."
)
READ_AHEAD = "records are read ahead of the subscriber, and marked then"


class Replay(Chapter):
    """`Capability.REPLAY`; it takes versions to read what was acked."""

    title = "replay"
    needs = frozenset({Capability.REPLAY, Capability.VERSIONS})

    @promise(Record, MARKED)
    async def test_what_another_version_has_acked_is_marked(self, rig: Rig) -> None:
        topic, group = await rig.topic(), rig.group()
        positions = await rig.publish(topic, numbers(10))
        first = await rig.join(topic, Group(group.name, 1))
        await first.until_read(10)
        await first.subscription.ack({0: positions[6].offset})
        second = await rig.join(topic, Group(group.name, 2))
        marks = [record.replay for record in await second.until_read(10)]
        expect("marks of ten records, seven acked", marks, [True] * 7 + [False] * 3)

    @promise(Record, MARKED)
    async def test_what_the_group_has_not_acked_is_not_marked(self, rig: Rig) -> None:
        topic, group = await rig.topic(), rig.group()
        await rig.publish(topic, numbers(5))
        other = await rig.join(topic)
        await other.until_read(5)
        await other.ack_all()
        first = await rig.join(topic, Group(group.name, 1))
        marks = [record.replay for record in await first.until_read(5)]
        second = await rig.join(topic, Group(group.name, 2))
        marks += [record.replay for record in await second.until_read(5)]
        expect("marks of records that nobody of the group acked", marks, [False] * 10)

    @promise(
        Record,
        MARKED,
        not_over=dict.fromkeys((Way.BATCH, Way.RIFF), READ_AHEAD),
    )
    async def test_marks_are_those_of_the_time_of_the_read(self, rig: Rig) -> None:
        topic, group = await rig.topic(), rig.group()
        positions = await rig.publish(topic, numbers(10))
        first = await rig.join(topic, Group(group.name, 1))
        await first.until_read(10)
        second = await rig.subscribe_one(topic, Group(group.name, 2))
        [record] = await second.read(0, 1)
        expect("the mark before an ack", record.replay, expected=False)
        await first.subscription.ack({0: positions[1].offset})
        [record] = await second.read(0, 1)
        expect("the mark after an ack", record.replay, expected=True)
        [record] = await second.read(0, 1)
        expect("the mark behind the ack", record.replay, expected=False)
