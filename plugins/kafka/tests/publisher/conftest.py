"""Publishers, and somebody who looks at what they have stored."""

import uuid
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Protocol

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import TopicAlreadyExistsError

from penstock.plugin import Message, Position, PublishResult, Record
from penstock_kafka import KafkaGatewaySpec
from penstock_kafka.cluster import Cluster
from penstock_kafka.publisher import Publisher
from penstock_kafka.records import decode
from penstock_kafka.topics import Topics
from tests.servers.kafka import KafkaServer


@dataclass(frozen=True)
class Broker:
    """What somebody else does at a broker, and sees there.

    Attributes:
        servers: Its address.
    """

    servers: str

    async def make(self, topic: str, partitions: int = 4, **settings: object) -> None:
        """Make a topic; the names of settings have underscores in place of dots."""
        new = NewTopic(topic, partitions, 1, topic_configs=named(settings))
        async with self._admin() as admin:
            made = await admin.create_topics([new])
        assert made.topic_errors[0][1] == 0, made

    async def make_when_deleted(self, topic: str, partitions: int) -> None:
        """Make a topic that is being deleted anew."""
        async with self._admin() as admin:
            made = None
            while made is None or made.topic_errors[0][1] == TopicAlreadyExistsError.errno:
                made = await admin.create_topics([NewTopic(topic, partitions, 1)])
        assert made.topic_errors[0][1] == 0, made

    async def delete(self, topic: str) -> None:
        """Delete a topic."""
        async with self._admin() as admin:
            await admin.delete_topics([topic])

    async def grow(self, topic: str, partitions: int) -> None:
        """Have so many partitions."""
        async with self._admin() as admin:
            await admin.create_partitions({topic: NewPartitions(partitions)})

    async def change(self, topic: str, **settings: object) -> None:
        """Replace all settings of a topic."""
        resource = ConfigResource(ConfigResourceType.TOPIC, topic, named(settings))
        async with self._admin() as admin:
            (answer,) = await admin.alter_configs([resource])
        assert answer.resources[0][0] == 0, answer

    async def stored(self, topic: str) -> dict[int, list[Record]]:
        """All records of a topic, by partition."""
        consumer = AIOKafkaConsumer(bootstrap_servers=self.servers)
        await consumer.start()
        try:
            await consumer._client._wait_on_metadata(topic)
            numbers = sorted(consumer.partitions_for_topic(topic))
            partitions = [TopicPartition(topic, number) for number in numbers]
            consumer.assign(partitions)
            await consumer.seek_to_beginning(*partitions)
            ends = await consumer.end_offsets(partitions)
            found: dict[int, list[Record]] = {}
            for partition in partitions:
                records: list[Record] = []
                while await consumer.position(partition) < ends[partition]:
                    fetched = await consumer.getmany(partition, timeout_ms=1000)
                    records += decode(fetched.get(partition, []), acked=-1)
                found[partition.partition] = records
            return found
        finally:
            await consumer.stop()

    async def check(
        self, topic: str, *calls: tuple[Sequence[Message], Sequence[PublishResult]]
    ) -> None:
        """Check what was published, in one or more calls; the messages' ids tell them apart.

        What has a position is there, once and as it was published, and in its partition in the
        order of its call; what was refused or failed for now is not looked for.
        """
        stored = await self.stored(topic)
        times = Counter(record.message.id for records in stored.values() for record in records)
        places = {
            Position(partition, record.offset): record.message
            for partition, records in stored.items()
            for record in records
        }
        for messages, results in calls:
            assert len(messages) == len(results)
            offsets = defaultdict(list)
            for message, result in zip(messages, results, strict=True):
                if isinstance(result, Position):
                    assert places[result] == message
                    assert times[message.id] == 1
                    offsets[result.partition].append(result.offset)
            for inside in offsets.values():
                assert all(one < next_one for one, next_one in pairwise(inside))

    @asynccontextmanager
    async def _admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.servers)
        await admin.start()
        try:
            yield admin
        finally:
            await admin.close()


def named(settings: dict[str, object]) -> dict[str, str]:
    return {name.replace("_", "."): str(value) for name, value in settings.items()}


class OpenPublisher(Protocol):
    """Opens a publisher that is closed with the test."""

    def __call__(
        self, servers: str, auth: dict[str, Any] | None = None, **options: Any
    ) -> Publisher:
        """Brokers and auth are those of the spec, the options those of `Publisher`."""


@pytest.fixture
async def open_publisher() -> AsyncIterator[OpenPublisher]:
    """Opens publishers at any brokers."""
    async with AsyncExitStack() as stack:

        def open_publisher(
            servers: str, auth: dict[str, Any] | None = None, **options: Any
        ) -> Publisher:
            named = {"bootstrapServers": servers, "auth": auth}
            spec = KafkaGatewaySpec.model_validate(named)
            cluster = Cluster(spec)
            stack.push_async_callback(cluster.close)
            publisher = Publisher(cluster, Topics(cluster, spec), **options)
            stack.push_async_callback(publisher.close)
            return publisher

        yield open_publisher


@pytest.fixture
def broker(kafka: KafkaServer) -> Broker:
    """The shared broker."""
    return Broker(kafka.bootstrap_servers)


@pytest.fixture
def broker_of() -> Callable[[str], Broker]:
    """Somebody at the broker of an address."""
    return Broker


@pytest.fixture
def publisher(broker: Broker, open_publisher: OpenPublisher) -> Publisher:
    """One at the shared broker."""
    return open_publisher(broker.servers)


@pytest.fixture
def topic() -> str:
    """The name of a topic that nobody else uses."""
    return f"published-{uuid.uuid4()}"
