"""Acks: what a group has done, and where it goes on."""

from penstock.plugin import Capability, Edge, Subscription
from penstock.testing.expectation import expect
from penstock.testing.filling import fill, numbers
from penstock.testing.promise import Chapter, promise
from penstock.testing.rig import Rig


class Acking(Chapter):
    """`Subscription.ack`."""

    title = "acking"

    @promise(
        Subscription.ack,
        "Store, by partition, the last offset that is done; the group resumes behind it.",
    )
    async def test_a_group_resumes_behind_its_ack(self, rig: Rig) -> None:
        topic, group = await rig.topic(), rig.group()
        positions = await rig.publish(topic, numbers(10))
        first = await rig.join(topic, group)
        await first.until_read(10)
        await first.subscription.ack({0: positions[5].offset})
        await rig.leave(first)
        second = await rig.join(topic, group)
        await second.until_read(4)
        expect("payloads as read", second.payloads, [b"6", b"7", b"8", b"9"])

    @promise(
        Subscription.ack,
        "When it returns, the positions are stored as safely as the gateway stores records.",
    )
    async def test_an_ack_is_stored_when_it_returns(self, rig: Rig) -> None:
        topic, group = await rig.topic(), rig.group()
        positions = await rig.publish(topic, numbers(10))
        member = await rig.join(topic, group)
        await member.until_read(10)
        for position in positions[::3]:
            await member.subscription.ack({0: position.offset})
            expect("positions", await rig.positions(topic, group), {0: {0: position.offset}})

    @promise(Subscription.ack, "It replaces what was stored, even when lower.")
    async def test_a_lower_ack_replaces_a_higher_one(self, rig: Rig) -> None:
        topic, group = await rig.topic(), rig.group()
        positions = await rig.publish(topic, numbers(10))
        first = await rig.join(topic, group)
        await first.until_read(10)
        for place in (3, 9, 6, 0):
            await first.subscription.ack({0: positions[place].offset})
        expect("positions", await rig.positions(topic, group), {0: {0: positions[0].offset}})
        await rig.leave(first)
        second = await rig.join(topic, group, Edge.LATEST)
        await second.until_read(9)
        expect("the first payload as read", second.payloads[0], b"1")

    @promise(
        Subscription.ack,
        "Store, by partition, the last offset that is done; the group resumes behind it.",
        needs=[Capability.PARTITIONS],
    )
    async def test_one_ack_is_for_several_partitions(self, rig: Rig) -> None:
        topic, group = await rig.topic(partitions=2), rig.group()
        offsets = await fill(rig, topic, 2, least=5)
        first = await rig.join(topic, group)
        await first.until_read(sum(map(len, offsets.values())))
        acked = {0: offsets[0][1], 1: offsets[1][3]}
        await first.subscription.ack(acked)
        expect("positions", await rig.positions(topic, group), {0: acked})
        await first.subscription.ack({1: offsets[1][2]})
        acked[1] = offsets[1][2]
        expect("positions after an ack of one", await rig.positions(topic, group), {0: acked})
        await rig.leave(first)
        second = await rig.join(topic, group)
        await second.until_read(len(offsets[0]) - 2 + len(offsets[1]) - 3)
        read = {at: [one.offset for one in records] for at, records in second.records.items()}
        expect("offsets by partition, as read", read, {0: offsets[0][2:], 1: offsets[1][3:]})

    @promise(
        Subscription.close,
        "The host has acked and released what it wanted to before.",
    )
    async def test_what_was_read_and_not_acked_is_read_again(self, rig: Rig) -> None:
        topic, group = await rig.topic(), rig.group()
        positions = await rig.publish(topic, numbers(10))
        first = await rig.join(topic, group)
        await first.until_read(10)
        await rig.leave(first)
        expect("positions of who acked none", dict(await rig.positions(topic, group)), {})
        second = await rig.join(topic, group)
        await second.until_read(10)
        await second.subscription.ack({0: positions[3].offset})
        await rig.leave(second)
        expect("positions", await rig.positions(topic, group), {0: {0: positions[3].offset}})
        third = await rig.join(topic, group)
        await third.until_read(6)
