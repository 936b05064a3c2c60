"""What somebody else does at a broker, with bare clients."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete

from plugins.kafka.tests.groups.waiting import until


class Broker:
    """Makes topics and stores records in them.

    Args:
        servers: The address of a broker.
    """

    def __init__(self, servers: str) -> None:
        self.servers = servers

    async def make(self, topic: str, partitions: int = 4, **settings: object) -> None:
        """Make a topic; the names of settings have underscores in place of dots."""
        configs = {name.replace("_", "."): str(value) for name, value in settings.items()}
        async with self._admin() as admin:
            reply = await admin.create_topics(
                [NewTopic(topic, partitions, 1, topic_configs=configs)]
            )
            assert reply.topic_errors[0][1] == 0, reply

            async def is_led() -> bool:
                (described,) = await admin.describe_topics([topic])
                led = [one for one in described["partitions"] if one["leader"] >= 0]
                return len(led) == partitions

            await until(is_led, f"{topic} has leaders")

    async def delete(self, topic: str) -> None:
        """Delete a topic, and wait until it is gone."""
        async with self._admin() as admin:
            await admin.delete_topics([topic])

            async def is_gone() -> bool:
                return topic not in await admin.list_topics()

            await until(is_gone, f"{topic} is gone")

    async def grow(self, topic: str, partitions: int) -> None:
        """Have so many partitions."""
        async with self._admin() as admin:
            await admin.create_partitions({topic: NewPartitions(partitions)})

    async def delete_records(self, topic: str, before: Mapping[int, int]) -> None:
        """Have records before an offset gone, as by retention; by partition."""
        async with self._admin() as admin:
            await admin.delete_records(
                {
                    TopicPartition(topic, at): RecordsToDelete(before_offset=offset)
                    for at, offset in before.items()
                }
            )

    async def publish(self, topic: str, ids: Mapping[int, Iterable[int]]) -> None:
        """Store numbers as records, by partition."""
        async with self.producer() as producer:
            for partition, numbers in ids.items():
                await store(producer, topic, partition, numbers)

    async def offsets(self, topic: str) -> list[int]:
        """The offsets of the records in partition 0."""
        partition = TopicPartition(topic, 0)
        consumer = AIOKafkaConsumer(bootstrap_servers=self.servers)
        await consumer.start()
        try:
            consumer.assign([partition])
            await consumer.seek_to_beginning(partition)
            end = (await consumer.end_offsets([partition]))[partition]
            found: list[int] = []
            while await consumer.position(partition) < end:
                records = await consumer.getmany(timeout_ms=100)
                found += [record.offset for record in records.get(partition, ())]
            return found
        finally:
            await consumer.stop()

    @asynccontextmanager
    async def producer(self, **settings: Any) -> AsyncIterator[AIOKafkaProducer]:
        """A producer, started; the settings are its own."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self.servers, enable_idempotence=True, **settings
        )
        await producer.start()
        try:
            yield producer
        finally:
            await producer.stop()

    @asynccontextmanager
    async def _admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.servers)
        await admin.start()
        try:
            yield admin
        finally:
            await admin.close()


async def store(
    producer: AIOKafkaProducer, topic: str, partition: int, numbers: Iterable[int]
) -> None:
    """Store numbers as records of a partition, in order, and wait until that is done."""
    sent = [
        await producer.send(topic, str(number).encode(), partition=partition) for number in numbers
    ]
    await asyncio.gather(*sent)
