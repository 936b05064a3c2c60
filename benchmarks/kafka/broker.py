"""A real broker to measure against, and topics with records in it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from tests.servers.kafka import KafkaServer

PARTITIONS = 4
PAYLOAD = b"x" * 100
HEADERS = [("ce_specversion", b"1.0"), ("content-type", b"text/plain")]
"""Of each record, as penstock writes those of a message with nothing but a content type."""

_BATCH = 1000


@asynccontextmanager
async def broker() -> AsyncIterator[str]:
    """A Kafka of one node, by its bootstrap server."""
    server = await asyncio.to_thread(KafkaServer().__enter__)
    try:
        yield server.bootstrap_servers
    finally:
        await asyncio.to_thread(server.__exit__, None, None, None)


async def make_topics(bootstrap: str, *names: str) -> None:
    """Make topics of four partitions, and wait until they can be written to."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(name, PARTITIONS, 1) for name in names])
    finally:
        await admin.close()


async def fill(bootstrap: str, topic: str, count: int) -> None:
    """Store so many records, in all partitions as many.

    Args:
        bootstrap: The broker.
        topic: The topic.
        count: A multiple of 4,000.
    """
    async with AIOKafkaProducer(
        bootstrap_servers=bootstrap, max_batch_size=256 * 1024, enable_idempotence=True
    ) as producer:
        for _ in range(count // PARTITIONS // _BATCH):
            for partition in range(PARTITIONS):
                batch = producer.create_batch()
                for _ in range(_BATCH):
                    batch.append(key=None, value=PAYLOAD, timestamp=None, headers=HEADERS)
                stored = await producer.send_batch(batch, topic, partition=partition)
                await stored


class Counter:
    """Tells how many records a topic has: those of the past are still there."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        self._consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap)
        self._partitions = [TopicPartition(topic, number) for number in range(PARTITIONS)]

    async def __aenter__(self) -> "Counter":
        await self._consumer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._consumer.stop()

    async def count(self) -> int:
        """The records of all partitions."""
        ends = await self._consumer.end_offsets(self._partitions)
        return sum(ends.values())
