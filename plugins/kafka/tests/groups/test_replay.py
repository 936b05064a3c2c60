"""Records that the group had acked are marked when they are read again."""

from penstock.plugin import AtOffsets, Group
from penstock_kafka.groups import Groups
from plugins.kafka.tests.groups.broker import Broker
from plugins.kafka.tests.groups.conftest import Join, OpenGroups
from plugins.kafka.tests.groups.reading_member import ReadingMember
from plugins.kafka.tests.groups.waiting import until

AGAIN = AtOffsets({0: 0})


def replayed(member: ReadingMember) -> list[int]:
    """The offsets of partition 0 that were marked."""
    return [record.offset for record in member.records[0] if record.replay]


async def test_what_another_version_has_acked_is_marked(
    broker: Broker, topic: str, join: Join, open_groups: OpenGroups, group: Group
) -> None:
    await broker.publish(topic, {0: range(10)})
    first = await join()
    await first.until_read(range(10))
    assert replayed(first) == []
    await first.subscription.ack({0: 3})
    await open_groups().ack(topic, Group(group.name, 7), {0: 5})
    second = await join(AGAIN, group=Group(group.name, 2))
    await second.until_read(range(10))
    assert replayed(second) == [0, 1, 2, 3, 4, 5]


async def test_an_ack_by_this_process_is_known_at_once(
    broker: Broker, topic: str, join: Join, groups: Groups, group: Group
) -> None:
    await broker.publish(topic, {0: range(10)})
    member = await join(AGAIN, group=Group(group.name, 1), ignores=[0])
    await member.until_holding(4)
    await groups.ack(topic, group, {0: 6})
    member.heed(0)
    await member.until_read(range(10))
    assert replayed(member) == list(range(7))


async def test_an_ack_by_another_process_is_known_within_a_second_or_two(
    broker: Broker, topic: str, join: Join, open_groups: OpenGroups, group: Group
) -> None:
    await broker.publish(topic, {0: range(10)})
    member = await join(AGAIN, group=Group(group.name, 1))
    await member.until_read(range(10))
    other = open_groups()
    await other.ack(topic, group, {0: 1_000_000})
    published = 10

    async def is_marked() -> bool:
        nonlocal published
        await broker.publish(topic, {0: [published]})
        await member.until_read([published])
        published += 1
        return bool(replayed(member))

    await until(is_marked, "a record is marked", patience=2.5)


async def test_records_beyond_the_ack_are_not_marked_when_it_goes_down(
    broker: Broker, topic: str, join: Join, group: Group, open_groups: OpenGroups
) -> None:
    await broker.publish(topic, {0: range(10)})
    groups = open_groups()
    await groups.ack(topic, group, {0: 8})
    await groups.ack(topic, group, {0: 2})
    member = await join(AGAIN, group=Group(group.name, 1))
    await member.until_read(range(10))
    assert replayed(member) == [0, 1, 2]
