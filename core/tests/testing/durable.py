"""A messaging system in this process that outlives its gateways, and that can be done harm."""

import asyncio
from collections.abc import Collection, Mapping, Sequence

from pydantic import BaseModel

from penstock.plugin import (
    READ_BYTES,
    Address,
    Capability,
    Gateway,
    GatewayKind,
    Group,
    Health,
    Message,
    NotReady,
    Plugin,
    PublishResult,
    Record,
    Start,
    StreamSettings,
    Subscription,
    SubscriptionEvent,
)
from penstock.testing import Fault
from penstock_inmemory import InMemoryGateway


class Broker:
    """Keeps everything in memory, whatever becomes of the gateways that use it.

    Attributes:
        store: What is kept.
        reachable: Whether anybody gets through to it.
        running: Set, but for while it is frozen.
        delay: Seconds that every call takes.
        subscriptions: Those that are open.
    """

    def __init__(self) -> None:
        self.store = InMemoryGateway()
        self.reachable = True
        self.running = asyncio.Event()
        self.running.set()
        self.delay = 0.0
        self.subscriptions: set[Subscription] = set()

    async def answer(self) -> None:
        """Wait until it serves a call."""
        if not self.reachable:
            raise NotReady("the broker is away")
        await self.running.wait()
        if self.delay:
            await asyncio.sleep(self.delay)


class Harm(Fault):
    """What can be done to a broker: everything."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def bounce(self) -> None:
        """Lose all members."""
        self._broker.reachable = False
        for subscription in self._broker.subscriptions:
            await subscription.close()
        await asyncio.sleep(0.05)  # so long it takes to start
        self._broker.reachable = True

    async def freeze(self) -> None:
        """Answer nobody."""
        self._broker.running = asyncio.Event()

    async def thaw(self) -> None:
        """Answer everybody."""
        self._broker.running.set()

    async def cut(self) -> None:
        """Refuse everybody."""
        self._broker.reachable = False

    async def slow(self) -> None:
        """Take a while for every call."""
        self._broker.delay = 0.02

    async def restore(self) -> None:
        """Be as before."""
        self._broker.reachable, self._broker.delay = True, 0.0


class DurableSubscription(Subscription):
    """A member of a group at the broker."""

    def __init__(self, broker: Broker, inner: Subscription) -> None:
        self._broker = broker
        self._inner = inner
        broker.subscriptions.add(inner)

    async def next_event(self) -> SubscriptionEvent:
        return await self._inner.next_event()

    async def read(
        self, partition: int, max_records: int, max_bytes: int = READ_BYTES
    ) -> Sequence[Record]:
        await self._broker.answer()
        return await self._inner.read(partition, max_records, max_bytes)

    async def release(self, partitions: Collection[int]) -> None:
        await self._inner.release(partitions)

    async def ack(self, positions: Mapping[int, int]) -> None:
        await self._broker.answer()
        await self._inner.ack(positions)

    async def close(self) -> None:
        self._broker.subscriptions.discard(self._inner)
        await self._inner.close()


class DurableGateway(Gateway):
    """A gateway to a broker; when it is closed its members leave, and nothing else happens."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self._subscriptions: list[Subscription] = []

    async def close(self) -> None:
        for subscription in self._subscriptions:
            await subscription.close()

    async def check(self) -> Health:
        try:
            async with asyncio.timeout(0.2):
                await self.broker.answer()
        except (NotReady, TimeoutError):
            return Health(ready=False, message="the broker does not answer")
        return Health(ready=True)

    async def provision(self, stream: StreamSettings) -> Address:
        await self.broker.answer()
        return await self.broker.store.provision(stream)

    async def deprovision(self, stream: StreamSettings) -> None:
        await self.broker.answer()
        await self.broker.store.deprovision(stream)

    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[PublishResult]:
        await self.broker.answer()
        return await self.broker.store.publish(topic, messages)

    async def subscribe(
        self, topic: str, group: Group, start: Start, member: str = ""
    ) -> Subscription:
        await self.broker.answer()
        inner = await self.broker.store.subscribe(topic, group, start, member)
        subscription = DurableSubscription(self.broker, inner)
        self._subscriptions.append(subscription)
        return subscription

    async def ack(self, topic: str, group: Group, positions: Mapping[int, int]) -> None:
        await self.broker.answer()
        await self.broker.store.ack(topic, group, positions)

    async def positions(self, topic: str, name: str) -> Mapping[int, Mapping[int, int]]:
        await self.broker.answer()
        return await self.broker.store.positions(topic, name)

    async def end_positions(self, topic: str) -> Mapping[int, int]:
        await self.broker.answer()
        return await self.broker.store.end_positions(topic)


class NoSpec(BaseModel):
    """A spec without fields."""


def durable_plugin(gateway: type[DurableGateway], broker: Broker) -> Plugin:
    """A plugin whose gateways are all of one broker."""
    kind = GatewayKind("DurableGateway", NoSpec, frozenset(Capability), "For tests.")
    return Plugin("durable", "tests", "0", kind, lambda _: gateway(broker), None)
