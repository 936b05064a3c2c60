"""Kafka to sidecar to function to Kafka: how fast, how soon, in how much memory."""

import asyncio
import json
import subprocess
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass
from time import perf_counter

from benchmarks.footprint import resident
from benchmarks.kafka.broker import Counter, fill, make_topics
from benchmarks.latency import WARM_UP, at_percentiles
from benchmarks.pipeline import Streams, processor
from benchmarks.waiting import until
from penstock.plugin import Edge, Group, Message, PubSub, load_plugins

FUNCTION = "benchmarks.functions:upper"
INTERVAL = 0.05
"""Seconds between two looks at the output."""


def streams(bootstrap: str, source: str, target: str) -> Streams:
    """Two topics that a sidecar reaches past any gateway."""
    connection = {"kind": "KafkaGateway", "spec": {"bootstrapServers": bootstrap}}
    return Streams("127.0.0.1:1", connection, source, target)


async def messages_per_second(bootstrap: str, source: str, target: str, count: int) -> float:
    """Start a processor on a full topic, and time its outputs from the first that are seen on."""
    async with (
        Counter(bootstrap, target) as outputs,
        processor(streams(bootstrap, source, target), FUNCTION),
    ):
        first = await _counted(outputs, 1)
        started = perf_counter()
        last = await _counted(outputs, count)
        return (last - first) / (perf_counter() - started)


def copied_per_second(way: str, bootstrap: str, source: str, target: str, count: int) -> float:
    """What a copy loop of `copies` does, in a process of its own."""
    loop = [sys.executable, "-m", "benchmarks.kafka.copies", way]
    done = subprocess.run(
        [*loop, bootstrap, source, target, str(count)], check=True, capture_output=True, text=True
    )
    return float(done.stdout)


async def latencies(bootstrap: str, turn: int, messages: int, per_second: int) -> dict[int, float]:
    """Milliseconds by percentile from publish to output, one message at a time at a rate."""
    source, target = f"latency_in_{turn}", f"latency_out_{turn}"
    await make_topics(bootstrap, source, target)
    async with AsyncExitStack() as stack:
        kafka = _direct(bootstrap)
        await stack.enter_async_context(kafka)
        ways = streams(bootstrap, source, target)
        await stack.enter_async_context(processor(ways, FUNCTION))
        reading = asyncio.create_task(_read(kafka, target, messages + WARM_UP))
        started = perf_counter()
        async with asyncio.TaskGroup() as publishing:
            for index in range(messages + WARM_UP):
                await asyncio.sleep(max(0.0, started + index / per_second - perf_counter()))
                payload = json.dumps(perf_counter()).encode()
                message = Message(payload, content_type="text/plain")
                publishing.create_task(_publish(kafka, source, message))
        return at_percentiles((await reading)[WARM_UP:])


@dataclass(frozen=True)
class Weight:
    """MiB of a sidecar: idle, half-way and in the end; and the seconds that it took to be ready."""

    ready_after: float
    idle: float
    middle: float
    end: float


async def weight(bootstrap: str, messages: int) -> Weight:
    """Send so many messages through a sidecar, and weigh it before, half-way and after."""
    source, target = "weight_in", "weight_out"
    await make_topics(bootstrap, source, target)
    async with (
        Counter(bootstrap, target) as outputs,
        processor(streams(bootstrap, source, target), FUNCTION) as running,
    ):
        weights = [resident(running.sidecar)]
        for half in (1, 2):
            await fill(bootstrap, source, messages // 2)
            await _counted(outputs, half * (messages // 2))
            weights.append(resident(running.sidecar))
    return Weight(running.ready_after, *weights)


def _direct(bootstrap: str) -> PubSub:
    """The plugin, in this process."""
    plugin = load_plugins().by_kind["KafkaGateway"]
    assert plugin.pubsub
    return plugin.pubsub(plugin.kind.spec.model_validate({"bootstrapServers": bootstrap}))


async def _publish(kafka: PubSub, topic: str, message: Message) -> None:
    await kafka.publish(topic, [message])


async def _read(kafka: PubSub, topic: str, count: int) -> list[float]:
    """Milliseconds of each message, in the order in which they come."""
    found: list[float] = []
    complete = asyncio.Event()
    async with await kafka.subscribe(topic, Group("reader"), Edge.EARLIEST) as subscription:
        event = await subscription.next_event()

        async def read(partition: int) -> None:
            while True:
                records = await subscription.read(partition, 1000)
                now = perf_counter()
                found.extend((now - float(record.message.payload)) * 1000 for record in records)
                if len(found) >= count:
                    complete.set()

        readers = [asyncio.create_task(read(partition)) for partition in event.partitions]
        async with asyncio.timeout(120):
            await complete.wait()
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
    return found


async def _counted(outputs: Counter, wanted: int) -> int:
    """Wait until there are at least so many outputs, and tell how many there are."""
    found = 0

    async def enough() -> bool:
        nonlocal found
        found = await outputs.count()
        return found >= wanted

    await until(enough, INTERVAL)
    return found
