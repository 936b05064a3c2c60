"""Acks by who is not subscribed."""

from penstock.plugin import Capability, Edge, PermanentError, PubSub
from penstock.testing.expectation import expect, refused
from penstock.testing.filling import numbers
from penstock.testing.promise import Chapter, promise
from penstock.testing.rig import Rig
from penstock.testing.way import Way

ANYBODY = "As `Subscription.ack`, from anywhere: the caller need not be a member, nor anybody."

AGAIN = (
    "Called so as well to begin again: an offset of -1 says that nothing is done, and the group "
    "resumes at offset 0."
)
NOT_OVER_RIFF = {Way.RIFF: "riff's protocol has no offset below 0"}


class AckingByOthers(Chapter):
    """`Capability.ACK_BY_OTHERS`."""

    title = "acks by others"
    needs = frozenset({Capability.ACK_BY_OTHERS})

    @promise(PubSub.ack, ANYBODY)
    async def test_a_group_without_members_starts_behind_an_ack(self, rig: Rig) -> None:
        topic, group = await rig.topic(), rig.group()
        positions = await rig.publish(topic, numbers(10))
        await rig.ack(topic, group, {0: positions[6].offset})
        expect("positions", await rig.positions(topic, group), {0: {0: positions[6].offset}})
        member = await rig.join(topic, group)
        await member.until_read(3)
        expect("payloads as read", member.payloads, [b"7", b"8", b"9"])

    @promise(PubSub.ack, ANYBODY)
    async def test_it_is_stored_while_members_are_there(self, rig: Rig) -> None:
        topic, group = await rig.topic(), rig.group()
        positions = await rig.publish(topic, numbers(10))
        member = await rig.join(topic, group)
        await member.until_read(10)
        await rig.ack(topic, group, {0: positions[4].offset})
        expect("positions", await rig.positions(topic, group), {0: {0: positions[4].offset}})
        await rig.publish(topic, numbers(5, start=10))
        await member.until_read(15)

    @promise(PubSub.ack, ANYBODY)
    async def test_it_replaces_a_higher_one(self, rig: Rig) -> None:
        topic, group = await rig.topic(), rig.group()
        positions = await rig.publish(topic, numbers(10))
        for place in (2, 9, 5):
            await rig.ack(topic, group, {0: positions[place].offset})
        expect("positions", await rig.positions(topic, group), {0: {0: positions[5].offset}})
        member = await rig.join(topic, group)
        await member.until_read(4)

    @promise(PubSub.ack, ANYBODY)
    async def test_a_member_that_leaves_does_not_replace_it(self, rig: Rig) -> None:
        topic, group = await rig.topic(), rig.group()
        positions = await rig.publish(topic, numbers(10))
        first = await rig.join(topic, group)
        await first.until_read(10)
        await first.subscription.ack({0: positions[7].offset})
        await rig.ack(topic, group, {0: positions[4].offset})
        await rig.leave(first)
        expect("positions", await rig.positions(topic, group), {0: {0: positions[4].offset}})
        second = await rig.join(topic, group)
        await second.until_read(5)
        expect("payloads as read", second.payloads, [b"5", b"6", b"7", b"8", b"9"])

    @promise(PubSub.ack, ANYBODY)
    async def test_a_member_acks_after_it(self, rig: Rig) -> None:
        topic, group = await rig.topic(), rig.group()
        positions = await rig.publish(topic, numbers(10))
        member = await rig.join(topic, group)
        await member.until_read(10)
        await rig.ack(topic, group, {0: positions[8].offset})
        await member.subscription.ack({0: positions[3].offset})
        expect("positions", await rig.positions(topic, group), {0: {0: positions[3].offset}})

    @promise(PubSub.ack, AGAIN, not_over=NOT_OVER_RIFF)
    async def test_minus_one_begins_again_at_offset_0(self, rig: Rig) -> None:
        topic, group = await rig.topic(), rig.group()
        positions = await rig.publish(topic, numbers(10))
        await rig.ack(topic, group, {0: positions[6].offset})
        await rig.ack(topic, group, {0: -1})
        expect("positions", dict(await rig.positions(topic, group)), {})
        member = await rig.join(topic, group, Edge.LATEST)
        await member.until_read(10)

    @promise(PubSub.ack, "PermanentError: The topic is impossible.")
    async def test_an_ack_of_an_impossible_topic_is_refused(self, rig: Rig) -> None:
        with refused(PermanentError, "an ack of an impossible topic", naming="topic"):
            await rig.ack(rig.backend.impossible_topic, rig.group(), {0: 1})
