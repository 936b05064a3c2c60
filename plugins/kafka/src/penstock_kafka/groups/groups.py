"""The consumer groups of a cluster."""

from collections.abc import Mapping

from penstock.plugin import Group, Start, Subscription
from penstock_kafka.cluster import Cluster
from penstock_kafka.topics import Topics


class Groups:
    """Joins groups, and stores their positions.

    Args:
        cluster: Where they are.
        topics: Makes topics that are not there.
    """

    def __init__(self, cluster: Cluster, topics: Topics) -> None:
        self._cluster = cluster
        self._topics = topics

    async def subscribe(
        self, topic: str, group: Group, start: Start, member: str = ""
    ) -> Subscription:
        """As `PubSub.subscribe`."""
        raise NotImplementedError

    async def ack(self, topic: str, group: Group, positions: Mapping[int, int]) -> None:
        """As `PubSub.ack`."""
        raise NotImplementedError

    async def positions(self, topic: str, name: str) -> Mapping[int, Mapping[int, int]]:
        """As `PubSub.positions`."""
        raise NotImplementedError

    async def close(self) -> None:
        """End every subscription."""
