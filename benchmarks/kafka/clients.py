"""Publishing and reading by themselves: aiokafka, the gateway's batch service, riff's service.

As a program: `python -m benchmarks.kafka.clients WAY ADDRESS TOPIC COUNT` prints messages a second.
"""

import asyncio
import logging
import sys
from collections.abc import Callable, Coroutine
from time import perf_counter
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from benchmarks.kafka.broker import HEADERS, PARTITIONS, PAYLOAD
from penstock.plugin import Edge, Group, Message
from penstock.wire.remote import RemotePubSub

BATCH = 500
IN_FLIGHT = 8
"""Batches that are on their way at a time; of single messages, 256."""

_MESSAGE = Message(PAYLOAD, content_type="text/plain")


async def aiokafka_publish(address: str, topic: str, count: int) -> float:
    """Batches by `create_batch` and `send_batch`."""
    async with AIOKafkaProducer(
        bootstrap_servers=address, enable_idempotence=True, max_batch_size=1024 * 1024
    ) as producer:

        async def publish(number: int) -> None:
            batch = producer.create_batch()
            for _ in range(BATCH):
                batch.append(key=None, value=PAYLOAD, timestamp=None, headers=HEADERS)
            stored = await producer.send_batch(batch, topic, partition=number % PARTITIONS)
            await stored

        return await _timed(publish, count, BATCH, IN_FLIGHT)


async def batch_publish(address: str, topic: str, count: int) -> float:
    """Batches through the gateway."""
    async with RemotePubSub(address) as remote:

        async def publish(_: int) -> None:
            await remote.publish(topic, [_MESSAGE] * BATCH)

        return await _timed(publish, count, BATCH, IN_FLIGHT)


async def riff_publish(address: str, topic: str, count: int) -> float:
    """Single messages through the gateway, a call each."""
    async with RemotePubSub(address, batches=False) as remote:

        async def publish(_: int) -> None:
            await remote.publish(topic, [_MESSAGE])

        return await _timed(publish, count, 1, 256)


async def aiokafka_receive(address: str, topic: str, count: int) -> float:
    """Batches by `getmany`."""
    async with AIOKafkaConsumer(
        topic, bootstrap_servers=address, auto_offset_reset="earliest"
    ) as consumer:
        seen, started = 0, 0.0
        while seen < count:
            fetched = await consumer.getmany(timeout_ms=1000, max_records=2000)
            seen += sum(map(len, fetched.values()))
            started = started or perf_counter()
        return seen / (perf_counter() - started)


async def batch_receive(address: str, topic: str, count: int) -> float:
    """Frames of records from the gateway."""
    return await _receive(RemotePubSub(address), topic, count)


async def riff_receive(address: str, topic: str, count: int) -> float:
    """Single records from the gateway, a stream for each partition."""
    return await _receive(RemotePubSub(address, batches=False), topic, count)


async def _receive(remote: RemotePubSub, topic: str, count: int) -> float:
    seen, started = 0, 0.0
    complete = asyncio.Event()
    async with remote, await remote.subscribe(topic, Group("reader"), Edge.EARLIEST) as reading:

        async def read(partition: int) -> None:
            nonlocal seen, started
            while seen < count:
                records = await reading.read(partition, 2000)
                seen += len(records)
                started = started or perf_counter()
            complete.set()

        assigned: set[int] = set()
        while len(assigned) < PARTITIONS:
            assigned |= (await reading.next_event()).partitions
        readers = [asyncio.create_task(read(partition)) for partition in assigned]
        await complete.wait()
        rate = seen / (perf_counter() - started)
        for reader in readers:
            reader.cancel()
        return rate


async def _timed(
    publish: Callable[[int], Coroutine[Any, Any, None]], count: int, size: int, in_flight: int
) -> float:
    """Messages a second, after the first few batches."""
    numbers = iter(range(count // size))

    async def work() -> None:
        for number in numbers:
            await publish(number)

    await publish(0)
    started = perf_counter()
    await asyncio.gather(*(work() for _ in range(in_flight)))
    return count / (perf_counter() - started)


WAYS: dict[str, Callable[[str, str, int], Coroutine[Any, Any, float]]] = {
    "aiokafka-publish": aiokafka_publish,
    "aiokafka-receive": aiokafka_receive,
    "batch-publish": batch_publish,
    "batch-receive": batch_receive,
    "riff-publish": riff_publish,
    "riff-receive": riff_receive,
}


if __name__ == "__main__":
    logging.disable(logging.ERROR)
    way, address_, topic_, count_ = sys.argv[1:]
    print(asyncio.run(WAYS[way](address_, topic_, int(count_))))
