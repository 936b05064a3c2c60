"""The gateway: topics by name.

The docstrings of `penstock.plugin.Gateway` say what each method promises, and to whom.
"""

import asyncio
import time
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
    Retention,
    Start,
    StreamSettings,
    Subscription,
)
from penstock_inmemory.log import Clock
from penstock_inmemory.settings import bounds, check_stream, check_topic, drift_of, topic_of
from penstock_inmemory.spec import InMemoryGatewaySpec
from penstock_inmemory.subscription import InMemorySubscription
from penstock_inmemory.topic import Topic

GRACE_SECONDS = 30.0


class InMemoryGateway(Gateway):
    """Keeps everything in memory: it is gone when the gateway is closed.

    Args:
        spec: Settings; the defaults where left out.
        clock: The time that records are stored at.
        grace: Seconds that a member has to release a partition that it must give up.
    """

    def __init__(
        self,
        spec: InMemoryGatewaySpec | None = None,
        clock: Clock = time.time,
        grace: float = GRACE_SECONDS,
    ) -> None:
        self._spec = spec or InMemoryGatewaySpec()
        self._clock = clock
        self._grace = grace
        self._topics: dict[str, Topic] = {}

    async def close(self) -> None:
        """End every subscription and forget everything."""
        for topic in self._topics.values():
            topic.end("the gateway is closed")
        self._topics.clear()

    async def check(self) -> Health:
        """Memory is always there."""
        return Health(ready=True)

    async def provision(self, stream: StreamSettings) -> Address:
        """Make the stream's topic, or bring one that is there to the settings; never shrinks it."""
        check_stream(stream)
        wanted = stream.partitions or self._spec.partitions
        topic = self._topic(topic_of(stream), wanted)
        topic.change(wanted, bounds(stream.retention, self._spec.retention))
        return Address(topic_of(stream), drift=drift_of(stream, topic.partitions))

    async def deprovision(self, stream: StreamSettings) -> None:
        """Forget the stream's topic, its groups with it; subscriptions to it end."""
        name = topic_of(stream)
        if topic := self._topics.pop(name, None):
            topic.end(f"topic {name} was removed: subscribe again")

    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[PublishResult]:
        """Store messages; there is nothing for which one of a batch would be refused."""
        positions = self._topic(topic).publish(messages)
        # Nothing here ever waits: a publisher in a loop would let nobody else run.
        await asyncio.sleep(0)
        return positions

    async def subscribe(
        self,
        topic: str,
        group: Group,
        start: Start,
        member: str = "",  # noqa: ARG002 - no member outlives this process
    ) -> Subscription:
        """Join a group; it is made where there was none."""
        return InMemorySubscription(self._topic(topic).group(group), start)

    async def ack(self, topic: str, group: Group, positions: Mapping[int, int]) -> None:
        """Store a group's positions, whoever says so."""
        self._topic(topic).group(group).ack(positions)

    async def positions(self, topic: str, name: str) -> Mapping[int, Mapping[int, int]]:
        """The last acked offsets, by version and partition."""
        known = self._topics.get(topic)
        return known.positions(name) if known else {}

    async def end_positions(self, topic: str) -> Mapping[int, int]:
        """The offset of the last record that is kept, by partition."""
        known = self._topics.get(topic)
        return known.end_positions() if known else {}

    async def locate(self, topic: str, start: Edge | AtTime) -> Mapping[int, int]:
        """The first offset that a start delivers, by partition."""
        known = self._topics.get(topic)
        return known.locate(start) if known else {}

    def _topic(self, name: str, partitions: int | None = None) -> Topic:
        """The topic of a name, made with so many partitions where there was none."""
        topic = self._topics.get(name)
        if not topic:
            check_topic(name)
            retention = bounds(Retention(), self._spec.retention)
            wanted = partitions or self._spec.partitions
            topic = Topic(wanted, retention, self._clock, self._grace)
            self._topics[name] = topic
        return topic
