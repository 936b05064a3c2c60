"""Members with a name that outlives their process."""

import asyncio

import pytest

from penstock_kafka.groups.membership import SESSION_SECONDS
from plugins.kafka.tests.groups.broker import Broker
from plugins.kafka.tests.groups.conftest import Join, OpenGroups, StartMember
from plugins.kafka.tests.groups.waiting import until


async def test_a_killed_member_that_comes_back_has_its_partitions_at_once(
    broker: Broker, topic: str, join: Join, start_member: StartMember
) -> None:
    other = await join(member="other")
    process = await start_member("one")
    await process.until_holding(2)
    await other.until_holding(2)
    had, told = process.partitions, list(other.events)
    await process.kill()
    now = asyncio.get_running_loop().time
    killed = now()
    again = await start_member("one")
    await again.until_holding(2)
    assert now() - killed < SESSION_SECONDS / 2
    assert again.partitions == had
    await broker.publish(topic, {at: [at] for at in range(4)})
    for at in had:
        await again.until_read(at, 0)
    assert other.events == told, "the partitions of others have not moved"


async def test_one_that_does_not_come_back_loses_them_when_its_session_ends(
    join: Join, start_member: StartMember
) -> None:
    other = await join(member="other")
    process = await start_member("one")
    await process.until_holding(2)
    await process.kill()
    await other.until_holding(4, patience=SESSION_SECONDS + 15)


async def test_one_that_leaves_hands_them_on_at_once(join: Join, open_groups: OpenGroups) -> None:
    first = await join(member="first")
    second = await join(member="second", groups=open_groups())
    await second.until_holding(2)
    now = asyncio.get_running_loop().time
    left = now()
    await first.close()
    await second.until_holding(4)
    assert now() - left < SESSION_SECONDS / 2


async def test_what_it_had_to_give_up_when_it_was_killed_is_handed_on(
    join: Join, open_groups: OpenGroups, start_member: StartMember
) -> None:
    process = await start_member("one")
    await process.until_holding(4)
    process.freeze()
    other = asyncio.ensure_future(join(member="other", groups=open_groups()))
    await process.kill()
    again = await start_member("one")
    await (await other).until_holding(2, patience=SESSION_SECONDS + 15)
    await again.until_holding(2, patience=SESSION_SECONDS + 15)


async def test_one_whose_name_is_taken_is_out_and_does_not_take_it_back(
    join: Join, open_groups: OpenGroups
) -> None:
    first = await join(member="one")
    await first.until_holding(4)
    second = await join(member="one", groups=open_groups())
    lost = await first.until_lost()
    assert 'somebody else has taken the name "one"' in str(lost)
    await second.until_holding(4)
    await first.close()
    third = await join(groups=open_groups())
    await third.until_holding(2)
    assert not second.lost


@pytest.mark.parametrize("name", ["a b/c", "snö-☃", "x" * 300, "..", "pod-0.svc"])
async def test_a_name_may_be_any_text(broker: Broker, topic: str, join: Join, name: str) -> None:
    member = await join(member=name)
    await broker.publish(topic, {0: [1]})
    await member.until_read([1])
    await until(lambda: len(member.partitions) == 4, "it has all")
