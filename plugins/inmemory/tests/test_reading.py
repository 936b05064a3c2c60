import asyncio
from collections.abc import Sequence

import pytest

from penstock.plugin import (
    AtOffsets,
    AtTime,
    Edge,
    Group,
    Message,
    PositionExpired,
    Record,
    Retention,
    StreamSettings,
)
from penstock_inmemory import InMemoryGateway

GROUP = Group("group")
TOPIC = "space_stream"


async def publish(gateway: InMemoryGateway, *payloads: str) -> None:
    await gateway.publish(TOPIC, [Message(payload.encode()) for payload in payloads])


def payloads(records: Sequence[Record]) -> str:
    return b"".join(record.message.payload for record in records).decode()


async def test_a_read_returns_what_is_there_and_goes_on_behind_it(
    gateway: InMemoryGateway,
) -> None:
    await publish(gateway, *"abc")
    subscription = await gateway.subscribe(TOPIC, GROUP, Edge.EARLIEST)
    assert payloads(await subscription.read(0, 2)) == "ab"
    assert payloads(await subscription.read(0, 2)) == "c"


async def test_a_read_is_bounded_in_bytes_and_gives_one_record_at_least(
    gateway: InMemoryGateway,
) -> None:
    await publish(gateway, "aaaa", "bbbb", "cccc")
    subscription = await gateway.subscribe(TOPIC, GROUP, Edge.EARLIEST)
    assert payloads(await subscription.read(0, 10, max_bytes=1)) == "aaaa"
    assert payloads(await subscription.read(0, 10, max_bytes=8)) == "bbbbcccc"


async def test_a_read_waits_for_a_record(gateway: InMemoryGateway) -> None:
    subscription = await gateway.subscribe(TOPIC, GROUP, Edge.EARLIEST)
    async with asyncio.timeout(5):
        read = asyncio.create_task(subscription.read(0, 10))
        assert not (await asyncio.wait([read], timeout=0.01))[0], "it waits"
        await publish(gateway, "a", "b")
        assert payloads(await read) == "ab"


async def test_who_reads_no_longer_is_not_remembered(gateway: InMemoryGateway) -> None:
    subscription = await gateway.subscribe(TOPIC, GROUP, Edge.EARLIEST)
    [log] = gateway._topics[TOPIC]._logs
    read = asyncio.create_task(subscription.read(0, 10))
    assert not (await asyncio.wait([read], timeout=0.01))[0], "it waits"
    assert len(log.waiting) == 1
    await subscription.close()
    assert await read == []
    assert not log.waiting


async def test_a_read_that_is_cancelled_takes_no_record(gateway: InMemoryGateway) -> None:
    subscription = await gateway.subscribe(TOPIC, GROUP, Edge.EARLIEST)
    for payload in "abcdefgh":
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(subscription.read(0, 10), 0.001)
        await publish(gateway, payload)
        assert payloads(await subscription.read(0, 10)) == payload


async def test_a_read_that_is_cancelled_while_a_record_comes_takes_none(
    gateway: InMemoryGateway,
) -> None:
    subscription = await gateway.subscribe(TOPIC, GROUP, Edge.EARLIEST)
    for turns in range(6):
        read = asyncio.create_task(subscription.read(0, 10))
        for _ in range(turns):
            await asyncio.sleep(0)
        await publish(gateway, f"{turns}")
        read.cancel()
        taken = (await asyncio.gather(read, return_exceptions=True))[0]
        if isinstance(taken, BaseException):
            taken = await subscription.read(0, 10)
        assert payloads(taken) == f"{turns}"


async def test_a_reader_in_a_loop_lets_others_run(gateway: InMemoryGateway) -> None:
    await publish(gateway, "a")
    subscription = await gateway.subscribe(TOPIC, GROUP, Edge.EARLIEST)
    ran = asyncio.Event()
    asyncio.get_running_loop().call_soon(ran.set)
    await subscription.read(0, 1)
    assert ran.is_set()


async def test_a_partition_that_is_not_read_holds_up_no_other(gateway: InMemoryGateway) -> None:
    await gateway.provision(StreamSettings("space", "stream", partitions=2))
    subscription = await gateway.subscribe(TOPIC, GROUP, Edge.EARLIEST)
    for _ in range(10):
        await publish(gateway, "a", "b")
        assert payloads(await subscription.read(1, 10)) == "b"
    assert payloads(await subscription.read(0, 10)) == "a" * 10


async def test_a_partition_that_is_not_assigned_gives_nothing(gateway: InMemoryGateway) -> None:
    subscription = await gateway.subscribe(TOPIC, GROUP, Edge.EARLIEST)
    assert await subscription.read(1, 10) == []


async def test_latest_starts_behind_what_is_there_when_subscribe_returns(
    gateway: InMemoryGateway,
) -> None:
    await publish(gateway, "old")
    subscription = await gateway.subscribe(TOPIC, GROUP, Edge.LATEST)
    await publish(gateway, "new")
    assert payloads(await subscription.read(0, 10)) == "new"


async def test_a_group_may_start_at_offsets(gateway: InMemoryGateway) -> None:
    await gateway.provision(StreamSettings("space", "stream", partitions=3))
    for _ in range(4):
        await publish(gateway, "a", "b", "c")
    start = AtOffsets({0: 3, 1: 1}, otherwise=Edge.LATEST)
    subscription = await gateway.subscribe(TOPIC, GROUP, start)
    await publish(gateway, "x", "y", "z")
    assert payloads(await subscription.read(0, 10)) == "ax"
    assert payloads(await subscription.read(1, 10)) == "bbby"
    assert payloads(await subscription.read(2, 10)) == "z"


async def test_a_start_above_the_end_waits_there(gateway: InMemoryGateway) -> None:
    await publish(gateway, "a")
    subscription = await gateway.subscribe(TOPIC, GROUP, AtOffsets({0: 3}))
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        read = tasks.create_task(subscription.read(0, 10))
        for payload in "bcd":
            await publish(gateway, payload)
    assert payloads(read.result()) == "d"


async def test_a_group_may_start_at_a_time(gateway: InMemoryGateway, now: list[float]) -> None:
    for payload in "abc":
        await publish(gateway, payload)
        now[0] += 1
    start = AtTime(1_700_000_000_000 + 500)
    subscription = await gateway.subscribe(TOPIC, GROUP, start)
    assert payloads(await subscription.read(0, 10)) == "bc"
    future = await gateway.subscribe(TOPIC, Group("future"), AtTime(2_000_000_000_000))
    await publish(gateway, "d")
    assert payloads(await future.read(0, 10)) == "d"


async def test_a_record_has_the_time_at_which_it_was_stored(
    gateway: InMemoryGateway, now: list[float]
) -> None:
    now[0] = 1_234.5678
    await publish(gateway, "a")
    subscription = await gateway.subscribe(TOPIC, GROUP, Edge.EARLIEST)
    assert (await subscription.read(0, 1))[0].timestamp_ms == 1_234_567


async def test_a_read_says_once_that_its_next_record_is_gone_and_goes_on(
    gateway: InMemoryGateway,
) -> None:
    await gateway.provision(StreamSettings("space", "stream", retention=Retention(messages=2)))
    subscription = await gateway.subscribe(TOPIC, GROUP, Edge.EARLIEST)
    await publish(gateway, *"abcde")
    with pytest.raises(PositionExpired) as gap:
        await subscription.read(0, 10)
    assert (gap.value.partition, gap.value.wanted, gap.value.earliest) == (0, 0, 3)
    assert payloads(await subscription.read(0, 10)) == "de"


async def test_a_read_says_so_even_when_nothing_is_left(
    gateway: InMemoryGateway, now: list[float]
) -> None:
    await gateway.provision(StreamSettings("space", "stream", retention=Retention(seconds=1)))
    await publish(gateway, "a")
    subscription = await gateway.subscribe(TOPIC, GROUP, Edge.EARLIEST)
    now[0] += 2
    with pytest.raises(PositionExpired, match="offset 0 is gone by retention"):
        await subscription.read(0, 10)
    await publish(gateway, "b")
    assert payloads(await subscription.read(0, 10)) == "b"


async def test_a_pending_read_that_falls_behind_says_so(gateway: InMemoryGateway) -> None:
    await gateway.provision(StreamSettings("space", "stream", retention=Retention(messages=1)))
    subscription = await gateway.subscribe(TOPIC, GROUP, Edge.EARLIEST)
    async with asyncio.timeout(5):
        read = asyncio.create_task(subscription.read(0, 10))
        assert not (await asyncio.wait([read], timeout=0.01))[0], "it waits"
        await publish(gateway, "a", "b")
        with pytest.raises(PositionExpired):
            await read
    assert payloads(await subscription.read(0, 10)) == "b"


async def test_a_start_below_what_is_kept_is_expired(gateway: InMemoryGateway) -> None:
    await gateway.provision(StreamSettings("space", "stream", retention=Retention(messages=1)))
    await publish(gateway, *"abc")
    subscription = await gateway.subscribe(TOPIC, GROUP, AtOffsets({0: 1}))
    with pytest.raises(
        PositionExpired, match="offset 1 is gone by retention, the earliest kept is 2"
    ):
        await subscription.read(0, 10)


async def test_what_a_reader_has_had_may_be_trimmed_unnoticed(gateway: InMemoryGateway) -> None:
    await gateway.provision(StreamSettings("space", "stream", retention=Retention(messages=1)))
    subscription = await gateway.subscribe(TOPIC, GROUP, Edge.EARLIEST)
    for payload in "abc":
        await publish(gateway, payload)
        assert payloads(await subscription.read(0, 10)) == payload


async def test_records_that_the_group_had_acked_are_marked(gateway: InMemoryGateway) -> None:
    await publish(gateway, *"abcd")
    await gateway.ack(TOPIC, Group("group", 2), {0: 1})
    subscription = await gateway.subscribe(TOPIC, Group("group", 3), Edge.EARLIEST)
    first = await subscription.read(0, 1)
    await gateway.ack(TOPIC, GROUP, {0: 2})
    rest = await subscription.read(0, 10)
    assert [record.replay for record in first] == [True]
    assert [record.replay for record in rest] == [True, True, False]


async def test_records_that_another_group_acked_are_not_marked(gateway: InMemoryGateway) -> None:
    await publish(gateway, "a")
    await gateway.ack(TOPIC, Group("other"), {0: 0})
    subscription = await gateway.subscribe(TOPIC, GROUP, Edge.EARLIEST)
    assert [record.replay for record in await subscription.read(0, 10)] == [False]
