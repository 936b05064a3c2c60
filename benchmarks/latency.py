"""Milliseconds from publish to output, at a steady rate, and what of it the processor adds."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import AsyncExitStack
from statistics import median
from time import perf_counter

from benchmarks.pipeline import INPUT, OUTPUT, Streams, gateway, processor
from penstock.plugin import Edge, Group, Message
from penstock.wire.remote import RemotePubSub

WARM_UP = 500
"""Messages that are not counted."""
PERCENTILES = (50, 99)


async def medians(
    *, rounds: int, messages: int, per_second: int
) -> tuple[dict[int, float], dict[int, float]]:
    """Measure without and with a function in turn, and take the median of each percentile.

    Returns:
        Milliseconds by percentile: from publish to read, and from publish to output.
    """
    direct: list[dict[int, float]] = []
    through: list[dict[int, float]] = []
    for _ in range(rounds):
        for through_function, found in ((False, direct), (True, through)):
            found.append(
                await percentiles(
                    messages, per_second=per_second, through_function=through_function
                )
            )
    return _median(direct), _median(through)


def _median(rounds: list[dict[int, float]]) -> dict[int, float]:
    return {one: median(found[one] for found in rounds) for one in PERCENTILES}


async def percentiles(
    messages: int, *, per_second: int, through_function: bool
) -> dict[int, float]:
    """Publish one message at a time at a rate, and read what comes beside it.

    Args:
        messages: How many are counted.
        per_second: The rate.
        through_function: Whether what is read is the output of a function; else it is the topic
            that was published to.

    Returns:
        Milliseconds by percentile.
    """
    async with AsyncExitStack() as stack:
        address = await stack.enter_async_context(gateway())
        remote = await stack.enter_async_context(RemotePubSub(address))
        if through_function:
            function = processor(Streams(address), "benchmarks.functions:upper")
            await stack.enter_async_context(function)
        topic = OUTPUT if through_function else INPUT
        reader = asyncio.create_task(_read(remote, topic, messages + WARM_UP))
        await _publish(remote, messages + WARM_UP, per_second)
        return at_percentiles((await reader)[WARM_UP:])


def at_percentiles(latencies: Sequence[float]) -> dict[int, float]:
    """The latency of each percentile."""
    ordered = sorted(latencies)
    return {one: ordered[len(ordered) * one // 100] for one in PERCENTILES}


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


async def _read(remote: RemotePubSub, topic: str, count: int) -> list[float]:
    """Milliseconds of each message, in the order in which they come."""
    latencies: list[float] = []
    async with asyncio.timeout(120):
        subscription = await remote.subscribe(topic, Group("reader"), Edge.EARLIEST)
        async with subscription:
            await subscription.next_event()
            while len(latencies) < count:
                records = await subscription.read(0, 1000)
                now = perf_counter()
                latencies += [(now - float(r.message.payload)) * 1000 for r in records]
    return latencies
