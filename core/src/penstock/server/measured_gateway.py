"""A gateway whose traffic is counted, whatever it is and whoever asks."""

from collections.abc import Collection, Mapping, Sequence

from penstock.observability.metrics_page import MetricsPage
from penstock.observability.traffic import MeasuredSubscription
from penstock.plugin import (
    Address,
    Gateway,
    Group,
    Health,
    Message,
    PublishResult,
    Start,
    StreamSettings,
    Subscription,
)
from penstock.server.batch_session import BatchSession
from penstock.server.forwarding_gateway import ForwardingGateway
from penstock.server.metrics import GatewayMetrics


class MeasuredGateway(ForwardingGateway):
    """Counts.

    Args:
        inner: The gateway.
        name: What metrics call it.
        metrics: Where it is counted; left out: on a page of its own.

    Attributes:
        page: Where that is shown.
    """

    def __init__(self, inner: Gateway, name: str, metrics: GatewayMetrics | None = None) -> None:
        super().__init__(inner)
        metrics = metrics or GatewayMetrics(MetricsPage())
        self.page = metrics.page
        self._meter = metrics.of(name)

    def refused(self, topic: str, reason: Exception, messages: int) -> None:
        """Count what its server refuses without asking it."""
        self._meter.refused(topic, reason, messages)

    def watch(self, sessions: Collection[BatchSession]) -> None:
        """Show what is buffered in sessions; the collection is looked at each time."""
        self._meter.buffered = lambda: [session.buffered for session in sessions]

    async def close(self) -> None:
        """Measure no more."""
        await self._meter.lag.close()
        await super().close()

    async def check(self) -> Health:
        """Note what it says."""
        try:
            health = await super().check()
        except BaseException:
            # It broke its promise, or did not answer in time.
            self._meter.ready.set(0)
            raise
        self._meter.ready.set(health.ready)
        return health

    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[PublishResult]:
        """Count a batch and what became of its messages."""
        with self._meter.batches.measure(len(messages)):
            try:
                results = await super().publish(topic, messages)
            except Exception as error:
                self._meter.refused(topic, error, len(messages))
                raise
        self._meter.topic(topic).publish.count(messages, results)
        return results

    async def subscribe(
        self, topic: str, group: Group, start: Start, member: str = ""
    ) -> Subscription:
        """Count a subscription for as long as it is open, and what is read and acked by it."""
        subscription = await super().subscribe(topic, group, start, member)
        try:
            followed = await self._meter.lag.join(self._inner, topic, group, start)
        except BaseException:
            await subscription.close()
            raise
        meter = self._meter.topic(topic)
        meter.subscriptions.inc()

        def closed() -> None:
            meter.subscriptions.dec()
            followed.note()

        return MeasuredSubscription(subscription, meter.read, followed.progress, closed)

    async def ack(self, topic: str, group: Group, positions: Mapping[int, int]) -> None:
        """Count positions, and follow the group."""
        await super().ack(topic, group, positions)
        self._meter.topic(topic).read.acks.inc(len(positions))
        self._meter.lag.follow(self._inner, topic, group)

    async def provision(self, stream: StreamSettings) -> Address:
        """Note which topic a stream has."""
        address = await super().provision(stream)
        self._meter.provisioned(address.topic, stream.namespace, stream.name)
        return address

    async def deprovision(self, stream: StreamSettings) -> None:
        """Count nothing more of it."""
        await super().deprovision(stream)
        self._meter.deprovisioned(stream.namespace, stream.name)
