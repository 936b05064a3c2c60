"""Groups: members on one partition, and several groups on one topic."""

import asyncio

from penstock.plugin import Assigned, PubSub, Subscription
from penstock.testing.expectation import expect, expect_that
from penstock.testing.filling import numbers
from penstock.testing.promise import Chapter, promise
from penstock.testing.rig import Rig


class Groups(Chapter):
    """`Subscription.next_event`, with one partition."""

    title = "groups"

    @promise(
        Subscription.next_event,
        "Wait for the next assignment or revocation, in the order in which they happened.",
    )
    async def test_the_only_member_is_assigned_what_there_is(self, rig: Rig) -> None:
        subscription = await rig.subscribe_one(await rig.topic())
        waiting = asyncio.create_task(subscription.next_event())
        await rig.settle()
        expect("a second event, without a reason", waiting.done(), expected=False)
        waiting.cancel()

    @promise(PubSub.subscribe, "Join a group as a new member.")
    async def test_groups_read_each_for_itself(self, rig: Rig) -> None:
        topic = await rig.topic()
        groups = [rig.group() for _ in range(3)]
        one, other, idle = [await rig.join(topic, group) for group in groups]
        positions = await rig.publish(topic, numbers(10))
        await one.until_read(10)
        await one.subscription.ack({0: positions[8].offset})
        await other.until_read(10)
        await other.subscription.ack({0: positions[2].offset})
        await idle.until_read(10)
        expect(
            "positions of three groups",
            [dict(await rig.positions(topic, group)) for group in groups],
            [{0: {0: positions[8].offset}}, {0: {0: positions[2].offset}}, {}],
        )
        for member in (one, other):
            await rig.leave(member)
        await (await rig.join(topic, groups[0])).until_read(1)
        await (await rig.join(topic, groups[1])).until_read(7)

    @promise(Subscription, "A member of a group on one topic.")
    async def test_members_of_one_group_do_not_read_the_same(self, rig: Rig) -> None:
        topic, group = await rig.topic(), rig.group()
        members = [await rig.join(topic, group, acks=True) for _ in range(2)]
        for number in range(20):
            await rig.publish(topic, numbers(1, start=number))
            await members[0].until(
                lambda: len({*members[0].payloads, *members[1].payloads}) > number,  # noqa: B023
                "one of two members reads what is published",
            )
        read = sum(member.count for member in members)
        # Where the partition has moved to the other in the meantime, a few are read again.
        expect_that(read <= 25, "how many of 20 records two members read", read, "about 20")

    @promise(Subscription.close, "Leave the group at once")
    async def test_who_waits_takes_over_behind_the_ack_of_who_leaves(self, rig: Rig) -> None:
        topic, group = await rig.topic(), rig.group()
        members = [await rig.join(topic, group) for _ in range(2)]
        await rig.publish(topic, numbers(10))
        await members[0].until(
            lambda: any(one.partitions and b"9" in one.payloads for one in members),
            "one of two members reads ten records",
        )
        [reader] = [member for member in members if member.partitions]
        [waiting] = [member for member in members if member is not reader]
        before = waiting.count
        await reader.ack_all()
        await rig.leave(reader)
        await waiting.until_holding(1)
        await rig.publish(topic, numbers(5, start=10))
        await waiting.until(lambda: waiting.count >= before + 5, f"{waiting.name} reads on")
        expected = [b"10", b"11", b"12", b"13", b"14"]
        expect("payloads as read by who took over", waiting.payloads[before:], expected)

    @promise(Subscription, "Cancelling any of them is safe: no event and no record is lost by it.")
    async def test_a_wait_for_events_that_is_cancelled_loses_none(self, rig: Rig) -> None:
        for turns in range(3):
            topic, group = await rig.topic(), rig.group()
            first = await rig.join(topic, group)
            await first.until_holding(1)
            second = await rig.subscribe(topic, group)
            waiting = asyncio.create_task(second.next_event())
            leaving = asyncio.create_task(rig.leave(first))
            await asyncio.wait({waiting, leaving}, return_when=asyncio.FIRST_COMPLETED)
            for _ in range(turns):  # so that it meets every point at which the wait may be
                await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.wait({waiting})
            event = await second.next_event() if waiting.cancelled() else waiting.result()
            expect("the event after a wait was cancelled", event, Assigned(frozenset({0})))
            await leaving

    @promise(Subscription.release, "a partition that is not being revoked is ignored.")
    async def test_a_release_of_what_is_not_revoked_is_ignored(self, rig: Rig) -> None:
        topic = await rig.topic()
        member = await rig.join(topic)
        await member.until_holding(1)
        await member.subscription.release({0, 9})
        await rig.publish(topic, numbers(10))
        await member.until_read(10)
        await member.ack_all()

    @promise(
        PubSub.subscribe,
        "member: A name that the member keeps when its process starts again, unique within the "
        "group and the topic",
    )
    async def test_a_member_with_a_name_reads_on_when_it_comes_again(self, rig: Rig) -> None:
        topic, group = await rig.topic(), rig.group()
        await rig.publish(topic, numbers(10))
        first = await rig.join(topic, group, name="one")
        await first.until_read(10)
        await first.ack_all()
        await rig.leave(first)
        await rig.publish(topic, numbers(5, start=10))
        again = await rig.join(topic, group, name="one")
        await again.until_read(5)
        expect("the first payload as read", again.payloads[0], b"10")
