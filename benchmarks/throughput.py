"""Messages a second from topic to topic, through a sidecar and a function of one value."""

import asyncio
from time import perf_counter

from benchmarks.pipeline import INPUT, OUTPUT, Streams, gateway, processor
from penstock.plugin import Message
from penstock.wire.remote import RemotePubSub

BATCH = 500
INTERVAL = 0.05
"""Seconds between two looks at the output; each costs the gateway a call."""
MESSAGE = Message(b"x" * 100, content_type="text/plain")


async def messages_per_second(messages: int, *, one_frame: bool) -> float:
    """Publish so many messages, start the processor, and time the outputs.

    The time runs from the first look that finds outputs, so that no start-up is in it.

    Args:
        messages: How many; a multiple of 500.
        one_frame: Whether to speak riff's protocols, one message a frame.
    """
    async with gateway() as address, RemotePubSub(address) as remote:
        for _ in range(messages // BATCH):
            await remote.publish(INPUT, [MESSAGE] * BATCH)
        streams = Streams(address)
        async with processor(streams, "benchmarks.functions:upper", one_frame=one_frame):
            first = await _outputs(remote, 1)
            started = perf_counter()
            last = await _outputs(remote, messages)
            return (last - first) / (perf_counter() - started)


async def _outputs(remote: RemotePubSub, wanted: int) -> int:
    """Wait until there are at least so many outputs, and tell how many there are."""
    async with asyncio.timeout(120):
        while True:
            ends = await remote.end_positions(OUTPUT)
            count = sum(end + 1 for end in ends.values())
            if count >= wanted:
                return count
            await asyncio.sleep(INTERVAL)
