"""Where a topic ends and how far a group is."""

from uuid import uuid4

from penstock.plugin import PubSub
from penstock.testing.expectation import expect
from penstock.testing.filling import numbers
from penstock.testing.promise import Chapter, promise
from penstock.testing.rig import Rig


class Positions(Chapter):
    """`PubSub.positions` and `PubSub.end_positions`."""

    title = "positions"

    @promise(
        PubSub.end_positions,
        "The offset of the last record, by partition; those without records are left out.",
    )
    async def test_end_positions_are_the_last_offsets_of_partitions_with_records(
        self, rig: Rig
    ) -> None:
        topic = await rig.topic(partitions=3)
        expect("end positions of a topic without records", dict(await rig.end_positions(topic)), {})
        positions = await rig.publish(topic, numbers(5, key=b"one"))
        last = positions[-1]
        expect("end positions", dict(await rig.end_positions(topic)), {last.partition: last.offset})

    @promise(
        PubSub.end_positions,
        "The offset of the last record, by partition; those without records are left out.",
    )
    async def test_a_topic_that_nobody_made_has_no_end(self, rig: Rig) -> None:
        unknown = f"conformance-{uuid4().hex[:12]}"
        expect("end positions", dict(await rig.end_positions(unknown)), {})

    @promise(PubSub.positions, "A topic or a group that nobody has used gives an empty mapping.")
    async def test_what_nobody_has_used_has_no_positions(self, rig: Rig) -> None:
        unknown = f"conformance-{uuid4().hex[:12]}"
        expect("positions, no topic", dict(await rig.positions(unknown, rig.group())), {})
        topic = await rig.topic()
        await rig.publish(topic, numbers(3))
        expect("positions, no group", dict(await rig.positions(topic, rig.group())), {})

    @promise(
        PubSub.positions,
        "The last acked offset by partition, for each version of a group that has acked any.",
    )
    async def test_where_a_group_starts_is_no_position(self, rig: Rig) -> None:
        topic = await rig.topic()
        await rig.publish(topic, numbers(5))
        group = rig.group()
        member = await rig.join(topic, group)
        await member.until_read(5)
        expect("positions of a group that acked none", dict(await rig.positions(topic, group)), {})

    @promise(
        PubSub.positions,
        "The last acked offset by partition, for each version of a group that has acked any.",
    )
    async def test_positions_are_of_one_topic(self, rig: Rig) -> None:
        one, other = await rig.topic(), await rig.topic()
        group = rig.group()
        positions = await rig.publish(one, numbers(5))
        await rig.publish(other, numbers(5))
        member = await rig.join(one, group)
        await member.until_read(5)
        await member.ack_all()
        expect("positions", await rig.positions(one, group), {0: {0: positions[-1].offset}})
        expect("positions on another topic", dict(await rig.positions(other, group)), {})
