"""Where groups begin to read, and that this is stored."""

import asyncio
import time

import pytest

from penstock.plugin import AtOffsets, AtTime, Edge, Group, Start
from penstock_kafka.groups import Groups
from penstock_kafka.groups.offsets import Member
from penstock_kafka.groups.settlement import Settlement
from plugins.kafka.tests.groups.broker import Broker
from plugins.kafka.tests.groups.conftest import Join, OpenGroups
from plugins.kafka.tests.groups.waiting import until


async def test_earliest_is_the_first_record_that_is_kept(
    broker: Broker, topic: str, join: Join
) -> None:
    await broker.publish(topic, {0: range(10), 3: range(10, 20)})
    await broker.delete_records(topic, {0: 4})
    member = await join(Edge.EARLIEST)
    await member.until_read(range(4, 20))
    assert member.of(0) == list(range(4, 10))
    assert not member.gaps


async def test_latest_misses_nothing_that_is_published_after_subscribe_has_returned(
    broker: Broker, topic: str, join: Join
) -> None:
    await broker.publish(topic, dict.fromkeys(range(4), range(100)))
    async with broker.producer() as producer:
        for attempt in range(5):
            member = await join(Edge.LATEST, group=Group(f"{topic}-{attempt}"))
            ids = range(100 + 4 * attempt, 104 + 4 * attempt)
            await asyncio.gather(
                *[
                    await producer.send(topic, str(number).encode(), partition=number % 4)
                    for number in ids
                ]
            )
            await member.until_read(ids)
            assert sorted(member.ids)[: len(ids)] == list(ids)


async def test_latest_is_stored_so_that_a_restart_does_not_skip_a_backlog(
    broker: Broker, topic: str, join: Join, open_groups: OpenGroups
) -> None:
    await broker.publish(topic, {0: range(5)})
    first = await join(Edge.LATEST)
    await first.close()
    await broker.publish(topic, {0: range(5, 9), 1: range(9, 12)})
    second = await join(Edge.LATEST, groups=open_groups())
    await second.until_read(range(5, 12))
    assert sorted(second.ids) == list(range(5, 12))


async def test_a_stored_start_is_no_ack(
    broker: Broker, topic: str, join: Join, groups: Groups, group: Group
) -> None:
    await broker.publish(topic, {0: range(5)})
    await join(Edge.LATEST)
    assert await groups.positions(topic, group.name) == {}


async def test_offsets_are_the_first_that_are_delivered(
    broker: Broker, topic: str, join: Join
) -> None:
    await broker.publish(topic, {0: range(10), 1: range(10, 20), 2: range(20, 30)})
    member = await join(AtOffsets({0: 7, 1: 0, 3: 99}, otherwise=Edge.LATEST))
    await broker.publish(topic, {2: [30], 3: [31]})
    await member.until_read([*range(7, 20), 30, 31])
    assert sorted(member.ids) == [*range(7, 20), 30, 31]


async def test_a_time_is_that_of_the_first_record_that_is_delivered(
    broker: Broker, topic: str, join: Join
) -> None:
    await broker.publish(topic, {0: range(5), 1: range(5, 10)})
    await asyncio.sleep(0.005)
    moment = int(time.time() * 1000)
    await broker.publish(topic, {0: range(10, 15)})
    member = await join(AtTime(moment))
    await broker.publish(topic, {1: [15]})
    await member.until_read(range(10, 16))
    assert sorted(member.ids) == list(range(10, 16))


@pytest.mark.parametrize("start", [AtOffsets({0: 3}), AtTime(0)])
async def test_offsets_and_times_replace_an_edge_when_nobody_is_there(
    broker: Broker, topic: str, join: Join, start: Start
) -> None:
    await broker.publish(topic, {0: range(5)})
    await (await join(Edge.LATEST)).close()
    member = await join(start)
    await member.until_read(range(3, 5))


async def test_offsets_replace_no_edge_while_a_member_is_there(
    broker: Broker, topic: str, join: Join
) -> None:
    await broker.publish(topic, {0: range(5), 1: range(5), 2: range(5), 3: range(5)})
    first = await join(Edge.LATEST)
    second = await join(AtOffsets({}, otherwise=Edge.EARLIEST))
    await second.until_holding(2)
    ids = {at: [100 + at] for at in range(4)}
    await broker.publish(topic, ids)
    await second.until_read(100 + at for at in second.partitions)
    assert all(number >= 100 for number in first.ids + second.ids)


async def test_members_that_join_at_once_begin_in_one_place_and_miss_nothing(
    broker: Broker, topic: str, open_groups: OpenGroups, join: Join
) -> None:
    await broker.publish(topic, dict.fromkeys(range(4), range(10)))
    starts = [Edge.LATEST, Edge.EARLIEST, Edge.LATEST]
    members = await asyncio.gather(*(join(start, groups=open_groups()) for start in starts))
    await broker.publish(topic, {at: [1000 + at] for at in range(4)})
    wanted = {1000 + at for at in range(4)}
    await until(
        lambda: wanted <= {number for member in members for number in member.ids},
        "all read what came after they had joined",
    )
    # Settled once: all partitions are read from their first record, or none is.
    old = [sum(member.of(at).count(0) for member in members) for at in range(4)]
    assert old in ([0] * 4, [1] * 4)


async def test_who_waits_for_another_to_settle_takes_over_when_that_one_leaves(
    topic: str, join: Join, open_groups: OpenGroups, monkeypatch: pytest.MonkeyPatch
) -> None:
    settle = Settlement.settle

    async def never_if_earliest(
        self: Settlement, partitions: int, member: Member, *, alone: bool
    ) -> None:
        if self._start is Edge.EARLIEST:
            await asyncio.Event().wait()
        await settle(self, partitions, member, alone=alone)

    monkeypatch.setattr(Settlement, "settle", never_if_earliest)
    others = open_groups()
    for attempt in range(4):  # chance says which of the two is to settle
        group = Group(f"{topic}-{attempt}")
        stuck = asyncio.create_task(others.subscribe(topic, group, Edge.EARLIEST))
        await asyncio.wait([stuck], timeout=0.3)
        joining = asyncio.ensure_future(join(Edge.LATEST, group=group))
        await asyncio.wait([joining], timeout=0.8)
        stuck.cancel()
        await asyncio.wait([stuck])
        if not stuck.cancelled():
            await stuck.result().close()
        member = await asyncio.wait_for(joining, 10)
        await member.until_holding(4)


async def test_the_topic_is_made_when_nobody_has_made_it(
    broker: Broker, join: Join, group: Group
) -> None:
    topic = f"made-by-{group.name}"
    member = await join(Edge.LATEST, topic=topic)
    await broker.publish(topic, {0: range(3)})
    await member.until_read(range(3))
