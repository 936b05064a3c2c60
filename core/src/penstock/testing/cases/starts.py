"""Where a group starts, and that this is settled when subscribe returns."""

from uuid import uuid4

from penstock.plugin import Capability, Edge, PermanentError, PubSub
from penstock.testing.expectation import expect, refused
from penstock.testing.filling import fill, numbers
from penstock.testing.promise import Chapter, promise
from penstock.testing.rig import Rig

SETTLED = (
    "When it returns, `start` is settled and stored for the partitions in which the group has no "
    "position"
)
NEVER_MISSED = (
    "a record that is published from then on is never missed, by this member or after a restart "
    "by another."
)


def payloads(start: int, stop: int) -> list[bytes]:
    """Payloads of numbered messages."""
    return [b"%d" % number for number in range(start, stop)]


class Starts(Chapter):
    """`PubSub.subscribe`."""

    title = "starts"

    @promise(PubSub.subscribe, SETTLED)
    async def test_earliest_is_the_first_record_that_is_kept(self, rig: Rig) -> None:
        topic = await rig.topic()
        await rig.publish(topic, numbers(10))
        member = await rig.join(topic, start=Edge.EARLIEST)
        await rig.publish(topic, numbers(5, start=10))
        await member.until_read(15)
        expect("payloads as read", member.payloads, payloads(0, 15))

    @promise(PubSub.subscribe, SETTLED)
    async def test_latest_is_behind_the_last_record(self, rig: Rig) -> None:
        topic = await rig.topic()
        await rig.publish(topic, numbers(10))
        member = await rig.join(topic, start=Edge.LATEST)
        await rig.publish(topic, numbers(5, start=10))
        await member.until_read(5)
        expect("payloads as read", member.payloads, payloads(10, 15))

    @promise(PubSub.subscribe, NEVER_MISSED)
    async def test_what_is_published_as_soon_as_subscribe_returns_is_read(self, rig: Rig) -> None:
        topic = await rig.topic()
        for number in range(5):
            member = await rig.join(topic, start=Edge.LATEST)
            await rig.publish(topic, numbers(1, start=number))
            await member.until_read(1)
            expect("payloads as read", member.payloads, payloads(number, number + 1))
            await rig.leave(member)

    @promise(PubSub.subscribe, NEVER_MISSED)
    async def test_a_member_that_comes_later_reads_what_was_published_meanwhile(
        self, rig: Rig
    ) -> None:
        topic, group = await rig.topic(), rig.group()
        await rig.publish(topic, numbers(10))
        first = await rig.join(topic, group, Edge.LATEST)
        await rig.leave(first)
        await rig.publish(topic, numbers(5, start=10))
        second = await rig.join(topic, group, Edge.LATEST)
        await second.until_read(5)
        expect("payloads as read by who came later", second.payloads, payloads(10, 15))

    @promise(PubSub.subscribe, SETTLED)
    async def test_an_edge_that_is_settled_stays_for_who_asks_for_the_other(self, rig: Rig) -> None:
        topic, group = await rig.topic(), rig.group()
        await rig.publish(topic, numbers(10))
        await rig.leave(await rig.join(topic, group, Edge.LATEST))
        await rig.publish(topic, numbers(5, start=10))
        second = await rig.join(topic, group, Edge.EARLIEST)
        await second.until_read(5)
        expect("payloads as read by who came later", second.payloads, payloads(10, 15))

    @promise(PubSub.subscribe, SETTLED)
    async def test_a_group_with_a_position_starts_behind_it_whatever_is_asked(
        self, rig: Rig
    ) -> None:
        topic, group = await rig.topic(), rig.group()
        positions = await rig.publish(topic, numbers(10))
        first = await rig.join(topic, group)
        await first.until_read(10)
        await first.subscription.ack({0: positions[5].offset})
        await rig.leave(first)
        second = await rig.join(topic, group, Edge.LATEST)
        await second.until_read(4)
        expect("payloads as read", second.payloads, payloads(6, 10))

    @promise(PubSub.subscribe, SETTLED, needs=[Capability.PARTITIONS])
    async def test_a_start_is_for_the_partitions_without_a_position(self, rig: Rig) -> None:
        topic, group = await rig.topic(partitions=2), rig.group()
        first = await rig.join(topic, group)
        offsets = await fill(rig, topic, 2, least=5)
        await first.until_read(sum(map(len, offsets.values())))
        await first.subscription.ack({0: offsets[0][1]})
        await rig.leave(first)
        second = await rig.join(topic, group, Edge.LATEST)
        await second.until_read(len(offsets[0]) - 2 + len(offsets[1]))
        read = {at: [one.offset for one in records] for at, records in second.records.items()}
        expect("offsets by partition, as read", read, {0: offsets[0][2:], 1: offsets[1]})

    @promise(PubSub.subscribe, "Join a group as a new member. A topic that nobody made is made.")
    async def test_a_topic_that_nobody_made_can_be_subscribed_to(self, rig: Rig) -> None:
        topic = f"conformance-{uuid4().hex[:12]}"
        member = await rig.join(topic, start=Edge.LATEST)
        await rig.publish(topic, numbers(3))
        await member.until_read(3)

    @promise(PubSub.subscribe, "PermanentError: The topic is impossible.")
    async def test_an_impossible_topic_cannot_be_subscribed_to(self, rig: Rig) -> None:
        with refused(PermanentError, "subscribing to an impossible topic", naming="topic"):
            await rig.subscribe(rig.backend.impossible_topic, rig.group(), Edge.LATEST)
