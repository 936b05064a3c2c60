"""The topics of a cluster."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping

from penstock.plugin import Address, AtTime, Edge, PermanentError, StreamSettings
from penstock_kafka.cluster import Cluster
from penstock_kafka.errors import CLIENT_ERRORS, translated
from penstock_kafka.spec import KafkaGatewaySpec
from penstock_kafka.topics.administration import Administration
from penstock_kafka.topics.declaration import (
    BROKERS_DEFAULT,
    gateways_declaration,
    streams_declaration,
)
from penstock_kafka.topics.names import check_topic, is_possible, registry_of, topic_of
from penstock_kafka.topics.offsets import Offsets
from penstock_kafka.topics.provisioning import Provisioning
from penstock_kafka.topics.registry import Registry
from penstock_kafka.topics.requests import Requests


class Topics:
    """Makes and describes topics.

    Args:
        cluster: Where they are.
        spec: Defaults for what a stream leaves open.
    """

    def __init__(self, cluster: Cluster, spec: KafkaGatewaySpec) -> None:
        self._spec = spec
        requests = Requests(cluster)
        self._offsets = Offsets(requests)
        self._administration = Administration(requests)
        self._registry = Registry(
            registry_of(spec.topic_prefix),
            spec.replication_factor or BROKERS_DEFAULT,
            cluster,
            self._administration,
            self._offsets,
        )
        self._provisioning = Provisioning(
            self._administration, self._registry, spec.existing_topics
        )
        self._counts: dict[str, int] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def ensure(self, topic: str) -> int:
        """Have a topic, made with the gateway's defaults where there is none.

        Called before each publish and each subscription; answers from memory where it can.

        Returns:
            How many partitions it has, or had when it was last looked at.

        Raises:
            PermanentError: The name is impossible, or the cluster refuses to make it.
            TemporaryError: Try again.
        """
        count = self._counts.get(topic)
        if count is not None:
            return count
        check_topic(topic)
        if topic == self._registry.topic:
            raise PermanentError(f"topic {topic} is the gateway's own: choose another")
        async with self._locks[topic]:
            count = self._counts.get(topic) or await self.partitions(topic)
            if not count:
                made = await self._provisioning.make(gateways_declaration(topic, self._spec))
                count = self._counts[topic] = made.partitions
        return count

    def forget(self, topic: str) -> None:
        """Look at a topic anew when it is asked for next: a broker says that it is gone."""
        self._counts.pop(topic, None)

    async def partitions(self, topic: str) -> int:
        """How many partitions a topic has now; 0: there is no such topic, and none is made.

        Raises:
            TemporaryError: Try again.
            PermanentError: The cluster refuses to say.
        """
        if not is_possible(topic):
            return 0
        try:
            layout = await self._administration.find(topic)
        except CLIENT_ERRORS as error:
            raise translated(error, f"looking for topic {topic}") from error
        if layout is None:
            self.forget(topic)
            return 0
        self._counts[topic] = layout.partitions
        return layout.partitions

    async def earliest(self, topic: str, partitions: Collection[int]) -> Mapping[int, int]:
        """The first offset that is kept, by partition; the end where none is.

        Raises:
            TemporaryError: Try again; the topic or a partition may be gone.
        """
        return await self._offsets.earliest(topic, partitions)

    async def end_offsets(self, topic: str, partitions: Collection[int]) -> Mapping[int, int]:
        """The offset behind the last committed record (the last stable offset), by partition.

        Raises:
            TemporaryError: Try again; the topic or a partition may be gone.
        """
        return await self._offsets.ends(topic, partitions)

    async def offsets_at(
        self, topic: str, timestamp_ms: int, partitions: Collection[int]
    ) -> Mapping[int, int]:
        """The first record stored at or after a time, by partition; the end where there is none.

        Args:
            topic: The topic.
            timestamp_ms: Milliseconds since the epoch.
            partitions: Which ones.

        Raises:
            TemporaryError: Try again; the topic or a partition may be gone.
        """
        return await self._offsets.at(topic, timestamp_ms, partitions)

    async def end_positions(self, topic: str) -> Mapping[int, int]:
        """The offset of the last record, by partition; those without records are left out.

        A topic that nobody made has none, and is not made by asking.

        Raises:
            TemporaryError: Try again.
        """
        partitions = range(await self.partitions(topic))
        if not partitions:
            return {}
        earliest, ends = await asyncio.gather(
            self._offsets.earliest(topic, partitions), self._offsets.ends(topic, partitions)
        )
        return {p: ends[p] - 1 for p in partitions if ends[p] > earliest[p]}

    async def locate(self, topic: str, start: Edge | AtTime) -> Mapping[int, int]:
        """As `PubSub.locate`.

        Raises:
            TemporaryError: Try again.
        """
        partitions = range(await self.partitions(topic))
        if not partitions:
            return {}
        if isinstance(start, AtTime):
            return await self.offsets_at(topic, start.timestamp_ms, partitions)
        find = self.earliest if start is Edge.EARLIEST else self.end_offsets
        return await find(topic, partitions)

    async def provision(self, stream: StreamSettings) -> Address:
        """As `Gateway.provision`."""
        declared = streams_declaration(stream, self._spec)
        async with self._locks[declared.topic]:
            drift = await self._provisioning.provision(declared)
            self.forget(declared.topic)
        return Address(declared.topic, drift=drift)

    async def deprovision(self, stream: StreamSettings) -> None:
        """As `Gateway.deprovision`; a topic that no gateway made is left."""
        topic = topic_of(stream, self._spec.topic_prefix)
        async with self._locks[topic]:
            await self._provisioning.deprovision(topic)
            self.forget(topic)
