"""An input and an output whose messages are counted."""

from collections.abc import Callable, Sequence

from penstock.observability.forwarding import ForwardingPubSub
from penstock.observability.group_progress import GroupProgress
from penstock.observability.traffic import (
    BatchMeter,
    MeasuredSubscription,
    PublishMeter,
    ReadMeter,
    reason_of,
)
from penstock.plugin import (
    READ_BYTES,
    Assigned,
    Message,
    PublishResult,
    PubSub,
    Record,
    Subscription,
    SubscriptionEvent,
    TemporaryError,
)
from penstock_sidecar.observability.batch_latency import BatchLatency


class MeasuredInput(MeasuredSubscription):
    """Counts what is read, and notes how old it is.

    Args:
        inner: The membership.
        meter: Where it is counted.
        progress: Told how far the group is.
        latency: Told of each batch.
    """

    def __init__(
        self,
        inner: Subscription,
        meter: ReadMeter,
        progress: GroupProgress,
        latency: BatchLatency,
    ) -> None:
        super().__init__(inner, meter, progress)
        self._latency = latency

    async def next_event(self) -> SubscriptionEvent:
        """Begin anew with partitions that are assigned."""
        event = await super().next_event()
        if isinstance(event, Assigned):
            self._latency.forget(event.partitions)
        return event

    async def read(
        self, partition: int, max_records: int, max_bytes: int = READ_BYTES
    ) -> Sequence[Record]:
        """Note a batch."""
        records = await super().read(partition, max_records, max_bytes)
        if records:
            self._latency.read(partition, records)
        return records


class MeasuredOutput(ForwardingPubSub):
    """Counts what is published.

    Args:
        inner: Where to.
        batches: Where batches are counted.
        meter: Where it is counted what becomes of their messages.
        retried: Told of each batch of which something is to be published again.
    """

    def __init__(
        self,
        inner: PubSub,
        batches: BatchMeter,
        meter: PublishMeter,
        retried: Callable[[], None],
    ) -> None:
        super().__init__(inner)
        self._batches = batches
        self._meter = meter
        self._retried = retried

    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[PublishResult]:
        """Count a batch and what becomes of it."""
        with self._batches.measure(len(messages)):
            try:
                results = await super().publish(topic, messages)
            except Exception as error:
                self._meter.failed(reason_of(error), len(messages))
                if isinstance(error, TemporaryError):
                    self._retried()
                raise
        failed = self._meter.count(messages, results)
        if any(isinstance(result, TemporaryError) for result in failed):
            self._retried()
        return results
