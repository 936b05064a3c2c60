"""Topics of gateways on the shared broker, each test with a prefix of its own."""

import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from typing import Any, Protocol

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from penstock_kafka import KafkaGatewaySpec
from penstock_kafka.cluster import Cluster
from penstock_kafka.topics import Topics
from penstock_kafka.topics.administration import Administration
from penstock_kafka.topics.entry import Entry
from penstock_kafka.topics.names import registry_of
from penstock_kafka.topics.offsets import Offsets
from penstock_kafka.topics.registry import Registry
from penstock_kafka.topics.requests import Requests
from tests.servers.kafka import KafkaServer


class OpenTopics(Protocol):
    """Opens the topics of one more gateway; they are closed with the test."""

    def __call__(self, **fields: Any) -> Topics:
        """The arguments are fields of the spec, over the shared broker and the test's prefix."""


class Broker:
    """What somebody else does to topics, without a gateway, and sees of them.

    Args:
        cluster: Where.
        admin: Somebody's client.
        prefix: Of the gateways of this test.
    """

    def __init__(self, cluster: Cluster, admin: AIOKafkaAdminClient, prefix: str) -> None:
        requests = Requests(cluster)
        self.administration = Administration(requests)
        self._registry = Registry(
            registry_of(prefix), 1, cluster, self.administration, Offsets(requests)
        )
        self._admin = admin

    async def make(
        self, topic: str, partitions: int = 1, settings: Mapping[str, str] | None = None
    ) -> None:
        """Make a topic of which no gateway knows."""
        new = NewTopic(topic, partitions, 1, topic_configs=dict(settings or {}))
        reply = await self._admin.create_topics([new])
        assert reply.topic_errors[0][1] == 0, reply
        await self.administration.wait_until_led(topic)

    async def partitions(self, topic: str) -> int:
        """How many partitions a topic has; 0: there is no such topic."""
        layout = await self.administration.find(topic)
        return layout.partitions if layout else 0

    async def value(self, topic: str, name: str) -> str | None:
        """The value of a setting."""
        return (await self.administration.settings(topic))[name].value

    async def set_on(self, topic: str) -> dict[str, str | None]:
        """The settings that are set on the topic itself."""
        settings = await self.administration.settings(topic)
        return {name: setting.value for name, setting in settings.items() if setting.is_set}

    async def noted(self, topic: str) -> Entry | None:
        """What gateways have noted about a topic."""
        return await self._registry.find(topic)

    async def note(self, topic: str, entry: Entry) -> None:
        """Note about a topic what a gateway would."""
        await self._registry.note(topic, entry)


@pytest.fixture
def prefix() -> str:
    return f"t{uuid.uuid4().hex[:12]}."


@pytest.fixture
def topic(prefix: str) -> str:
    """The topic of the stream `stream` in namespace `space`."""
    return f"{prefix}space_stream"


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


@pytest.fixture
def open_topics(kafka: KafkaServer, prefix: str, stack: AsyncExitStack) -> OpenTopics:
    def open_(**fields: Any) -> Topics:
        defaults = {"bootstrap_servers": kafka.bootstrap_servers, "topic_prefix": prefix}
        spec = KafkaGatewaySpec(**(defaults | fields))
        cluster = Cluster(spec)
        stack.push_async_callback(cluster.close)
        return Topics(cluster, spec)

    return open_


@pytest.fixture
def topics(open_topics: OpenTopics) -> Topics:
    """The topics of a gateway that says nothing about them."""
    return open_topics()


@pytest.fixture
async def broker(kafka: KafkaServer, prefix: str, stack: AsyncExitStack) -> Broker:
    spec = KafkaGatewaySpec(bootstrap_servers=kafka.bootstrap_servers)
    cluster = Cluster(spec)
    stack.push_async_callback(cluster.close)
    return Broker(cluster, await cluster.admin(), prefix)
