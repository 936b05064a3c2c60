"""Publishing: batches of messages as batches of records."""

from collections.abc import Sequence

from penstock.plugin import Message, PublishResult
from penstock_kafka.cluster import Cluster
from penstock_kafka.topics import Topics


class Publisher:
    """Publishes by one idempotent producer, which is started with the first message.

    Args:
        cluster: Where to.
        topics: Makes topics that are not there.
    """

    def __init__(self, cluster: Cluster, topics: Topics) -> None:
        self._cluster = cluster
        self._topics = topics

    async def publish(self, topic: str, messages: Sequence[Message]) -> list[PublishResult]:
        """As `PubSub.publish`."""
        raise NotImplementedError

    async def close(self) -> None:
        """Send what is being published, and hang up."""
