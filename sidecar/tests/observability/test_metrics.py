"""The metrics of a sidecar, scraped after real messages."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import grpc
import pytest

from penstock.plugin import Edge, Group, Message

if TYPE_CHECKING:
    from sidecar.tests.observability.conftest import Watched

Item = tuple[int, Message]


class Served(Protocol):
    address: str
    server: grpc.aio.Server


class Functions(Protocol):
    async def streams(
        self, function: Callable[[AsyncIterator[Item]], Any], port: int = 0
    ) -> Served: ...
    async def one_value(
        self, function: Callable[[Item], Sequence[Item]], port: int = 0
    ) -> Served: ...
    async def riff(
        self, function: Callable[[AsyncIterator[Item]], Any], port: int = 0
    ) -> Served: ...


IN = {"input": "in", "stream": "in"}
OUT = {"output": "out", "stream": "out"}


def twice(item: Item) -> Sequence[Item]:
    return [(0, item[1]), (0, item[1])]


def none(_: Item) -> Sequence[Item]:
    return []


async def count(items: AsyncIterator[Item]) -> AsyncIterator[Item]:
    """One output for each window: how many messages it has."""
    number = len([item async for item in items])
    yield 0, Message(str(number).encode(), "text/plain")


async def hang(items: AsyncIterator[Item]) -> AsyncIterator[Item]:
    async for item in items:
        await asyncio.Event().wait()
        yield item


async def test_what_flows_is_counted_exactly(watched: "Watched", functions: Functions) -> None:
    await watched.publish(*["12345"] * 30)
    watched.start((await functions.one_value(twice)).address)
    await watched.outputs(60)
    await watched.until_acked(29)
    found = await watched.scrape()
    assert found("input_messages_total", **IN) == 30
    assert found("input_bytes_total", **IN) == 150
    assert found("input_batch_messages_sum") == 30
    assert found("output_messages_total", **OUT) == 60
    assert found("output_bytes_total", **OUT) == 300
    assert found("output_batch_messages_sum") == 60
    assert found("publish_seconds_count") == found("output_batch_messages_count")
    assert found("publishing_messages") == 0
    assert found("acks_total", **IN) == 1
    assert found("lag_messages", **IN, partition="0") == 0
    assert found("partitions", **IN) == 1
    assert found("assigned_partitions_total", **IN) == 1
    assert found("revoked_partitions_total", **IN) == 0
    assert found("ready") == 1
    assert found("info", namespace="", group="g") == 1
    for operation in ("read", "publish", "ack", "session"):
        assert found("retries_total", operation=operation) == 0


@pytest.mark.parametrize("protocol", ["batch", "riff"])
async def test_windows_and_calls_are_counted(
    watched: "Watched", functions: Functions, protocol: str
) -> None:
    host = await (functions.streams if protocol == "batch" else functions.riff)(count)
    await watched.publish(*["x"] * 30)
    window = '{"type": "Count", "count": 10}'
    watched.start(host.address, PENSTOCK_WINDOW=window, PENSTOCK_PROTOCOL=protocol)
    assert [one.payload for one in await watched.outputs(3)] == [b"10"] * 3
    found = await watched.until(lambda found: found("ended_windows_total") == 3)
    assert found("open_windows") == 0
    assert found("function_calls_total") == 3
    # From when it had all of a window to the end of its call.
    assert found("function_seconds_count") == 3


async def test_the_time_of_a_function_is_taken_for_each_frame_that_it_is_done_with(
    watched: "Watched", functions: Functions
) -> None:
    watched.start((await functions.one_value(none)).address, PENSTOCK_WINDOW='{"size": "1h"}')
    for number in range(3):
        await watched.publish("x")
        await watched.until_acked(number)
    found = await watched.scrape()
    assert found("function_calls_total") == 1
    assert found("function_seconds_count") == 3
    assert found("function_seconds_bucket", le="10.0") == 3
    assert found("open_windows") == 1


async def test_the_latency_is_from_the_oldest_record_of_a_batch_to_its_last_output(
    watched: "Watched", functions: Functions
) -> None:
    started = asyncio.Event()
    go_on = asyncio.Event()

    async def wait(items: AsyncIterator[Item]) -> AsyncIterator[Item]:
        async for item in items:
            started.set()
            await go_on.wait()
            yield 0, item[1]

    await watched.publish("a", "b", "c")
    watched.start((await functions.streams(wait)).address, PENSTOCK_WINDOW='{"size": "10ms"}')
    async with asyncio.timeout(10):
        await started.wait()
    loop = asyncio.get_running_loop()
    waiting_since = loop.time()
    assert (await watched.scrape())("end_to_end_seconds_count") == 0
    waited = loop.time() - waiting_since
    go_on.set()
    await watched.until_acked(2)
    found = await watched.scrape()
    assert found("end_to_end_seconds_count") == 1
    took = found("end_to_end_seconds_sum")
    assert took is not None
    assert waited <= took < 10


async def test_what_waits_is_shown_beside_its_limit(
    watched: "Watched", functions: Functions
) -> None:
    await watched.publish(*["12345"] * 30)
    watched.start(
        (await functions.streams(hang)).address, PENSTOCK_WINDOW='{"type": "Count", "count": 10}'
    )
    # The function has the first window, and two wait.
    found = await watched.until(lambda found: found("buffer_messages", buffer="read") == 20)
    assert found("buffer_bytes", buffer="read") == 100
    assert found("buffer_limit_messages", buffer="read") == 16_000
    assert found("buffer_limit_bytes", buffer="read") == 16 * 1024 * 1024
    assert found("buffer_messages", buffer="write") == 0
    assert found("open_windows") == 3
    assert found("ended_windows_total") == 0
    assert found("lag_messages", **IN, partition="0") == 30


async def test_outputs_that_wait_for_a_gateway_are_shown_and_their_retries_counted(
    watched: "Watched", functions: Functions
) -> None:
    watched.store.busy = 2
    await watched.publish("a", "b", "c")
    watched.start((await functions.one_value(twice)).address)
    found = await watched.until(lambda found: found("buffer_messages", buffer="write") == 6)
    assert found("output_messages_total", **OUT) == 0
    await watched.outputs(6)
    await watched.until_acked(2)
    found = await watched.until(lambda found: found("output_messages_total", **OUT) == 6)
    assert found("retries_total", operation="publish") == 2
    assert found("publish_failures_total", **OUT, reason="not_ready") == 12
    assert found("buffer_messages", buffer="write") == 0


ONCE = json.dumps({"maxDeliveries": 2, "backoff": {"initial": "1ms"}})
SET_ASIDE = json.dumps(
    {"maxDeliveries": 2, "backoff": {"initial": "1ms"}, "deadLetter": {"stream": "oops"}}
)


def fail_at_b(item: Item) -> Sequence[Item]:
    if item[1].payload == b"b":
        raise ValueError("no good")
    return [(0, item[1])]


async def test_a_function_that_fails_is_counted_and_its_partition_is_shown_as_stopped(
    watched: "Watched", functions: Functions
) -> None:
    await watched.publish("a")
    watched.start((await functions.one_value(fail_at_b)).address, PENSTOCK_DELIVERY=ONCE)
    await watched.until_acked(0)
    found = await watched.until(lambda found: found("stopped_partition", **IN) is None)
    assert found("dead_letters_total") == 0
    assert found("lost_messages_total") == 0
    await watched.publish("b")
    found = await watched.until(lambda found: found("stopped_partition", **IN, partition="0") == 1)
    assert found("function_failures_total", reason="failed") == 2
    assert found("function_failures_total", reason="gone") == 0
    assert found("retries_total", operation="function") == 1
    assert found("calls_in_flight") == 0
    assert found("ready") == 1


async def test_what_stopped_is_read_again_once_the_function_is_started_anew(
    watched: "Watched", functions: Functions
) -> None:
    host = await functions.one_value(fail_at_b)
    watched.start(host.address, PENSTOCK_DELIVERY=ONCE)
    await watched.publish("a", "b", "c")
    await watched.until(lambda found: found("stopped_partition", **IN, partition="0") == 1)
    await host.server.stop(None)
    found = await watched.until(lambda found: found("ready") == 0)
    assert found("retries_total", operation="session") == 1
    assert found("stopped_partition", **IN, partition="0") is None
    assert (await watched.get("/readyz"))[0] == 503
    assert (await watched.get("/healthz"))[0] == 200
    assert found("partitions", **IN) == 0
    # What it held is given up, and read again.
    assert found("open_windows") == 0
    assert found("buffer_messages", buffer="read") == 0
    await functions.one_value(twice, int(host.address.rpartition(":")[2]))
    await watched.until_acked(2)
    found = await watched.until(lambda found: found("ready") == 1)
    assert found("assigned_partitions_total", **IN) == 2


async def test_a_dead_letter_is_counted_as_one_and_as_an_output(
    watched: "Watched", functions: Functions
) -> None:
    watched.bind("dead_letter_000", "oops", stream="oops")
    watched.start((await functions.one_value(fail_at_b)).address, PENSTOCK_DELIVERY=SET_ASIDE)
    await watched.publish("a", "b", "c")
    await watched.until_acked(2)
    found = await watched.until(lambda found: found("dead_letters_total") == 1)
    assert found("output_messages_total", output="oops", stream="oops") == 1
    assert found("output_messages_total", **OUT) == 2
    assert found("stopped_partition", **IN, partition="0") is None


async def test_what_is_lost_with_at_most_once_is_counted(
    watched: "Watched", functions: Functions
) -> None:
    watched.start(
        (await functions.one_value(fail_at_b)).address,
        PENSTOCK_DELIVERY='{"guarantee": "AtMostOnce"}',
    )
    await watched.publish("b")
    found = await watched.until(lambda found: found("lost_messages_total") == 1)
    assert found("retries_total", operation="function") == 0


async def test_a_host_that_goes_and_comes_back_keeps_the_membership(
    watched: "Watched", functions: Functions
) -> None:
    host = await functions.one_value(twice)
    watched.start(host.address, PENSTOCK_WINDOW='{"type": "Count", "count": 1}')
    await watched.publish("a")
    await watched.until_acked(0)
    await watched.until(lambda found: found("ended_windows_total") == 1)
    await host.server.stop(None)
    await watched.publish("b")
    await watched.until(lambda found: (found("function_failures_total", reason="gone") or 0) >= 1)
    await functions.one_value(twice, int(host.address.rpartition(":")[2]))
    await watched.until_acked(1)
    found = await watched.until(lambda found: found("ended_windows_total") == 2)
    assert found("ready") == 1
    assert found("retries_total", operation="session") == 0
    assert found("assigned_partitions_total", **IN) == 1


DATED = {"type": "Tumbling", "size": "1s", "time": "Event", "timestampFrom": "time"}


@pytest.mark.parametrize("policy", ["Drop", "NewWindow", "DeadLetter"])
async def test_late_and_undated_messages_are_counted(
    watched: "Watched", functions: Functions, policy: str
) -> None:
    watched.bind("dead_letter_000", "oops", stream="oops")
    watched.start(
        (await functions.streams(count)).address,
        PENSTOCK_WINDOW=json.dumps({**DATED, "latePolicy": policy}),
        PENSTOCK_DELIVERY=SET_ASIDE,
    )

    async def publish(*times: str) -> None:
        await watched.store.publish("in", [Message(b"x", "text/plain", time=one) for one in times])

    await publish("2026-01-01T00:00:00Z", "2026-01-01T00:00:10Z")
    await watched.until_acked(0)
    await publish("2026-01-01T00:00:00Z", "soon")
    found = await watched.until(lambda found: found("undated_messages_total") == 1)
    counted = {
        "Drop": found("late_messages_total", policy="Drop"),
        "NewWindow": found("late_windows_total"),
        "DeadLetter": found("late_messages_total", policy="DeadLetter"),
    }
    assert counted == {"Drop": 0, "NewWindow": 0, "DeadLetter": 0, policy: 1}


async def test_windows_that_end_early_are_counted_by_their_reason(
    watched: "Watched", functions: Functions
) -> None:
    window = '{"type": "Global", "maxMessages": 2}'
    watched.start((await functions.streams(count)).address, PENSTOCK_WINDOW=window)
    await watched.publish("a", "b", "c", "d")
    await watched.until_acked(3)
    found = await watched.until(
        lambda found: found("early_windows_total", reason="maxMessages") == 2
    )
    assert found("early_windows_total", reason="buffer") == 0


async def test_a_rebalance_is_counted_and_the_lag_is_of_what_is_held(
    watched: "Watched", functions: Functions
) -> None:
    await watched.make_partitions(2)
    labels = {"input": "in", "stream": "n_in"}
    await watched.publish(*["x"] * 20, topic="n_in")
    watched.start((await functions.streams(hang)).address, PENSTOCK_WINDOW='{"size": "1h"}')
    found = await watched.until(lambda found: found("partitions", **labels) == 2)
    await watched.until(
        lambda found: found.by("partition", "lag_messages") == {"0": 10.0, "1": 10.0}
    )
    async with await watched.store.subscribe("n_in", Group("g"), Edge.EARLIEST):
        found = await watched.until(lambda found: found("partitions", **labels) == 1)
        assert found("revoked_partitions_total", **labels) == 1
        await watched.until(lambda found: len(found.by("partition", "lag_messages")) == 1)


async def test_streams_have_their_names_and_the_processor_its_namespace(
    watched: "Watched", functions: Functions
) -> None:
    watched.bind("input_000", "default_numbers", stream="numbers")
    watched.bind("output_000", "default_averages", stream="averages")
    watched.start((await functions.one_value(twice)).address, PENSTOCK_NAMESPACE="shop")
    found = await watched.until(lambda found: found("ready") == 1)
    assert found("info", namespace="shop", group="g") == 1
    assert found("input_messages_total", input="in", stream="numbers") == 0
    assert found("output_messages_total", output="out", stream="averages") == 0


async def test_the_group_has_its_version_and_the_processor_has_not(
    watched: "Watched", functions: Functions
) -> None:
    watched.start((await functions.one_value(twice)).address, GROUP="g-v2")
    found = await watched.until(lambda found: found("ready") == 1)
    assert found("info", namespace="", group="g-v2") == 1
    assert found("lag_messages", **IN, partition="0") == 0
