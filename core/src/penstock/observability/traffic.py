"""Counts what passes to and from a messaging system, once for each batch."""

from collections import Counter as Tally
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from penstock.observability.forwarding import ForwardingSubscription
from penstock.observability.group_progress import GroupProgress
from penstock.plugin import (
    READ_BYTES,
    Assigned,
    ContentTypeMismatch,
    Message,
    NotReady,
    PermanentError,
    Position,
    PositionExpired,
    PublishResult,
    Record,
    Revoked,
    Subscription,
    SubscriptionEvent,
    TemporaryError,
    Unsupported,
)

# Which reason an error is counted under: that of the first class that it is of.
_REASONS: Final = (
    (ContentTypeMismatch, "content_type"),
    (Unsupported, "unsupported"),
    (PermanentError, "permanent"),
    (NotReady, "not_ready"),
    (TemporaryError, "temporary"),
    (BaseException, "internal"),
)


def reason_of(error: BaseException) -> str:
    """Why something was refused or failed, in one of six words."""
    return next(reason for kind, reason in _REASONS if isinstance(error, kind))


@dataclass(frozen=True, slots=True)
class BatchMeter:
    """Where the batches are counted that are published.

    Attributes:
        messages: How many each of them has.
        seconds: From the request to its answer.
        under_way: Messages that wait for that answer.
    """

    messages: Histogram
    seconds: Histogram
    under_way: Gauge

    @contextmanager
    def measure(self, messages: int) -> Iterator[None]:
        """Count a batch that is published within."""
        began = perf_counter()
        self.under_way.inc(messages)
        try:
            yield
        finally:
            self.under_way.dec(messages)
            self.seconds.observe(perf_counter() - began)
            self.messages.observe(messages)


@dataclass(frozen=True, slots=True)
class PublishMeter:
    """Where it is counted what became of messages.

    Attributes:
        messages, bytes: What was stored; bytes of payload.
        failed: Told of messages that were not stored: why, and how many.
    """

    messages: Counter
    bytes: Counter
    failed: Callable[[str, int], None]

    def count(
        self, messages: Sequence[Message], results: Sequence[PublishResult]
    ) -> Sequence[PublishResult]:
        """Count what a publish answered; returns the results of what was not stored."""
        failed = [result for result in results if not isinstance(result, Position)]
        if failed:
            messages = [
                message
                for message, result in zip(messages, results, strict=True)
                if isinstance(result, Position)
            ]
            for reason, some in Tally(map(reason_of, failed)).items():
                self.failed(reason, some)
        self.messages.inc(len(messages))
        self.bytes.inc(sum([len(message.payload) for message in messages]))
        return failed


@dataclass(frozen=True, slots=True)
class ReadMeter:
    """Where the reading of one topic is counted.

    Attributes:
        messages, bytes: What was read; bytes of payload.
        batches: Messages in each read.
        expired: Gaps that retention left in front of a reader.
        acks: Positions that were stored, of one partition each.
        assigned, revoked: Partitions that came and went.
        retried: Told of what failed and is done again: `read` or `ack`.
    """

    messages: Counter
    bytes: Counter
    batches: Histogram
    expired: Counter
    acks: Counter
    assigned: Counter
    revoked: Counter
    retried: Callable[[str], None]


class MeasuredSubscription(ForwardingSubscription):
    """Counts what a member reads and acks, and which partitions it is given.

    Args:
        inner: What it is given by.
        meter: Where it is counted.
        progress: Told how far the group is; it knows of this member.
        closed: Called once, when the member leaves.
    """

    def __init__(
        self,
        inner: Subscription,
        meter: ReadMeter,
        progress: GroupProgress,
        closed: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(inner)
        self._meter = meter
        self._progress = progress
        self._closed: Callable[[], None] | None = closed
        self._held: set[int] = set()

    async def next_event(self) -> SubscriptionEvent:
        """Count the partitions of an assignment or a revocation."""
        event = await self._inner.next_event()
        match event:
            case Assigned(partitions):
                self._meter.assigned.inc(len(partitions))
                self._progress.assigned(partitions)
                self._held |= partitions
            case Revoked(partitions):
                self._meter.revoked.inc(len(partitions))
                self._progress.revoked(partitions)
                self._held -= partitions
        return event

    async def read(
        self, partition: int, max_records: int, max_bytes: int = READ_BYTES
    ) -> Sequence[Record]:
        """Count what is read."""
        try:
            records = await self._inner.read(partition, max_records, max_bytes)
        except PositionExpired as gap:
            self._meter.expired.inc()
            self._progress.gone(partition, gap.earliest)
            raise
        except TemporaryError:
            self._meter.retried("read")
            raise
        if records:
            self._progress.delivered(partition, records[0].offset)
            self._meter.batches.observe(len(records))
            self._meter.messages.inc(len(records))
            self._meter.bytes.inc(sum([len(record.message.payload) for record in records]))
        return records

    async def ack(self, positions: Mapping[int, int]) -> None:
        """Count the positions that are stored."""
        try:
            await self._inner.ack(positions)
        except TemporaryError:
            self._meter.retried("ack")
            raise
        self._meter.acks.inc(len(positions))

    async def close(self) -> None:
        """Note that the member is gone."""
        closed, self._closed = self._closed, None
        if closed is not None:
            self._progress.revoked(self._held)
            self._progress.end()
            closed()
        await self._inner.close()
