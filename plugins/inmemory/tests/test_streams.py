import asyncio

import pytest

from penstock.plugin import (
    Address,
    Assigned,
    Edge,
    Group,
    Health,
    Message,
    PermanentError,
    PositionExpired,
    Retention,
    Revoked,
    StreamSettings,
    TemporaryError,
)
from penstock_inmemory import InMemoryGateway, InMemoryGatewaySpec

GROUP = Group("group")
TOPIC = "space_stream"
NO_BOUNDS = Retention()


def stream(partitions: int | None = None, retention: Retention = NO_BOUNDS) -> StreamSettings:
    return StreamSettings("space", "stream", partitions=partitions, retention=retention)


async def partitions_of(gateway: InMemoryGateway) -> int:
    async with await gateway.subscribe(TOPIC, Group("counting"), Edge.EARLIEST) as subscription:
        return len((await subscription.next_event()).partitions)


async def test_memory_is_always_ready(gateway: InMemoryGateway) -> None:
    assert await gateway.check() == Health(ready=True)


async def test_a_stream_gets_the_topic_of_its_name_however_often_it_is_asked_for(
    gateway: InMemoryGateway,
) -> None:
    assert await gateway.provision(stream()) == Address(TOPIC)
    await gateway.publish(TOPIC, [Message(b"kept")])
    assert await gateway.provision(stream()) == Address(TOPIC)
    assert await gateway.end_positions(TOPIC) == {0: 0}


async def test_partitions_are_those_of_the_stream_or_else_the_gateways() -> None:
    async with InMemoryGateway(InMemoryGatewaySpec(partitions=3)) as gateway:
        assert await partitions_of(gateway) == 3, "a topic that nobody made"
        await gateway.deprovision(stream())
        await gateway.provision(stream())
        assert await partitions_of(gateway) == 3
        await gateway.provision(stream(partitions=5))
        assert await partitions_of(gateway) == 5
        await gateway.deprovision(stream())
        await gateway.provision(stream(partitions=1))
        assert await partitions_of(gateway) == 1


async def test_partitions_never_become_fewer(gateway: InMemoryGateway) -> None:
    assert (await gateway.provision(stream(partitions=3))).drift == ()
    address = await gateway.provision(stream(partitions=1))
    assert address.drift == ("partitions: 3 are there, 1 wanted; none is taken away",)
    assert (await gateway.provision(stream())).drift == ()
    await gateway.provision(stream())
    assert await partitions_of(gateway) == 3
    await gateway.publish(TOPIC, [Message(b"")] * 3)
    assert await gateway.end_positions(TOPIC) == {0: 0, 1: 0, 2: 0}


async def test_messages_go_to_partitions_that_were_added(gateway: InMemoryGateway) -> None:
    await gateway.publish(TOPIC, [Message(b"")])
    await gateway.provision(stream(partitions=2))
    await gateway.publish(TOPIC, [Message(b"")] * 2)
    assert await gateway.end_positions(TOPIC) == {0: 1, 1: 0}


async def test_groups_share_partitions_that_were_added_and_read_all_of_them(
    gateway: InMemoryGateway,
) -> None:
    gone = await gateway.subscribe(TOPIC, Group("gone"), Edge.LATEST)
    await gone.close()
    first = await gateway.subscribe(TOPIC, GROUP, Edge.LATEST)
    second = await gateway.subscribe(TOPIC, GROUP, Edge.LATEST)
    assert await first.next_event() == Assigned(frozenset([0]))
    await gateway.provision(stream(partitions=2))
    await gateway.publish(TOPIC, [Message(b"a", key=b"%d" % number) for number in range(20)])
    assert await second.next_event() == Assigned(frozenset([1]))
    ends = await gateway.end_positions(TOPIC)
    assert len(await second.read(1, 100)) == ends[1] + 1
    gone = await gateway.subscribe(TOPIC, Group("gone"), Edge.LATEST)
    assert len(await gone.read(1, 100)) == ends[1] + 1


async def test_a_group_that_only_acked_still_chooses_its_start_where_it_did_not(
    gateway: InMemoryGateway,
) -> None:
    await gateway.provision(stream(partitions=2))
    await gateway.ack(TOPIC, GROUP, {1: 0})
    await gateway.publish(TOPIC, [Message(b"old")] * 2)
    await gateway.provision(stream(partitions=3))
    subscription = await gateway.subscribe(TOPIC, GROUP, Edge.LATEST)
    await gateway.publish(TOPIC, [Message(b"new")] * 3)
    assert [r.message.payload for r in await subscription.read(0, 10)] == [b"new"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (stream(partitions=0), "partitions: expected 1 to 10000, got 0"),
        (stream(partitions=-1), "partitions: expected 1 to 10000, got -1"),
        (stream(partitions=10_001), "partitions: expected 1 to 10000, got 10001"),
        (stream(retention=Retention(seconds=0)), "retention.seconds: expected more than 0, got 0"),
        (stream(retention=Retention(bytes=-5)), "retention.bytes: expected more than 0, got -5"),
        (
            stream(retention=Retention(messages=0)),
            "retention.messages: expected more than 0, got 0",
        ),
        (
            StreamSettings("space", "stream", config={"cleanup.policy": "compact", "a": "b"}),
            "config: an InMemoryGateway has no settings, got a, cleanup.policy; remove them",
        ),
        (
            StreamSettings("space", "a b"),
            "topic 'space_a b': expected 1 to 249 letters, digits, dots, underscores or hyphens",
        ),
    ],
)
async def test_impossible_settings_are_refused_by_their_field(
    gateway: InMemoryGateway, settings: StreamSettings, message: str
) -> None:
    with pytest.raises(PermanentError) as refusal:
        await gateway.provision(settings)
    assert str(refusal.value) == message


async def test_retention_follows_the_streams_settings(
    gateway: InMemoryGateway, now: list[float]
) -> None:
    await gateway.provision(stream())
    await gateway.publish(TOPIC, [Message(b"12345")] * 10)
    for retention, earliest in (
        (Retention(messages=8), 2),
        (Retention(bytes=25), 5),
        (Retention(messages=8, bytes=20), 6),
    ):
        await gateway.provision(stream(retention=retention))
        reader = await gateway.subscribe(TOPIC, Group(f"{earliest}"), Edge.EARLIEST)
        assert (await reader.read(0, 1))[0].offset == earliest
    await gateway.provision(stream(retention=Retention(seconds=60)))
    await gateway.publish(TOPIC, [Message(b"new")])
    now[0] += 61
    assert await gateway.end_positions(TOPIC) == {}, "no record is left"


async def test_a_stream_without_bounds_has_the_gateways() -> None:
    spec = InMemoryGatewaySpec.model_validate({"retention": {"messages": 2}})
    async with InMemoryGateway(spec) as gateway:
        reader = await gateway.subscribe(TOPIC, GROUP, Edge.EARLIEST)
        await gateway.publish(TOPIC, [Message(b"")] * 3)
        with pytest.raises(PositionExpired):
            await reader.read(0, 10)
        await gateway.provision(stream(retention=Retention(messages=5)))
        await gateway.publish(TOPIC, [Message(b"")] * 9)
        await gateway.provision(stream())
        with pytest.raises(PositionExpired, match="the earliest kept is 10"):
            await reader.read(0, 10)


async def test_the_gateways_bounds_are_written_as_a_streams(now: list[float]) -> None:
    retention = {"time": "1m30s", "bytes": "1Ki"}
    spec = InMemoryGatewaySpec.model_validate({"retention": retention})
    async with InMemoryGateway(spec, clock=lambda: now[0]) as gateway:
        await gateway.publish(TOPIC, [Message(b"0" * 512)] * 3)
        reader = await gateway.subscribe(TOPIC, GROUP, Edge.EARLIEST)
        assert (await reader.read(0, 1))[0].offset == 1
        now[0] += 89
        assert await gateway.end_positions(TOPIC) == {0: 2}
        now[0] += 2
        assert await gateway.end_positions(TOPIC) == {}
        await gateway.publish(TOPIC, [Message(b"longer")])
        await gateway.provision(stream(retention=Retention(seconds=200)))
        now[0] += 199
        assert await gateway.end_positions(TOPIC) == {0: 3}, "the stream's own bound counts more"


async def test_partitions_that_were_added_have_the_streams_retention(
    gateway: InMemoryGateway,
) -> None:
    await gateway.provision(stream(retention=Retention(messages=1)))
    await gateway.provision(stream(partitions=2, retention=Retention(messages=1)))
    await gateway.publish(TOPIC, [Message(b"")] * 6)
    reader = await gateway.subscribe(TOPIC, GROUP, Edge.EARLIEST)
    assert [(await reader.read(partition, 9))[0].offset for partition in (0, 1)] == [2, 2]


async def test_a_removed_stream_is_gone_with_its_groups(gateway: InMemoryGateway) -> None:
    await gateway.provision(stream(partitions=2))
    await gateway.publish(TOPIC, [Message(b"old")] * 2)
    await gateway.ack(TOPIC, GROUP, {0: 0})
    await gateway.deprovision(stream())
    await gateway.deprovision(stream())
    assert await gateway.positions(TOPIC, "group") == {}
    assert await gateway.end_positions(TOPIC) == {}
    await gateway.provision(stream())
    reader = await gateway.subscribe(TOPIC, GROUP, Edge.EARLIEST)
    assert await reader.next_event() == Assigned(frozenset([0]))
    await gateway.publish(TOPIC, [Message(b"new")])
    assert [record.message.payload for record in await reader.read(0, 10)] == [b"new"]


async def test_subscriptions_to_a_removed_stream_end(gateway: InMemoryGateway) -> None:
    await gateway.provision(stream(partitions=2))
    first = await gateway.subscribe(TOPIC, GROUP, Edge.EARLIEST)
    await first.next_event()
    second = await gateway.subscribe(TOPIC, GROUP, Edge.EARLIEST)
    assert isinstance(await first.next_event(), Revoked)
    async with asyncio.timeout(5):
        read = asyncio.create_task(first.read(0, 10))
        event = asyncio.create_task(second.next_event())
        await gateway.deprovision(stream())
        assert await read == []
        for pending in (first.next_event(), event):
            with pytest.raises(TemporaryError, match="topic space_stream was removed"):
                await pending
    await first.ack({0: 0})
    await first.close()
    await second.close()
    assert await gateway.positions(TOPIC, "group") == {}
