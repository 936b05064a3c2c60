"""Publishing to the topics of a cluster."""

import asyncio
from collections.abc import Sequence

from penstock.plugin import Message, PenstockError, PublishResult, TemporaryError
from penstock_kafka.cluster import REQUEST_SECONDS, Cluster
from penstock_kafka.compression import Compression
from penstock_kafka.publisher.producer import Producer
from penstock_kafka.publisher.share import Share
from penstock_kafka.publisher.topic_lanes import TopicLanes
from penstock_kafka.topics import Topics

PATIENCE_SECONDS = float(REQUEST_SECONDS)

_SUSPICIOUS = 1 / 15
"""After this part of the time a call looks whether its topic is still there."""

_UNSETTLED = TemporaryError("publishing was cancelled")


class Publisher:
    """Publishes by one idempotent producer, which is started with the first message.

    Args:
        cluster: Where to.
        topics: Makes topics that are not there.
        compression: Of batches.
        patience: Seconds that a call waits for the brokers before it gives up.
    """

    def __init__(
        self,
        cluster: Cluster,
        topics: Topics,
        compression: Compression = Compression.NONE,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._cluster = cluster
        self._topics = topics
        self._patience = patience
        self._codec = compression.codec
        self._producer = Producer(cluster)
        self._lanes: dict[str, TopicLanes] = {}
        self._closed = False

    async def publish(self, topic: str, messages: Sequence[Message]) -> list[PublishResult]:
        """As `PubSub.publish`."""
        self._check_open()
        partitions = await self._topics.ensure(topic)
        if self._producer.partitions(topic) > partitions:  # somebody has added some
            self._topics.forget(topic)
            partitions = await self._topics.ensure(topic)
        self._check_open()
        if topic not in self._lanes:
            self._lanes[topic] = TopicLanes(self._cluster, self._producer, topic, self._codec)
        results: list[PublishResult] = [_UNSETTLED] * len(messages)
        shares = self._lanes[topic].share_out(messages, results, partitions)
        try:
            for share in shares:
                self._lanes[topic].store(share)
            await self._settle(topic, shares)
        finally:
            for share in shares:
                share.done.cancel()
        if any(share.has_failed for share in shares):
            self._topics.forget(topic)
        return results

    async def close(self) -> None:
        """Send what is being published, and hang up."""
        self._closed = True
        lanes = list(self._lanes.values())
        waiting = [share.done for lane in lanes for share in lane.shares]
        if waiting:
            await asyncio.wait(waiting, timeout=self._patience)
        for lane in lanes:
            await lane.close()
        await self._producer.close()

    def _check_open(self) -> None:
        if self._closed:
            raise TemporaryError("the gateway is closed: nothing can be published by it any more")

    async def _settle(self, topic: str, shares: Sequence[Share]) -> None:
        """Wait until all shares are done; those that take too long fail."""
        now = asyncio.get_running_loop().time
        deadline = now() + self._patience
        waiting = [share.done for share in shares]
        if (
            not waiting
            or not (await asyncio.wait(waiting, timeout=self._patience * _SUSPICIOUS))[1]
        ):
            return
        reason = await self._look_again(topic, shares, deadline)
        await asyncio.wait(waiting, timeout=max(0.0, deadline - now()))
        for share in shares:
            share.failed(
                TemporaryError(
                    f"partition {share.partition} of topic {topic} has not confirmed within "
                    f"{self._patience:.0f} s{reason}; what was sent may be stored nevertheless"
                )
            )

    async def _look_again(self, topic: str, shares: Sequence[Share], deadline: float) -> str:
        """Have a topic that may be gone, and say why it takes so long, if that is known."""
        self._topics.forget(topic)
        try:
            async with asyncio.timeout_at(deadline):
                partitions = await self._topics.ensure(topic)
                await self._producer.renew()
        except TimeoutError:
            return ": no broker answers"
        except PenstockError as error:
            return f": {error}"
        for share in shares:
            if share.partition >= partitions:
                gone = f"partition {share.partition} of topic {topic} is gone: publish again"
                share.failed(TemporaryError(gone))
        return ""
