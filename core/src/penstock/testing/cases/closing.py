"""Closing a subscription."""

import asyncio

from penstock.plugin import Subscription, TemporaryError
from penstock.testing.expectation import expect, refused
from penstock.testing.filling import numbers
from penstock.testing.promise import Chapter, promise
from penstock.testing.rig import Rig


class Closing(Chapter):
    """`Subscription.close`."""

    title = "closing"

    @promise(Subscription.close, "Pending reads return nothing.")
    async def test_pending_reads_return_nothing(self, rig: Rig) -> None:
        subscription = await rig.subscribe_one(await rig.topic())
        reading = asyncio.create_task(subscription.read(0, 10))
        await rig.settle()
        await subscription.close()
        expect("records of a read that was pending", list(await reading), [])

    @promise(Subscription.close, "safe to call twice.")
    async def test_it_may_be_closed_twice(self, rig: Rig) -> None:
        topic, group = await rig.topic(), rig.group()
        await rig.publish(topic, numbers(3))
        subscription = await rig.subscribe_one(topic, group)
        await subscription.close()
        other = await rig.join(topic, group)
        await other.until_holding(1)
        await subscription.close()
        await other.until_read(3)

    @promise(Subscription, "Cancelling any of them is safe")
    async def test_a_close_that_was_cancelled_is_ended_by_the_next(self, rig: Rig) -> None:
        for turns in range(4):
            topic, group = await rig.topic(), rig.group()
            subscription = await rig.subscribe_one(topic, group)
            closing = asyncio.create_task(subscription.close())
            for _ in range(turns):  # so that it meets every point at which it may be
                await asyncio.sleep(0)
            closing.cancel()
            await asyncio.wait({closing})
            await subscription.close()
            other = await rig.join(topic, group)
            await other.until_holding(1)
            await rig.leave(other)

    @promise(
        Subscription.next_event,
        "Called in a loop for as long as the subscription is open.",
    )
    async def test_a_wait_for_events_ends(self, rig: Rig) -> None:
        subscription = await rig.subscribe_one(await rig.topic())
        waiting = asyncio.create_task(subscription.next_event())
        await rig.settle()
        await subscription.close()
        with refused(TemporaryError, "the wait for events of a subscription that was closed"):
            await waiting

    @promise(
        Subscription.read,
        "Records in ascending offset; none: the partition is no longer assigned.",
    )
    async def test_nothing_is_read_afterwards(self, rig: Rig) -> None:
        topic = await rig.topic()
        await rig.publish(topic, numbers(3))
        subscription = await rig.subscribe_one(topic)
        await subscription.close()
        expect("records after the end", list(await subscription.read(0, 10)), [])

    @promise(Subscription.close, "Leave the group at once")
    async def test_its_partitions_are_handed_on(self, rig: Rig) -> None:
        topic, group = await rig.topic(), rig.group()
        await rig.publish(topic, numbers(10))
        first = await rig.subscribe_one(topic, group)
        await first.read(0, 10)
        await first.close()
        second = await rig.join(topic, group)
        await second.until_read(10)
