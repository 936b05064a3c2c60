"""Acks by members, by anybody else, and what is seen of them."""

import asyncio

import pytest

from penstock.plugin import Edge, Group, PermanentError
from penstock_kafka.groups import Groups
from plugins.kafka.tests.groups.broker import Broker
from plugins.kafka.tests.groups.conftest import Join, OpenGroups
from plugins.kafka.tests.groups.waiting import until
from tests.servers.kafka import KafkaServer

IDS = {at: range(10) for at in range(4)}
TOOL = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"


async def test_a_group_resumes_behind_its_acks(
    broker: Broker, topic: str, join: Join, groups: Groups, group: Group
) -> None:
    await broker.publish(topic, IDS)
    first = await join()
    await first.until_holding(4)
    await first.subscription.ack({0: 9, 1: 4, 2: 0})
    assert await groups.positions(topic, group.name) == {0: {0: 9, 1: 4, 2: 0}}
    await first.close()
    second = await join()
    await until(lambda: len(second.ids) == 5 + 9 + 10, "what was not acked is read")
    assert second.of(1) == [5, 6, 7, 8, 9]


async def test_acks_may_go_down(
    broker: Broker, topic: str, join: Join, groups: Groups, group: Group
) -> None:
    await broker.publish(topic, IDS)
    member = await join()
    await member.until_holding(4)
    for offset in (1, 9, 2):
        await member.subscription.ack({0: offset})
    assert await groups.positions(topic, group.name) == {0: {0: 2}}
    for offset in (8, 3):
        await groups.ack(topic, group, {0: offset})
    assert await groups.positions(topic, group.name) == {0: {0: 3}}


async def test_acks_that_overlap_are_stored_in_the_order_of_asking(
    broker: Broker, topic: str, join: Join, groups: Groups, group: Group
) -> None:
    await broker.publish(topic, IDS)
    member = await join()
    await member.until_holding(4)
    offsets = [5, 9, 1, 7, 3, 8, 2]
    await asyncio.gather(*(member.subscription.ack({0: offset}) for offset in offsets))
    assert await groups.positions(topic, group.name) == {0: {0: 2}}


async def test_anybody_may_ack_for_a_group_without_members(
    broker: Broker, topic: str, join: Join, open_groups: OpenGroups, group: Group
) -> None:
    await broker.publish(topic, IDS)
    await open_groups().ack(topic, group, {0: 6})
    assert await open_groups().positions(topic, group.name) == {0: {0: 6}}
    member = await join(Edge.LATEST)
    await member.until_read([7, 8, 9])
    # It was no start: the other partitions begin where the member says.
    await broker.publish(topic, {1: [10]})
    await member.until_read([10])
    assert member.of(0) == [7, 8, 9]
    assert member.of(1) == [10]


async def test_anybody_may_ack_for_a_group_that_has_members_elsewhere(
    broker: Broker, topic: str, join: Join, open_groups: OpenGroups, group: Group
) -> None:
    await broker.publish(topic, IDS)
    member = await join()
    await member.until_holding(4)
    other = open_groups()
    for offset in (3, 8, 5):
        await other.ack(topic, group, {0: offset, 3: offset})
        assert await other.positions(topic, group.name) == {0: {0: offset, 3: offset}}
    await member.subscription.ack({0: 9})
    assert await other.positions(topic, group.name) == {0: {0: 9, 3: 5}}
    await member.close()
    successor = await join()
    await until(lambda: len(successor.ids) == 0 + 10 + 10 + 4, "what was not acked is read")


async def test_many_acks_of_others_at_once_are_stored_in_the_order_of_asking(
    broker: Broker, topic: str, join: Join, open_groups: OpenGroups, group: Group
) -> None:
    await broker.publish(topic, IDS)
    await (await join()).until_holding(4)
    other = open_groups()
    offsets = [n % 9 for n in range(50)]
    await asyncio.gather(*(other.ack(topic, group, {0: offset}) for offset in offsets))
    assert await other.positions(topic, group.name) == {0: {0: offsets[-1]}}


async def test_an_ack_of_others_that_is_given_up_leaves_those_of_the_rest(
    broker: Broker, topic: str, join: Join, open_groups: OpenGroups, group: Group
) -> None:
    await broker.publish(topic, IDS)
    await (await join()).until_holding(4)
    other = open_groups()
    acks = [asyncio.create_task(other.ack(topic, group, {at: at + 1})) for at in range(4)]
    await asyncio.sleep(0)
    acks[0].cancel()
    acks[3].cancel()
    await asyncio.gather(*acks[1:3])
    await asyncio.wait(acks)
    acked = (await other.positions(topic, group.name))[0]
    assert acked.items() >= {1: 2, 2: 3}.items()


async def test_versions_have_members_and_positions_of_their_own(
    broker: Broker, topic: str, join: Join, groups: Groups, group: Group
) -> None:
    await broker.publish(topic, IDS)
    versions = [Group(group.name, version) for version in (0, 1, 12)]
    members = [await join(group=version) for version in versions]
    for member in members:
        await until(lambda: len(member.ids) == 40, "each reads all")  # noqa: B023
    for offset, (version, member) in enumerate(zip(versions, members, strict=True), 1):
        await member.subscription.ack({0: offset})
        await groups.ack(topic, version, {1: 2 * offset})
    assert await groups.positions(topic, group.name) == {
        0: {0: 1, 1: 2},
        1: {0: 2, 1: 4},
        12: {0: 3, 1: 6},
    }


async def test_positions_are_those_that_the_tools_of_kafka_show(
    kafka: KafkaServer, broker: Broker, topic: str, join: Join, groups: Groups
) -> None:
    await broker.publish(topic, IDS)
    version = Group(f"{topic} of/☃", 3)
    member = await join(group=version)
    await member.until_holding(4)
    await member.subscription.ack({0: 9, 2: 4})
    arguments = ("--describe", "--group", str(version))
    shown = await asyncio.to_thread(kafka.tool, TOOL, *arguments)
    rows = [line.split() for line in shown.splitlines() if topic in line]
    columns = [
        dict(zip(("partition", "offset", "end", "lag"), row[-7:-3], strict=True)) for row in rows
    ]
    assert {int(row["partition"]): int(row["offset"]) for row in columns} == {
        0: 10,
        1: 0,
        2: 5,
        3: 0,
    }
    assert {int(row["partition"]): int(row["lag"]) for row in columns} == {0: 0, 1: 10, 2: 5, 3: 10}
    assert await groups.positions(topic, version.name) == {3: {0: 9, 2: 4}}


async def test_what_the_tools_of_kafka_set_counts_as_acked(
    kafka: KafkaServer, broker: Broker, topic: str, join: Join, groups: Groups
) -> None:
    await broker.publish(topic, IDS)
    group = Group(f"of-{topic}")
    arguments = ("--group", group.name, "--topic", topic, "--reset-offsets", "--execute")
    await asyncio.to_thread(kafka.tool, TOOL, *arguments, "--to-offset", "7")
    assert await groups.positions(topic, group.name) == {0: dict.fromkeys(range(4), 6)}
    member = await join(group=group)
    await until(lambda: len(member.ids) == 12, "the last three of each are read")
    assert member.of(2) == [7, 8, 9]


async def test_a_group_or_topic_that_nobody_has_used_has_no_positions(
    broker: Broker, topic: str, groups: Groups, group: Group
) -> None:
    assert await groups.positions(topic, group.name) == {}
    nowhere = f"nowhere-{group.name}"
    assert await groups.positions(nowhere, group.name) == {}
    # Nor is the topic made by asking.
    await broker.make(nowhere, 1)


@pytest.mark.parametrize(
    ("positions", "words"),
    [({4: 1}, "has no partition 4: expected 0 to 3"), ({0: 2**63 - 1}, "is larger than Kafka's")],
)
async def test_an_ack_of_what_cannot_be_is_refused(
    topic: str, groups: Groups, group: Group, positions: dict[int, int], words: str
) -> None:
    with pytest.raises(PermanentError, match=words):
        await groups.ack(topic, group, positions)


async def test_the_largest_offset_can_be_acked(topic: str, groups: Groups, group: Group) -> None:
    await groups.ack(topic, group, {0: 2**63 - 2})
    assert await groups.positions(topic, group.name) == {0: {0: 2**63 - 2}}


@pytest.mark.parametrize("name", ["a b/c", "snö-☃", "x" * 200, "line\nbreak", "-v1", "a.*", "x-v3"])
async def test_a_group_may_have_any_name(
    broker: Broker, topic: str, join: Join, groups: Groups, name: str
) -> None:
    odd = Group(f"{topic}{name}")
    await broker.publish(topic, IDS)
    member = await join(group=odd)
    await until(lambda: len(member.ids) == 40, "all is read")
    await member.ack_all()
    await groups.ack(topic, odd, {0: 3})
    assert await groups.positions(topic, odd.name) == {0: {0: 3, 1: 9, 2: 9, 3: 9}}


@pytest.mark.parametrize("name", ["", "x" * 40_000, "\ud800"])
async def test_a_group_that_cannot_be_is_refused(topic: str, groups: Groups, name: str) -> None:
    with pytest.raises(PermanentError, match="group: expected"):
        await groups.subscribe(topic, Group(name), Edge.EARLIEST)
    with pytest.raises(PermanentError, match="group: expected"):
        await groups.ack(topic, Group(name), {0: 1})
