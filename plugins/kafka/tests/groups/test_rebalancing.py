"""Members come and go: partitions move in two steps, and nobody else is held up."""

import asyncio

from penstock.plugin import Edge, Group
from penstock_kafka.groups import Groups
from plugins.kafka.tests.groups.broker import Broker, store
from plugins.kafka.tests.groups.conftest import Join, OpenGroups
from plugins.kafka.tests.groups.waiting import until


async def test_members_share_the_partitions(join: Join, open_groups: OpenGroups) -> None:
    first = await join()
    await first.until_holding(4)
    second = await join(groups=open_groups())
    await second.until_holding(2)
    await first.until_holding(2)
    assert first.partitions | second.partitions == {0, 1, 2, 3}
    third = await join(groups=open_groups())
    await third.until_holding(1)
    assert len(first.partitions) + len(second.partitions) == 3


async def test_who_is_one_too_many_waits_and_takes_over(
    join: Join, open_groups: OpenGroups
) -> None:
    members = [await join(groups=open_groups()) for _ in range(5)]
    await until(
        lambda: sorted(len(one.partitions) for one in members) == [0, 1, 1, 1, 1],
        "four have one each",
    )
    (spare,) = (one for one in members if not one.partitions)
    leaver = next(one for one in members if one.partitions)
    left = set(leaver.partitions)
    await leaver.close()
    await spare.until_holding(1)
    assert spare.partitions == left


async def test_what_stays_with_a_member_is_not_touched(
    broker: Broker, topic: str, join: Join, open_groups: OpenGroups
) -> None:
    first = await join()
    await first.until_holding(4)
    second = await join(groups=open_groups())
    await second.until_holding(2)
    await second.close()
    await first.until_holding(4)
    assert [sorted(event.partitions) for event in first.events] == [
        [0, 1, 2, 3],
        sorted(first.revocations[0].partitions),
        sorted(first.revocations[0].partitions),
    ]
    await broker.publish(topic, {at: [at] for at in range(4)})
    await first.until_read(range(4))


async def test_reading_goes_on_during_a_rebalance(
    broker: Broker, topic: str, join: Join, open_groups: OpenGroups
) -> None:
    first = await join(releases=False)
    await first.until_holding(4)
    second = await join(groups=open_groups())
    await until(lambda: first.revocations, "the first is told to give up two")
    # They are with nobody now, and the others are read as before.
    ids = {at: [at] for at in range(4)}
    await broker.publish(topic, ids)
    await first.until_read(first.partitions)
    assert second.partitions == set()
    await first.give_up(first.revocations[0].partitions)
    await second.until_holding(2)
    await second.until_read(second.partitions)
    assert sorted(first.ids + second.ids) == [0, 1, 2, 3]


async def test_the_next_reader_starts_behind_what_was_acked_in_the_grace(
    broker: Broker, topic: str, join: Join, open_groups: OpenGroups
) -> None:
    await broker.publish(topic, {at: range(10) for at in range(4)})
    first = await join(releases=False)
    await until(lambda: len(first.ids) == 40, "all is read")
    second = await join(groups=open_groups())
    await until(lambda: first.revocations, "the first is told to give up two")
    (revoked,) = first.revocations
    assert revoked.grace > 0
    await first.subscription.ack(dict.fromkeys(revoked.partitions, 6))
    await first.subscription.release(revoked.partitions)
    await second.until_holding(2)
    await until(lambda: len(second.ids) == 6, "what was not acked is read again")
    assert [second.of(at) for at in sorted(second.partitions)] == [[7, 8, 9]] * 2


async def test_reads_of_what_is_revoked_have_ended(join: Join, open_groups: OpenGroups) -> None:
    first = await join(releases=False)
    await first.until_holding(4)
    await join(groups=open_groups())
    await until(lambda: first.revocations, "the first is told to give up two")
    for partition in first.revocations[0].partitions:
        assert await asyncio.wait_for(first.subscription.read(partition, 10), 1) == ()


async def test_after_the_grace_the_partition_goes_on_without_a_release(
    broker: Broker, topic: str, join: Join, open_groups: OpenGroups
) -> None:
    await broker.publish(topic, {at: range(3) for at in range(4)})
    first = await join(groups=open_groups(grace=0.5), releases=False)
    await until(lambda: len(first.ids) == 12, "all is read")
    second = await join(groups=open_groups())
    await second.until_holding(2)
    await second.subscription.ack(dict.fromkeys(second.partitions, 2))
    # Too late: it is somebody else's now.
    await first.subscription.ack(dict.fromkeys(second.partitions, 0))
    await first.subscription.release(second.partitions)
    await second.close()
    await first.until_holding(4)
    assert first.ids.count(1) == 4


async def test_what_was_revoked_can_come_back_only_after_it_was_released(
    join: Join, open_groups: OpenGroups
) -> None:
    first = await join(releases=False)
    await first.until_holding(4)
    second = await join(groups=open_groups())
    await until(lambda: first.revocations, "the first is told to give up two")
    await second.close()
    third = await join(groups=open_groups())
    (revoked,) = first.revocations
    await third.close()
    await first.give_up(revoked.partitions)
    await first.until_holding(4)


async def test_acks_during_rebalances_are_stored(
    broker: Broker, topic: str, join: Join, open_groups: OpenGroups, group: Group
) -> None:
    """Under load, with a member that comes and goes: nothing is acked that is not stored."""
    publishing = True

    async def publish() -> int:
        count = 0
        async with broker.producer() as producer:
            while publishing:
                for at in range(4):
                    await store(producer, topic, at, range(count, count + 20))
                count += 20
        return count

    load = asyncio.create_task(publish())
    first = await join(acks=True)
    members = [first]
    for _ in range(4):
        other = await join(groups=open_groups(), acks=True)
        members.append(other)
        await other.until_holding(2)
        seen = len(other.ids)
        await until(lambda: len(other.ids) > seen, "it reads")  # noqa: B023
        await other.close()
        await first.until_holding(4)
    publishing = False
    count = await load

    async def all_is_acked() -> bool:
        acked = await open_groups().positions(topic, group.name)
        return acked.get(0) == dict.fromkeys(range(4), count - 1)

    await until(all_is_acked, "all is acked")
    for at in range(4):
        assert {number for one in members for number in one.of(at)} == set(range(count))
    assert not first.troubles


async def test_two_topics_in_one_group_are_shared_each_for_itself(
    broker: Broker, topic: str, join: Join, open_groups: OpenGroups
) -> None:
    other_topic = f"{topic}-other"
    await broker.make(other_topic, 3)
    await broker.publish(topic, {at: [at] for at in range(4)})
    await broker.publish(other_topic, {at: [10 + at] for at in range(3)})
    on_one = await join()
    on_other = await join(groups=open_groups(), topic=other_topic)
    await on_one.until_read(range(4))
    await on_other.until_read(range(10, 13))
    assert len(on_one.partitions) == 4
    assert len(on_other.partitions) == 3
    second = await join(groups=open_groups(), topic=other_topic)
    await second.until_holding(1)
    assert not on_one.revocations


async def test_leaving_hands_partitions_on_at_once(join: Join, open_groups: OpenGroups) -> None:
    first = await join()
    second = await join(groups=open_groups())
    await second.until_holding(2)
    now = asyncio.get_running_loop().time
    left = now()
    await first.close()
    await second.until_holding(4)
    assert now() - left < 3, "well within the session"


async def test_leaving_while_others_join_is_quick(join: Join, open_groups: OpenGroups) -> None:
    first = await join(releases=False)
    joining = [asyncio.ensure_future(join(groups=open_groups())) for _ in range(2)]
    await until(lambda: first.revocations, "a rebalance is under way")
    now = asyncio.get_running_loop().time
    left = now()
    await first.close()
    members = await asyncio.gather(*joining)
    await until(lambda: sum(len(one.partitions) for one in members) == 4, "the others have all")
    assert now() - left < 4


async def test_a_subscription_that_is_closed_says_so(join: Join) -> None:
    member = await join()
    await member.until_holding(4)
    waiting = asyncio.create_task(member.subscription.read(0, 1))
    await member.subscription.close()
    assert await asyncio.wait_for(waiting, 1) == ()
    lost = await member.until_lost()
    assert "closed" in str(lost)
    await member.subscription.close()
    assert await member.subscription.read(0, 1) == ()
    await member.subscription.ack({0: 5})
    await member.subscription.release({0})


async def test_subscribing_that_is_given_up_leaves_nothing(
    groups: Groups, topic: str, group: Group
) -> None:
    for attempt in range(60):
        subscribing = asyncio.create_task(groups.subscribe(topic, group, Edge.EARLIEST))
        await asyncio.wait([subscribing], timeout=0.001 * attempt)
        subscribing.cancel()
        await asyncio.wait([subscribing])
        if not subscribing.cancelled():
            await (await subscribing).close()
