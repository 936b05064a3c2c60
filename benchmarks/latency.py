"""Milliseconds from publish to output, at a steady rate."""

import asyncio
import json
from time import perf_counter

from benchmarks.pipeline import INPUT, OUTPUT, gateway, processor
from penstock.plugin import Edge, Group, Message
from penstock.wire.remote import RemotePubSub

WARM_UP = 500
"""Messages that are not counted."""


async def percentiles(messages: int, *, per_second: int) -> dict[int, float]:
    """Publish one message at a time at a rate, and read the outputs beside it.

    Returns:
        Milliseconds by percentile: 50, 99 and 100.
    """
    async with (
        gateway() as address,
        RemotePubSub(address) as remote,
        processor(address, "benchmarks.functions:upper"),
    ):
        reader = asyncio.create_task(_read(remote, messages + WARM_UP))
        await _publish(remote, messages + WARM_UP, per_second)
        latencies = sorted((await reader)[WARM_UP:])
    return {
        percentile: latencies[min(len(latencies) * percentile // 100, len(latencies) - 1)]
        for percentile in (50, 99, 100)
    }


async def _publish(remote: RemotePubSub, count: int, per_second: int) -> None:
    started = perf_counter()
    pending: set[asyncio.Task[object]] = set()
    for index in range(count):
        await asyncio.sleep(max(0.0, started + index / per_second - perf_counter()))
        message = Message(json.dumps(perf_counter()).encode(), content_type="text/plain")
        task: asyncio.Task[object] = asyncio.create_task(_publish_one(remote, message))
        pending.add(task)
        task.add_done_callback(pending.discard)
    await asyncio.gather(*pending)


async def _publish_one(remote: RemotePubSub, message: Message) -> None:
    await remote.publish(INPUT, [message])


async def _read(remote: RemotePubSub, count: int) -> list[float]:
    """Milliseconds of each output, in the order in which they come."""
    latencies: list[float] = []
    async with asyncio.timeout(120):
        subscription = await remote.subscribe(OUTPUT, Group("reader"), Edge.EARLIEST)
        async with subscription:
            await subscription.next_event()
            while len(latencies) < count:
                records = await subscription.read(0, 1000)
                now = perf_counter()
                latencies += [(now - float(r.message.payload)) * 1000 for r in records]
    return latencies
