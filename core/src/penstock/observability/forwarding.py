"""What stands in front of a gateway or a subscription and passes everything on.

Whoever watches one of them overrides what it has to see.
"""

from collections.abc import Collection, Mapping, Sequence

from penstock.plugin import (
    READ_BYTES,
    AtTime,
    Edge,
    Group,
    Message,
    PublishResult,
    PubSub,
    Record,
    Start,
    Subscription,
    SubscriptionEvent,
)


class ForwardingPubSub(PubSub):
    """Passes on to another."""

    def __init__(self, inner: PubSub) -> None:
        self._inner = inner

    async def open(self) -> None:
        """Pass it on."""
        await self._inner.open()

    async def close(self) -> None:
        """Pass it on."""
        await self._inner.close()

    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[PublishResult]:
        """Pass it on."""
        return await self._inner.publish(topic, messages)

    async def subscribe(
        self, topic: str, group: Group, start: Start, member: str = ""
    ) -> Subscription:
        """Pass it on."""
        return await self._inner.subscribe(topic, group, start, member)

    async def ack(self, topic: str, group: Group, positions: Mapping[int, int]) -> None:
        """Pass it on."""
        await self._inner.ack(topic, group, positions)

    async def positions(self, topic: str, name: str) -> Mapping[int, Mapping[int, int]]:
        """Pass it on."""
        return await self._inner.positions(topic, name)

    async def end_positions(self, topic: str) -> Mapping[int, int]:
        """Pass it on."""
        return await self._inner.end_positions(topic)

    async def locate(self, topic: str, start: Edge | AtTime) -> Mapping[int, int]:
        """Pass it on."""
        return await self._inner.locate(topic, start)


class ForwardingSubscription(Subscription):
    """Passes on to another."""

    def __init__(self, inner: Subscription) -> None:
        self._inner = inner

    async def next_event(self) -> SubscriptionEvent:
        """Pass it on."""
        return await self._inner.next_event()

    async def read(
        self, partition: int, max_records: int, max_bytes: int = READ_BYTES
    ) -> Sequence[Record]:
        """Pass it on."""
        return await self._inner.read(partition, max_records, max_bytes)

    async def release(self, partitions: Collection[int]) -> None:
        """Pass it on."""
        await self._inner.release(partitions)

    async def ack(self, positions: Mapping[int, int]) -> None:
        """Pass it on."""
        await self._inner.ack(positions)

    async def close(self) -> None:
        """Pass it on."""
        await self._inner.close()
