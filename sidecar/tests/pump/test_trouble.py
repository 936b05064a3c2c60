"""Functions that fail, gateways that go away, partitions that do, and a stop in the middle."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

import grpc
import pytest

from penstock.delivery import BackoffPolicy, DeadLetter, Delivery
from penstock.plugin import (
    AtOffsets,
    Edge,
    Gateway,
    Group,
    Message,
    NotReady,
    PermanentError,
    PublishResult,
    PubSub,
    Record,
    Retention,
    Start,
    StreamSettings,
    Subscription,
    TemporaryError,
)
from penstock.plugin.subscription import READ_BYTES, SubscriptionEvent
from penstock.window import Window, WindowType
from penstock_sidecar.engine import Marks

Item = tuple[int, Message]
PAIRS = Window(type=WindowType.COUNT, count=2)


class Call(Protocol):
    items: list[Item]
    finished: bool


class Served(Protocol):
    address: str
    server: grpc.aio.Server
    calls: list[Call]


class Functions(Protocol):
    async def riff(
        self, function: Callable[[AsyncIterator[Item]], Any], port: int = 0
    ) -> Served: ...
    async def streams(
        self, function: Callable[[AsyncIterator[Item]], Any], port: int = 0
    ) -> Served: ...
    async def one_value(self, function: Callable[[Item], Sequence[Item]]) -> Served: ...


class Bench(Protocol):
    store: Gateway
    running: asyncio.Task[None]

    async def make(self, topic: str, partitions: int) -> None: ...
    async def publish(self, topic: str, *texts: str, key: bytes | None = None) -> None: ...
    async def start(
        self,
        function: str,
        window: Window | None = None,
        *,
        inputs: Sequence[str] = ("in",),
        outputs: Mapping[str, str] | None = None,
        pubsub: PubSub | None = None,
        delivery: Delivery = ...,
    ) -> None: ...
    async def outputs(self, count: int, topic: str = "out") -> list[Message]: ...
    async def acked(self, topic: str = "in") -> Mapping[int, int]: ...
    async def until_acked(self, offset: int, topic: str = "in") -> None: ...
    async def end(self) -> None: ...
    async def stop(self, grace: float = 5.0) -> None: ...


Until = Callable[[Callable[[], Awaitable[bool] | bool]], Awaitable[None]]


async def echo(items: AsyncIterator[Item]) -> AsyncIterator[Item]:
    async for item in items:
        yield item


async def hang(items: AsyncIterator[Item]) -> AsyncIterator[Item]:
    """Takes everything and never answers."""
    async for item in items:
        if item[0] < 0:
            yield item
    await asyncio.Event().wait()


def texts(messages: Sequence[Message]) -> list[str]:
    return [message.payload.decode() for message in messages]


@pytest.mark.parametrize("protocol", ["riff", "streams"])
async def test_a_message_that_the_function_fails_with_stops_its_partition_and_is_named(
    bench: Bench,
    functions: Functions,
    until: Until,
    caplog: pytest.LogCaptureFixture,
    protocol: str,
) -> None:
    async def fail_at_c(items: AsyncIterator[Item]) -> AsyncIterator[Item]:
        async for number, message in items:
            if message.payload == b"c":
                raise ValueError("c is no good")
            yield number, message

    serve = functions.riff if protocol == "riff" else functions.streams
    await bench.publish("in", "a", "b", "c", "d")
    await bench.start((await serve(fail_at_c)).address, PAIRS)
    await until(lambda: "input in: partition 0 stops at in[0] 2" in caplog.text)
    assert "in[0] 2-3 (attempt 1), again in 0.00" in caplog.text
    assert "fails with one of 2 messages (in[0] 2-3): giving them to it in two parts" in caplog.text
    assert "UNKNOWN: " in caplog.text
    assert not bench.running.done()
    await bench.stop()
    assert await bench.acked() == {0: 1}


async def test_what_a_function_of_one_value_did_before_it_failed_is_acked(
    direct_bench: Bench, functions: Functions, until: Until, caplog: pytest.LogCaptureFixture
) -> None:
    def fail_at_c(item: Item) -> Sequence[Item]:
        if item[1].payload == b"c":
            raise ValueError("c is no good")
        return [item]

    await direct_bench.publish("in", "a", "b")
    await direct_bench.start((await functions.one_value(fail_at_c)).address)
    await direct_bench.until_acked(1)
    await direct_bench.publish("in", "c")
    await until(lambda: "partition 0 stops at in[0] 2" in caplog.text)
    assert await direct_bench.acked() == {0: 1}


async def test_an_output_of_a_wrong_type_is_a_failure_of_the_function(
    direct_bench: Bench, functions: Functions, until: Until, caplog: pytest.LogCaptureFixture
) -> None:
    await direct_bench.publish("in", "a")
    host = await functions.streams(echo)
    await direct_bench.start(
        host.address, Window(type=WindowType.COUNT, count=1), outputs={"out": "application/json"}
    )
    await until(lambda: "stops at in[0] 0" in caplog.text)
    assert "output out: expected application/json got text/plain" in caplog.text
    assert await direct_bench.acked() == {}


async def test_a_host_that_goes_away_is_found_again_and_gets_the_same_messages(
    direct_bench: Bench, functions: Functions, until: Until
) -> None:
    host = await functions.streams(hang)
    await direct_bench.publish("in", "a", "b")
    await direct_bench.start(host.address, PAIRS)
    await until(lambda: bool(host.calls and len(host.calls[0].items) == 2))
    await host.server.stop(None)
    assert await direct_bench.acked() == {}
    again = await functions.streams(echo, int(host.address.rpartition(":")[2]))
    assert texts(await direct_bench.outputs(2)) == ["a", "b"]
    await direct_bench.until_acked(1)
    # The membership is the same: no partition moved.
    assert not direct_bench.running.done()
    assert [len(call.items) for call in again.calls] == [2]


async def test_a_call_that_hangs_is_ended_at_its_time_and_repeated(
    direct_bench: Bench, functions: Functions, caplog: pytest.LogCaptureFixture
) -> None:
    calls = 0

    async def hang_once(items: AsyncIterator[Item]) -> AsyncIterator[Item]:
        nonlocal calls
        calls += 1
        async for item in items:
            if calls == 1:
                await asyncio.Event().wait()
            yield item

    await direct_bench.publish("in", "a", "b")
    host = await functions.streams(hang_once)
    await direct_bench.start(host.address, PAIRS, delivery=Delivery(timeout=0.2))
    assert texts(await direct_bench.outputs(2)) == ["a", "b"]
    await direct_bench.until_acked(1)
    assert "the function has not answered within 0.2 s" in caplog.text


async def test_a_stop_does_not_wait_for_a_function_that_rests_after_a_failure(
    direct_bench: Bench, functions: Functions, until: Until, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: Item) -> Sequence[Item]:
        raise ValueError("no good")

    slow = Delivery(backoff=BackoffPolicy(initial=20.0))
    await direct_bench.publish("in", "a")
    await direct_bench.start((await functions.one_value(fail)).address, delivery=slow)
    await until(lambda: "(attempt 1), again in" in caplog.text)
    await direct_bench.stop(grace=0.1)
    assert await direct_bench.acked() == {}


async def test_dead_letters_that_cannot_be_written_for_a_while_hold_the_ack(
    direct_bench: Bench, functions: Functions, until: Until, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: Item) -> Sequence[Item]:
        raise ValueError("no good")

    faulty = Faulty(direct_bench.store)
    faulty.publishes = [NotReady("the broker is away")] * 3
    once = Delivery(max_deliveries=1, dead_letter=DeadLetter(stream="oops"))
    await direct_bench.publish("in", "a")
    await direct_bench.start(
        (await functions.one_value(fail)).address, pubsub=faulty, delivery=once
    )
    await until(lambda: caplog.text.count("output oops: publishing 1 messages again after") == 2)
    assert await direct_bench.acked() == {}
    [letter] = await direct_bench.outputs(1, "oops")
    assert letter.payload == b"a"
    await direct_bench.until_acked(0)


async def test_a_membership_that_is_lost_ends_the_session(
    direct_bench: Bench, functions: Functions
) -> None:
    await direct_bench.start((await functions.streams(echo)).address)
    await direct_bench.store.close()
    with pytest.raises(TemporaryError, match="closed"):
        await direct_bench.end()


async def test_a_stop_does_not_wait_for_a_function_that_hangs(
    direct_bench: Bench,
    functions: Functions,
    until: Until,
    caplog: pytest.LogCaptureFixture,
) -> None:
    host = await functions.streams(hang)
    await direct_bench.publish("in", "a", "b")
    await direct_bench.start(host.address)
    await until(lambda: bool(host.calls and len(host.calls[0].items) == 2))
    await direct_bench.stop(grace=0.1)
    assert await direct_bench.acked() == {}
    assert "not done in time, and to be repeated: in[0] 0-1" in caplog.text


class Faulty(PubSub):
    """A gateway that fails a few times: in front of a real one."""

    def __init__(self, real: PubSub) -> None:
        self._real = real
        self.publishes: list[Exception | None] = []
        self.acks: list[Exception] = []
        self.reads: list[Exception] = []
        self.read_records = 0

    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[PublishResult]:
        if self.publishes and (error := self.publishes.pop(0)):
            raise error
        results = await self._real.publish(topic, messages[:1])
        later = TemporaryError("one at a time")
        return [*results, *[later] * (len(messages) - 1)]

    async def subscribe(
        self,
        topic: str,
        group: Group,
        start: Start,
        member: str = "",  # noqa: ARG002 - nobody here has a name
    ) -> Subscription:
        return FaultySubscription(await self._real.subscribe(topic, group, start), self)

    async def ack(self, topic: str, group: Group, positions: Mapping[int, int]) -> None:
        await self._real.ack(topic, group, positions)

    async def positions(self, topic: str, name: str) -> Mapping[int, Mapping[int, int]]:
        return await self._real.positions(topic, name)

    async def end_positions(self, topic: str) -> Mapping[int, int]:
        return await self._real.end_positions(topic)


class FaultySubscription(Subscription):
    def __init__(self, real: Subscription, faults: Faulty) -> None:
        self._real = real
        self._faults = faults

    async def next_event(self) -> SubscriptionEvent:
        return await self._real.next_event()

    async def read(
        self, partition: int, max_records: int, max_bytes: int = READ_BYTES
    ) -> Sequence[Record]:
        if self._faults.reads:
            raise self._faults.reads.pop(0)
        records = await self._real.read(partition, max_records, max_bytes)
        self._faults.read_records += len(records)
        return records

    async def release(self, partitions: Any) -> None:
        await self._real.release(partitions)

    async def ack(self, positions: Mapping[int, int]) -> None:
        if self._faults.acks:
            raise self._faults.acks.pop(0)
        await self._real.ack(positions)

    async def close(self) -> None:
        await self._real.close()


async def test_what_a_gateway_does_not_store_is_published_again_in_its_order(
    direct_bench: Bench, functions: Functions, caplog: pytest.LogCaptureFixture
) -> None:
    faulty = Faulty(direct_bench.store)
    faulty.publishes = [NotReady("the broker is away")]
    await direct_bench.publish("in", "a", "b", "c")
    host = await functions.one_value(lambda item: [item])
    await direct_bench.start(host.address, pubsub=faulty)
    assert texts(await direct_bench.outputs(3)) == ["a", "b", "c"]
    await direct_bench.until_acked(2)
    assert "output out: publishing 3 messages again after: the broker is away" in caplog.text
    assert "output out: publishing 2 messages again after: one at a time" in caplog.text


async def test_an_output_that_is_refused_for_good_is_a_failure(
    direct_bench: Bench, functions: Functions
) -> None:
    faulty = Faulty(direct_bench.store)
    faulty.publishes = [PermanentError("no such topic")]
    await direct_bench.publish("in", "a")
    host = await functions.one_value(lambda item: [item])
    await direct_bench.start(host.address, pubsub=faulty)
    with pytest.raises(PermanentError, match=r"output out: no such topic; not done: in\[0\] 0"):
        await direct_bench.end()
    assert await direct_bench.acked() == {}


async def test_acks_and_reads_that_fail_for_a_moment_are_tried_again(
    direct_bench: Bench, functions: Functions, caplog: pytest.LogCaptureFixture
) -> None:
    faulty = Faulty(direct_bench.store)
    faulty.acks = [TemporaryError("no leader")]
    faulty.reads = [TemporaryError("not now")]
    await direct_bench.publish("in", "a")
    host = await functions.one_value(lambda item: [item])
    await direct_bench.start(host.address, pubsub=faulty)
    await direct_bench.until_acked(0)
    assert "input in: acking again after: no leader" in caplog.text
    assert "input in: reading again after: not now" in caplog.text


async def test_a_fault_of_a_plugin_is_not_swallowed(
    direct_bench: Bench, functions: Functions
) -> None:
    faulty = Faulty(direct_bench.store)
    faulty.reads = [ZeroDivisionError("a bug")]
    await direct_bench.start((await functions.streams(echo)).address, pubsub=faulty)
    with pytest.raises(ZeroDivisionError, match="a bug"):
        await direct_bench.end()


async def test_a_function_that_takes_nothing_is_not_read_ahead_for_without_bound(
    direct_bench: Bench, functions: Functions, until: Until
) -> None:
    async def wait(items: AsyncIterator[Item]) -> AsyncIterator[Item]:
        await asyncio.Event().wait()
        async for item in items:
            yield item

    faulty = Faulty(direct_bench.store)
    kilobyte = "x" * 1024
    for _ in range(60):
        await direct_bench.publish("in", *[kilobyte] * 1000)
    await direct_bench.start((await functions.streams(wait)).address, pubsub=faulty)
    most = Marks().high_records
    await until(lambda: faulty.read_records >= most)
    # What gRPC itself holds back is read as well.
    assert faulty.read_records <= 2 * most
    await direct_bench.stop(grace=0.0)


# riff's protocol knows no grace: there, a partition that goes is gone.
@pytest.mark.parametrize("bench", ["direct", "batch"], indirect=True)
async def test_a_partition_that_goes_to_another_member_is_finished_first(
    bench: Bench, functions: Functions, until: Until
) -> None:
    await bench.make("n_in", partitions=2)
    for key in range(20):
        await bench.publish("n_in", f"{key}", key=b"%d" % key)
    host = await functions.streams(echo)
    await bench.start(host.address, inputs=["n_in"])
    await until(lambda: bool(host.calls and len(host.calls[0].items) == 20))
    other = await bench.store.subscribe("n_in", Group("g"), Edge.EARLIEST)
    async with other, asyncio.timeout(10):
        event = await other.next_event()
        (partition,) = event.partitions
        # It came with everything acked: its next record is the next one that is published.
        ends = await bench.store.end_positions("n_in")
        assert (await bench.acked("n_in"))[partition] == ends[partition]
    assert len(await bench.outputs(20)) == 20
    assert host.calls[0].finished


async def test_records_that_retention_removed_are_reported_and_reading_goes_on(
    direct_bench: Bench, functions: Functions, caplog: pytest.LogCaptureFixture
) -> None:
    stream = StreamSettings("n", "in", retention=Retention(messages=2))
    await direct_bench.store.provision(stream)
    # The group has begun, so that what it has not read can be lost to it.
    start = AtOffsets({0: 0})
    await (await direct_bench.store.subscribe("n_in", Group("g"), start)).close()
    await direct_bench.publish("n_in", "a", "b", "c", "d")
    host = await functions.one_value(lambda item: [item])
    with caplog.at_level(logging.ERROR):
        await direct_bench.start(host.address, inputs=["n_in"])
        assert texts(await direct_bench.outputs(2)) == ["c", "d"]
    assert "input n_in: records were removed by retention before they were read" in caplog.text
    assert "offset 0 is gone by retention, the earliest kept is 2" in caplog.text
