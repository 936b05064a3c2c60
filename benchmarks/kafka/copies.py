"""What others need to copy a topic to another: consume, produce, commit, and nothing else.

As a program: `python -m benchmarks.kafka.copies WAY BOOTSTRAP SOURCE TARGET COUNT` prints how many
records a second it copied.
"""

import asyncio
import logging
import sys
from collections.abc import Awaitable, Callable, Coroutine
from time import perf_counter
from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord

_READ = 2000
"""Records that a loop takes at a time."""

Copy = Callable[[str, str, str, int], Coroutine[Any, Any, float]]


async def send(bootstrap: str, source: str, target: str, count: int) -> float:
    """aiokafka, each record sent by itself."""

    async def produce(producer: AIOKafkaProducer, records: list[ConsumerRecord]) -> None:
        futures = [
            await producer.send(
                target, r.value, key=r.key, headers=list(r.headers), partition=r.partition
            )
            for r in records
        ]
        await asyncio.gather(*futures)

    return await _aiokafka(bootstrap, source, count, produce)


async def send_batch(bootstrap: str, source: str, target: str, count: int) -> float:
    """aiokafka, the records of a partition sent as batches."""

    async def produce(producer: AIOKafkaProducer, records: list[ConsumerRecord]) -> None:
        futures = []
        batch = producer.create_batch()
        for r in records:
            record = {"key": r.key, "value": r.value, "headers": list(r.headers)}
            if batch.append(timestamp=None, **record) is None:
                futures.append(await producer.send_batch(batch, target, partition=r.partition))
                batch = producer.create_batch()
                batch.append(timestamp=None, **record)
        futures.append(await producer.send_batch(batch, target, partition=records[0].partition))
        await asyncio.gather(*futures)

    return await _aiokafka(bootstrap, source, count, produce)


async def _aiokafka(
    bootstrap: str,
    source: str,
    count: int,
    produce: Callable[[AIOKafkaProducer, list[ConsumerRecord]], Awaitable[None]],
) -> float:
    consumer = AIOKafkaConsumer(
        source,
        bootstrap_servers=bootstrap,
        group_id=uuid4().hex,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, enable_idempotence=True, max_batch_size=256 * 1024
    )
    async with consumer, producer:
        clock = _Clock(count)
        while not clock.done:
            fetched = await consumer.getmany(timeout_ms=1000, max_records=_READ)
            await asyncio.gather(*(produce(producer, records) for records in fetched.values()))
            await consumer.commit()
            clock.count(sum(map(len, fetched.values())))
        return clock.rate


async def confluent(bootstrap: str, source: str, target: str, count: int) -> float:
    """confluent-kafka: a client in C, with threads of its own."""
    from confluent_kafka import Consumer, Producer  # noqa: PLC0415 - the other ways do without it

    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": uuid4().hex,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "enable.idempotence": True,
            "queue.buffering.max.messages": 1_000_000,
        }
    )
    consumer.subscribe([source])
    clock = _Clock(count)
    while not clock.done:
        records = consumer.consume(_READ, 1.0)
        for r in records:
            producer.produce(
                target, r.value(), r.key(), r.partition() or 0, headers=r.headers() or []
            )
        producer.flush()
        if records:
            consumer.commit(asynchronous=False)
        clock.count(len(records))
    consumer.close()
    return clock.rate


async def faststream(bootstrap: str, source: str, target: str, count: int) -> float:
    """FastStream, as its documentation has it: a handler that returns what is published."""
    from faststream import FastStream  # noqa: PLC0415 - the other ways do without it
    from faststream.kafka import KafkaBroker  # noqa: PLC0415

    broker = KafkaBroker(bootstrap, enable_idempotence=True, logger=None)
    app = FastStream(broker, logger=None)
    clock = _Clock(count)

    @broker.subscriber(source, group_id=uuid4().hex, auto_offset_reset="earliest")
    @broker.publisher(target)
    async def handle(payload: bytes) -> bytes:
        clock.count(1)
        if clock.done:
            app.exit()
        return payload.upper()

    await app.run()
    return clock.rate


class _Clock:
    """Times what comes after the first records, so that no start-up is in it."""

    def __init__(self, wanted: int) -> None:
        self._wanted = wanted
        self._seen = 0
        self._first = 0
        self._started = self._ended = 0.0

    @property
    def done(self) -> bool:
        return self._seen >= self._wanted

    @property
    def rate(self) -> float:
        return (self._seen - self._first) / (self._ended - self._started)

    def count(self, records: int) -> None:
        self._ended = perf_counter()
        self._seen += records
        if not self._started and records:
            self._started, self._first = self._ended, records


WAYS: dict[str, Copy] = {
    "send": send,
    "send_batch": send_batch,
    "confluent": confluent,
    "faststream": faststream,
}


if __name__ == "__main__":
    logging.disable(logging.ERROR)
    way, bootstrap_, source_, target_, count_ = sys.argv[1:]
    print(asyncio.run(WAYS[way](bootstrap_, source_, target_, int(count_))))
