"""What a person does to topics and groups while messages flow, by a plain Kafka client."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, for_code

from tests.kafka.waiting import until


class Administrator:
    """Administers a cluster; connects for each thing to be done, as brokers come and go.

    Args:
        bootstrap_servers: The brokers.
    """

    def __init__(self, bootstrap_servers: str) -> None:
        self._bootstrap_servers = bootstrap_servers

    async def create(
        self, topic: str, partitions: int, settings: Mapping[str, str] | None = None
    ) -> None:
        """Make a topic."""
        async with self._client() as client:
            wanted = NewTopic(topic, partitions, 1, topic_configs=dict(settings or {}))
            reply = await client.create_topics([wanted])
            _check([(code, said) for _, code, said in reply.topic_errors])

    async def make_anew(self, topic: str, partitions: int) -> None:
        """Delete a topic, and make it again at once."""
        async with self._client() as client:

            async def is_made() -> bool:
                # Somebody who uses the topic may have made it in between: as somebody else wants.
                await client.delete_topics([topic])
                reply = await client.create_topics([NewTopic(topic, partitions, 1)])
                return not any(code for _, code, _ in reply.topic_errors)

            await until(is_made, f"topic {topic} is made anew")

    async def grow(self, topic: str, partitions: int) -> None:
        """Give a topic so many partitions in place of fewer."""
        async with self._client() as client:
            await client.create_partitions({topic: NewPartitions(partitions)})

    async def set(self, topic: str, **settings: str) -> None:
        """Give a topic these settings, and no others; in their names, _ stands for a dot."""
        configs = {name.replace("_", "."): value for name, value in settings.items()}
        async with self._client() as client:
            (reply,) = await client.alter_configs(
                [ConfigResource(ConfigResourceType.TOPIC, topic, configs=configs)]
            )
            _check([(code, said) for code, said, *_ in reply.resources])

    async def stored(self, group: str, topic: str) -> dict[int, int]:
        """The offset that a group goes on at, by partition, as any Kafka tool shows it."""
        async with self._client() as client:
            found = await client.list_consumer_group_offsets(group)
        return {at.partition: one.offset for at, one in found.items() if at.topic == topic}

    async def beginnings(self, topic: str) -> dict[int, int]:
        """The first offset that is kept, by partition."""
        async with self._consumer() as consumer:
            found = await consumer.beginning_offsets(await _partitions(consumer, topic))
        return {at.partition: offset for at, offset in found.items()}

    async def ends(self, topic: str) -> dict[int, int]:
        """The offset behind the last record, by partition."""
        async with self._consumer() as consumer:
            found = await consumer.end_offsets(await _partitions(consumer, topic))
        return {at.partition: offset for at, offset in found.items()}

    @asynccontextmanager
    async def _consumer(self) -> AsyncIterator[AIOKafkaConsumer]:
        async with AIOKafkaConsumer(bootstrap_servers=self._bootstrap_servers) as consumer:
            yield consumer

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[AIOKafkaAdminClient]:
        client = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap_servers)
        try:
            await until(lambda: _started(client), f"{self._bootstrap_servers} answers")
            yield client
        finally:
            await client.close()


async def _partitions(consumer: AIOKafkaConsumer, topic: str) -> list[TopicPartition]:
    await consumer._client.set_topics([topic])
    return [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]


async def _started(client: AIOKafkaAdminClient) -> bool:
    try:
        await client.start()
    except KafkaError:
        return False
    return True


def _check(results: list[tuple[int, str | None]]) -> None:
    for code, said in results:
        if code:
            raise for_code(code)(said or "")
