"""The ways into the partitions of one topic."""

import secrets
from collections.abc import Iterable, Sequence

from penstock.plugin import Message, PublishResult
from penstock_kafka.cluster import Cluster
from penstock_kafka.publisher.lane import Lane
from penstock_kafka.publisher.limits import Limits
from penstock_kafka.publisher.partitioning import share_out
from penstock_kafka.publisher.producer import Producer
from penstock_kafka.publisher.share import Share


class TopicLanes:
    """Shares messages out to the partitions of a topic.

    Args:
        cluster: Where the topic is.
        producer: Sends the batches.
        topic: The topic.
        codec: How batches are compressed, by Kafka's number.
    """

    def __init__(self, cluster: Cluster, producer: Producer, topic: str, codec: int) -> None:
        self._producer = producer
        self._topic = topic
        self._codec = codec
        self._limits = Limits(cluster, topic)
        self._lanes: dict[int, Lane] = {}
        # Publishers that are started together, and again and again, begin with different ones.
        self._turn = secrets.randbelow(1 << 16)

    @property
    def shares(self) -> Iterable[Share]:
        """What is being stored."""
        return (share for lane in self._lanes.values() for share in lane.shares)

    def share_out(
        self, messages: Sequence[Message], results: list[PublishResult], partitions: int
    ) -> list[Share]:
        """Part the messages of one call by their partitions.

        Args:
            messages: In the order in which they are published.
            results: Gets the result of each, at the same place.
            partitions: How many the topic has.
        """
        shares = []
        keys = [message.key for message in messages]
        for partition, places in share_out(keys, partitions, self._turn).items():
            if isinstance(places, range):
                part = messages[places.start : places.stop]
            else:
                part = [messages[place] for place in places]
            shares.append(Share(partition, part, places, results))
        self._turn += len(messages)
        return shares

    def store(self, share: Share) -> None:
        """Begin to store messages; `Share.done` tells when that is done."""
        lane = self._lanes.get(share.partition)
        if lane is None:
            lane = Lane(self._topic, share.partition, self._producer, self._limits, self._codec)
            self._lanes[share.partition] = lane
        lane.add(share)

    async def close(self) -> None:
        """Let go of the batches that are on their way."""
        for lane in self._lanes.values():
            await lane.close()
