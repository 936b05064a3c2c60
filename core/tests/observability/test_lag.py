"""The lag of groups on a real gateway: what was published and is not acked."""

import asyncio
from collections.abc import AsyncIterator, Mapping

import pytest

from penstock.observability import lag as lag_module
from penstock.observability.lag import LagWatch
from penstock.plugin import (
    AtOffsets,
    Edge,
    Group,
    Message,
    NotReady,
    PositionExpired,
    Retention,
    Start,
    StreamSettings,
    Subscription,
)
from penstock_inmemory import InMemoryGateway

GROUP = Group("readers")


class Counting(InMemoryGateway):
    """Counts the questions, and does not answer all of them."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.away = False
        self.silent = asyncio.Event()
        self.silent.set()

    async def end_positions(self, topic: str) -> Mapping[int, int]:
        self.asked.append(topic)
        await self.silent.wait()
        if self.away:
            raise NotReady("away")
        return await super().end_positions(topic)


@pytest.fixture
async def gateway() -> AsyncIterator[Counting]:
    async with Counting() as gateway:
        yield gateway


@pytest.fixture
async def watch() -> AsyncIterator[LagWatch]:
    watch = LagWatch(interval=0)
    yield watch
    await watch.close()


async def make(
    gateway: InMemoryGateway, name: str = "in", partitions: int = 1, keep: int | None = None
) -> str:
    retention = Retention(messages=keep)
    settings = StreamSettings("default", name, partitions=partitions, retention=retention)
    return (await gateway.provision(settings)).topic


async def publish(gateway: InMemoryGateway, topic: str, count: int) -> None:
    await gateway.publish(topic, [Message(b"x")] * count)


async def join(
    gateway: InMemoryGateway, watch: LagWatch, topic: str, start: Start, group: Group = GROUP
) -> Subscription:
    """A member that the watch knows of, but of which it sees nothing."""
    member = await gateway.subscribe(topic, group, start)
    await watch.join(gateway, topic, group, start)
    return member


async def lags(watch: LagWatch, group: Group = GROUP) -> dict[int, int]:
    """The lag of a group by partition, measured now."""
    await watch.refresh()
    return {one.partition: one.messages for one in watch.lags if one.followed.group == group}


async def test_it_is_what_was_published_and_not_acked(gateway: Counting, watch: LagWatch) -> None:
    topic = await make(gateway, partitions=2)
    member = await join(gateway, watch, topic, Edge.EARLIEST)
    assert await lags(watch) == {}
    await publish(gateway, topic, 20)
    assert await lags(watch) == {0: 10, 1: 10}
    await member.next_event()
    await member.ack({0: 0})
    assert await lags(watch) == {0: 9, 1: 10}
    await gateway.ack(topic, GROUP, {0: 9, 1: 5})
    assert await lags(watch) == {0: 0, 1: 4}
    await publish(gateway, topic, 2)
    assert await lags(watch) == {0: 1, 1: 5}


async def test_a_group_from_the_latest_has_acked_nothing_and_begins_there(
    gateway: Counting, watch: LagWatch
) -> None:
    topic = await make(gateway)
    await publish(gateway, topic, 10)
    await join(gateway, watch, topic, Edge.LATEST)
    assert await lags(watch) == {0: 0}
    await publish(gateway, topic, 3)
    assert await lags(watch) == {0: 3}


async def test_offsets_are_where_a_group_begins(gateway: Counting, watch: LagWatch) -> None:
    topic = await make(gateway)
    await publish(gateway, topic, 10)
    await join(gateway, watch, topic, AtOffsets({0: 6}))
    assert await lags(watch) == {0: 4}


async def test_after_retention_it_is_still_what_was_published_and_not_acked(
    gateway: Counting, watch: LagWatch
) -> None:
    topic = await make(gateway, keep=5)
    await publish(gateway, topic, 5)
    await join(gateway, watch, topic, Edge.EARLIEST)
    await gateway.ack(topic, GROUP, {0: 3})
    await publish(gateway, topic, 4)
    assert await lags(watch) == {0: 5}


async def test_what_was_gone_before_it_was_read_does_not_count(
    gateway: Counting, watch: LagWatch
) -> None:
    topic = await make(gateway, keep=5)
    member = await gateway.subscribe(topic, GROUP, Edge.EARLIEST)
    followed = await watch.join(gateway, topic, GROUP, Edge.EARLIEST)
    await publish(gateway, topic, 12)
    await member.next_event()
    with pytest.raises(PositionExpired) as gap:
        await member.read(0, 1)
    followed.progress.gone(0, gap.value.earliest)
    assert await lags(watch) == {0: 5}


async def test_versions_of_a_group_are_apart(gateway: Counting, watch: LagWatch) -> None:
    topic = await make(gateway)
    await publish(gateway, topic, 10)
    for version, acked in ((1, 2), (2, 7)):
        group = Group("readers", version)
        await join(gateway, watch, topic, Edge.EARLIEST, group)
        await gateway.ack(topic, group, {0: acked})
    assert await lags(watch, Group("readers", 1)) == {0: 7}
    assert await lags(watch, Group("readers", 2)) == {0: 2}


async def test_only_what_is_held_here_counts_where_others_hold_the_rest(gateway: Counting) -> None:
    watch = LagWatch(held=True, interval=0)
    topic = await make(gateway, partitions=2)
    await publish(gateway, topic, 20)
    await join(gateway, watch, topic, Edge.EARLIEST)
    assert await lags(watch) == {}
    followed = watch.follow(gateway, topic, GROUP)
    followed.progress.assigned([1])
    assert await lags(watch) == {1: 10}


async def test_a_gateway_is_asked_once_in_an_interval(gateway: Counting) -> None:
    watch = LagWatch(interval=60)
    topic = await make(gateway)
    await join(gateway, watch, topic, Edge.EARLIEST)
    await join(gateway, watch, topic, Edge.EARLIEST, Group("others"))
    await asyncio.gather(watch.refresh(), watch.refresh())
    await watch.refresh()
    assert gateway.asked == [topic]


async def test_a_gateway_that_is_away_is_left_out_and_the_others_are_not(
    gateway: Counting, watch: LagWatch
) -> None:
    async with InMemoryGateway() as other:
        for one, group in ((gateway, GROUP), (other, Group("others"))):
            await publish(one, "topic", 1)
            await join(one, watch, "topic", Edge.EARLIEST, group)
        gateway.away = True
        assert await lags(watch) == {}
        assert await lags(watch, Group("others")) == {0: 1}
        gateway.away = False
        assert await lags(watch) == {0: 1}


async def test_whoever_asks_does_not_wait_for_a_gateway_that_is_slow(
    gateway: Counting, watch: LagWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lag_module, "_SCRAPE_SECONDS", 0.05)
    topic = await make(gateway)
    await join(gateway, watch, topic, Edge.EARLIEST)
    await publish(gateway, topic, 2)
    assert await lags(watch) == {0: 2}
    gateway.silent.clear()
    await publish(gateway, topic, 1)
    async with asyncio.timeout(10):
        # The last answer is better than none, and the question goes on.
        assert await lags(watch) == {0: 2}
        gateway.silent.set()
        while await lags(watch) != {0: 3}:
            pass
    assert gateway.asked.count(topic) < 10


async def test_a_gateway_that_never_answers_is_given_up(
    gateway: Counting, watch: LagWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lag_module, "_PASS_SECONDS", 0.05)
    topic = await make(gateway)
    await join(gateway, watch, topic, Edge.EARLIEST)
    await publish(gateway, topic, 2)
    gateway.silent.clear()
    assert await lags(watch) == {}


async def test_nothing_is_asked_any_more_once_it_is_closed(
    gateway: Counting, watch: LagWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lag_module, "_SCRAPE_SECONDS", 0.01)
    topic = await make(gateway)
    await join(gateway, watch, topic, Edge.EARLIEST)
    gateway.silent.clear()
    others = asyncio.all_tasks()
    await watch.refresh()
    assert asyncio.all_tasks() > others
    async with asyncio.timeout(5):
        await watch.close()
    assert asyncio.all_tasks() == others


async def test_a_group_is_followed_for_a_while_after_its_last_member_left(
    gateway: Counting, watch: LagWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = await make(gateway)
    await publish(gateway, topic, 2)
    await join(gateway, watch, topic, Edge.EARLIEST)
    watch.follow(gateway, topic, GROUP).progress.end()
    assert await lags(watch) == {0: 2}
    monkeypatch.setattr(lag_module, "REMEMBERED_SECONDS", 0.0)
    assert await lags(watch) == {}


async def test_of_groups_without_members_only_the_newest_are_followed(
    gateway: Counting, watch: LagWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lag_module, "REMEMBERED_GROUPS", 2)
    topic = await make(gateway)
    await publish(gateway, topic, 2)
    await join(gateway, watch, topic, Edge.EARLIEST)
    for number in range(5):
        watch.follow(gateway, topic, Group(f"ephemeral-{number}")).progress.begin(
            Edge.EARLIEST, None
        )
        watch.follow(gateway, topic, Group(f"ephemeral-{number}")).progress.end()
    await watch.refresh()
    followed = {one.followed.group.name for one in watch.lags}
    assert followed == {"readers", "ephemeral-3", "ephemeral-4"}
