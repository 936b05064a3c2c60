"""The topics of a cluster."""

from collections.abc import Mapping

from aiokafka.admin import NewTopic

from penstock.plugin import Address, StreamSettings
from penstock_kafka.cluster import Cluster
from penstock_kafka.spec import KafkaGatewaySpec


class Topics:
    """Makes and describes topics.

    Args:
        cluster: Where they are.
        spec: Defaults for what a stream leaves open.
    """

    def __init__(self, cluster: Cluster, spec: KafkaGatewaySpec) -> None:
        self._cluster = cluster
        self._spec = spec

    async def ensure(self, topic: str) -> int:
        """Have a topic, made with the gateway's defaults where there is none.

        Called before each publish and each subscription; answers from memory where it can.

        Returns:
            How many partitions it has.

        Raises:
            PermanentError: The name is impossible, or the cluster refuses to make it.
            TemporaryError: Try again.
        """
        admin = await self._cluster.admin()
        await admin.create_topics([NewTopic(topic, 1, -1)])
        described = await admin.describe_topics([topic])
        return len(described[0]["partitions"])

    async def end_positions(self, topic: str) -> Mapping[int, int]:
        """The offset of the last record, by partition; those without records are left out."""
        raise NotImplementedError

    async def provision(self, stream: StreamSettings) -> Address:
        """As `Gateway.provision`."""
        topic = f"{stream.namespace}_{stream.name}"
        await self.ensure(topic)
        return Address(topic)

    async def deprovision(self, stream: StreamSettings) -> None:
        """As `Gateway.deprovision`."""
        raise NotImplementedError
