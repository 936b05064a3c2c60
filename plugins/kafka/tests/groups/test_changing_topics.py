"""Topics that grow, lose records, or are deleted and made anew, while they are read."""

import asyncio

import pytest

from penstock.plugin import AtOffsets, Edge, Group
from plugins.kafka.tests.groups.broker import Broker
from plugins.kafka.tests.groups.conftest import Join, OpenGroups
from plugins.kafka.tests.groups.waiting import until


async def test_the_first_records_of_new_partitions_are_not_missed(
    broker: Broker, topic: str, join: Join, open_groups: OpenGroups
) -> None:
    members = [await join(Edge.LATEST, groups=open_groups()) for _ in range(2)]
    await broker.grow(topic, 7)
    await broker.publish(topic, {at: range(10 * at, 10 * at + 10) for at in range(7)})
    await until(
        lambda: {one for member in members for one in member.ids} == set(range(70)), "all is read"
    )
    await until(lambda: {len(one.partitions) for one in members} == {3, 4}, "they are shared")


async def test_new_partitions_are_read_from_their_first_record_by_who_comes_later(
    broker: Broker, topic: str, join: Join
) -> None:
    await broker.publish(topic, {0: range(5)})
    await (await join(Edge.LATEST)).close()
    await broker.grow(topic, 6)
    await broker.publish(topic, {4: range(10, 15)})
    member = await join(Edge.LATEST)
    await member.until_read(range(10, 15))
    assert member.of(0) == []


async def test_a_position_that_has_expired_is_told_once(
    broker: Broker, topic: str, join: Join
) -> None:
    await broker.publish(topic, {0: range(20)})
    first = await join()
    await first.until_read(range(20))
    await first.subscription.ack({0: 4})
    await first.close()
    await broker.delete_records(topic, {0: 12})
    second = await join()
    await second.until_read(range(12, 20))
    (gap,) = second.gaps
    assert (gap.partition, gap.wanted, gap.earliest) == (0, 5, 12)
    assert second.of(0) == list(range(12, 20))
    await broker.publish(topic, {0: [20]})
    await second.until_read([20])
    assert second.gaps == [gap]


async def test_all_that_was_left_has_expired(broker: Broker, topic: str, join: Join) -> None:
    await broker.publish(topic, {0: range(20)})
    await (await join(AtOffsets({0: 3}))).close()
    await broker.delete_records(topic, {0: 20})
    member = await join()
    await until(lambda: member.gaps, "it is told of the gap")
    await broker.publish(topic, {0: [20]})
    await member.until_read([20])
    assert member.of(0) == [20]
    assert [(gap.wanted, gap.earliest) for gap in member.gaps] == [(3, 20)]


@pytest.mark.parametrize("start", list(Edge))
async def test_a_topic_that_is_made_anew_is_read_from_its_first_record(
    broker: Broker, topic: str, join: Join, start: Edge
) -> None:
    first = await join(start, acks=True)
    await broker.publish(topic, {at: range(50) for at in range(4)})
    await until(lambda: len(first.ids) == 200, "all is read")
    await broker.delete(topic)
    await broker.make(topic, 4)
    await broker.publish(topic, {at: range(100, 110) for at in range(4)})
    lost = await first.until_lost()
    assert "deleted" in str(lost)
    await first.close()
    second = await join(start)
    await until(lambda: len(second.ids) == 40, "all that is in it is read")
    assert [second.of(at) for at in range(4)] == [list(range(100, 110))] * 4


async def test_a_late_ack_does_not_hide_what_is_in_a_topic_that_is_made_anew(
    broker: Broker, topic: str, join: Join, open_groups: OpenGroups, group: Group
) -> None:
    """The new topic is longer than the old one was when it is noticed."""
    member = await join(Edge.LATEST)
    await broker.publish(topic, {0: range(50)})
    await member.until_read(range(50))
    await broker.delete(topic)
    await broker.make(topic, 4)
    await member.subscription.ack({0: 40})
    await broker.publish(topic, {0: range(100, 200)})
    await member.until_lost()
    # What is still being done is of the old topic.
    await member.subscription.ack({0: 49})
    await member.close()
    assert await open_groups().positions(topic, group.name) == {}
    second = await join(Edge.LATEST)
    await second.until_read(range(100, 200))
    assert second.of(0) == list(range(100, 200))


async def test_a_topic_that_is_deleted_ends_the_subscription_and_is_made_by_the_next(
    broker: Broker, topic: str, join: Join
) -> None:
    member = await join(Edge.LATEST)
    await member.until_holding(4)
    await broker.delete(topic)
    assert "deleted" in str(await member.until_lost())
    await member.close()
    again = await join(Edge.LATEST)
    await broker.publish(topic, {0: [1]})
    await again.until_read([1])


async def test_members_notice_a_new_topic_each_for_itself_and_miss_nothing(
    broker: Broker, topic: str, join: Join, open_groups: OpenGroups
) -> None:
    groups = [open_groups(), open_groups()]
    members = [await join(Edge.LATEST, groups=one, acks=True) for one in groups]
    await broker.publish(topic, {at: range(20) for at in range(4)})
    await until(lambda: sum(len(one.ids) for one in members) >= 80, "all is read")
    await broker.delete(topic)
    await broker.make(topic, 4)
    publishing = asyncio.create_task(
        broker.publish(topic, {at: range(100, 400) for at in range(4)})
    )
    for member in members:
        await member.until_lost()
        await member.close()
    again = [await join(Edge.LATEST, groups=one) for one in groups]
    await publishing
    for at in range(4):
        await until(
            lambda: set(range(100, 400)) <= {one for member in again for one in member.of(at)},  # noqa: B023
            f"all of partition {at} is read",
        )
