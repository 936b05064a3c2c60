"""The two faces of the gateway: topics, a publisher and groups behind penstock's interface.

The docstrings of `penstock.plugin.Gateway` say what each method promises, and to whom.
"""

from collections.abc import Mapping, Sequence

from penstock.plugin import (
    Address,
    AtTime,
    Edge,
    Gateway,
    Group,
    Health,
    Message,
    PublishResult,
    PubSub,
    Start,
    StreamName,
    StreamSettings,
    Subscription,
)
from penstock_kafka.cluster import Cluster
from penstock_kafka.groups import Groups
from penstock_kafka.publisher import Publisher
from penstock_kafka.spec import KafkaGatewaySpec
from penstock_kafka.topics import Topics


class KafkaPubSub(PubSub):
    """Publishes to topics of a cluster and reads them in consumer groups."""

    def __init__(self, spec: KafkaGatewaySpec) -> None:
        self._cluster = Cluster(spec)
        self._topics = Topics(self._cluster, spec)
        self._publisher = Publisher(self._cluster, self._topics, spec.compression)
        self._groups = Groups(self._cluster, self._topics)

    async def close(self) -> None:
        """Leave all groups, send what is being published, and hang up."""
        await self._groups.close()
        await self._publisher.close()
        await self._cluster.close()

    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[PublishResult]:
        """Store messages, each as a record."""
        return await self._publisher.publish(topic, messages)

    async def subscribe(
        self, topic: str, group: Group, start: Start, member: str = ""
    ) -> Subscription:
        """Join a consumer group of the same name."""
        return await self._groups.subscribe(topic, group, start, member)

    async def ack(self, topic: str, group: Group, positions: Mapping[int, int]) -> None:
        """Commit a group's positions, whoever says so."""
        await self._groups.ack(topic, group, positions)

    async def positions(self, topic: str, name: str) -> Mapping[int, Mapping[int, int]]:
        """The last acked offsets, by version and partition."""
        return await self._groups.positions(topic, name)

    async def end_positions(self, topic: str) -> Mapping[int, int]:
        """The offset of the last record, by partition."""
        return await self._topics.end_positions(topic)

    async def locate(self, topic: str, start: Edge | AtTime) -> Mapping[int, int]:
        """The first offset that a start delivers, by partition."""
        return await self._topics.locate(topic, start)


class KafkaGateway(KafkaPubSub, Gateway):
    """Makes streams as topics, beside publishing and reading them."""

    def __init__(self, spec: KafkaGatewaySpec) -> None:
        super().__init__(spec)
        self._topic_prefix = spec.topic_prefix

    async def check(self) -> Health:
        """Ask the cluster who is in it."""
        return await self._cluster.check()

    async def provision(self, stream: StreamSettings) -> Address:
        """Make the stream's topic, or find it made."""
        return await self._topics.provision(stream)

    async def deprovision(self, stream: StreamSettings) -> None:
        """Delete the stream's topic."""
        await self._topics.deprovision(stream)

    def stream_of(self, topic: str) -> StreamName | None:
        """Read the stream back from the topic's name, which begins with the gateway's prefix."""
        if not topic.startswith(self._topic_prefix):
            return None
        return super().stream_of(topic.removeprefix(self._topic_prefix))
