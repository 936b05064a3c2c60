"""Counts a processor's data path."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from time import time
from typing import Final

from penstock.observability.lag import FollowedGroup, LagWatch
from penstock.observability.metrics_page import MetricsPage
from penstock.observability.traffic import BatchMeter, PublishMeter, ReadMeter
from penstock_sidecar.engine import Settings, Usage
from penstock_sidecar.function import FunctionCall
from penstock_sidecar.observability.batch_latency import BatchLatency
from penstock_sidecar.observability.measured_call import MeasuredCall
from penstock_sidecar.observability.measured_streams import MeasuredInput, MeasuredOutput
from penstock_sidecar.observability.metrics import SidecarMetrics
from penstock_sidecar.observability.names import Names
from penstock_sidecar.observability.observer import Membership, Observer
from penstock_sidecar.pump import Pump, Sink, Source

_COUNTED: Final = (
    "ended_windows",
    "retries",
    "dead_letters",
    "lost",
    "late_dropped",
    "late_dead",
    "late_windows",
    "undated",
    "ended_early",
)
"""What is counted, where everything else is what an engine holds now."""

_EARLY: Final = ("maxMessages", "maxBytes", "buffer")


class Measuring(Observer):
    """Shows what a processor does.

    Args:
        page: Where.
        names: For the labels.
        settings: For the limits of the buffers.
        is_ready: Whether messages can flow.
    """

    def __init__(
        self, page: MetricsPage, names: Names, settings: Settings, is_ready: Callable[[], bool]
    ) -> None:
        self._metrics = SidecarMetrics(page)
        self._names = names
        self._is_ready = is_ready
        self._lag = LagWatch(held=True)
        self._inputs: dict[int, FollowedGroup] = {}
        self._pump: Pump | None = None
        self._counted = Usage()
        metrics, processor = self._metrics, names.processor
        metrics.about.labels(processor, names.namespace, names.group).set(1)
        for buffer, marks in (
            ("read", settings.read_marks),
            ("held", settings.hold_marks),
            ("write", settings.write_marks),
        ):
            metrics.buffer_limit_messages.labels(processor, buffer).set(marks.high_records)
            metrics.buffer_limit_bytes.labels(processor, buffer).set(marks.high_bytes)
        self._latency = metrics.end_to_end_seconds.labels(processor)
        self._calls = metrics.function_calls.labels(processor)
        self._seconds = metrics.function_seconds.labels(processor)
        self._batches = BatchMeter(
            messages=metrics.output_batch.labels(processor),
            seconds=metrics.publish_seconds.labels(processor),
            under_way=metrics.publishing_messages.labels(processor),
        )
        for operation in ("read", "publish", "ack", "function", "session"):
            metrics.retries.labels(processor, operation)
        for reason in ("failed", "gone"):
            metrics.function_failures.labels(processor, reason)
        self._show(Usage())
        page.refresh_with(self._refresh)

    async def close(self) -> None:
        """Ask the gateways nothing more."""
        await self._lag.close()

    async def source(self, number: int, source: Source, membership: Membership) -> Source:
        """Count what is read and acked, and how long it takes until it is done."""
        followed = await self._lag.join(*membership)
        self._inputs[number] = followed
        latency = BatchLatency()

        def done(positions: Mapping[int, int]) -> None:
            for seconds in latency.done(positions, time() * 1000):
                self._latency.observe(seconds)
            source.done(positions)

        meter = self._read_meter(number)
        measured = MeasuredInput(source.subscription, meter, followed.progress, latency)
        return replace(source, subscription=measured, done=done)

    def _read_meter(self, number: int) -> ReadMeter:
        metrics, names = self._metrics, (self._names.processor, *self._names.inputs[number])
        return ReadMeter(
            messages=metrics.input_messages.labels(*names),
            bytes=metrics.input_bytes.labels(*names),
            batches=metrics.input_batch.labels(self._names.processor),
            expired=metrics.expired_positions.labels(*names),
            acks=metrics.acks.labels(*names),
            assigned=metrics.assigned_partitions.labels(*names),
            revoked=metrics.revoked_partitions.labels(*names),
            retried=self._retried,
        )

    def sink(self, number: int, sink: Sink) -> Sink:
        """Count what is published."""
        metrics, names = self._metrics, (self._names.processor, *self._names.outputs[number])

        def failed(reason: str, messages: int) -> None:
            metrics.publish_failures.labels(*names, reason).inc(messages)

        meter = PublishMeter(
            messages=metrics.output_messages.labels(*names),
            bytes=metrics.output_bytes.labels(*names),
            failed=failed,
        )
        retried = partial(self._retried, "publish")
        return replace(sink, pubsub=MeasuredOutput(sink.pubsub, self._batches, meter, retried))

    def call(self, call: FunctionCall) -> FunctionCall:
        """Count a call, and take its time."""
        self._calls.inc()
        return MeasuredCall(call, self._seconds, self._failed)

    def started(self, pump: Pump) -> None:
        """Show what it holds."""
        self._pump = pump

    def ended(self, pump: Pump) -> None:
        """Show what it has done; what it held is given up."""
        done = pump.usage
        self._show(Usage(**{name: getattr(done, name) for name in _COUNTED}))
        self._pump, self._counted = None, Usage()

    def restarting(self) -> None:
        """Count it."""
        self._retried("session")

    def _retried(self, operation: str) -> None:
        self._metrics.retries.labels(self._names.processor, operation).inc()

    def _failed(self, reason: str) -> None:
        self._metrics.function_failures.labels(self._names.processor, reason).inc()

    async def _refresh(self) -> None:
        """Bring up to date what is not counted but measured."""
        metrics, processor = self._metrics, self._names.processor
        metrics.ready.labels(processor).set(self._is_ready())
        if self._pump:
            self._show(self._pump.usage)
        await self._lag.refresh()
        numbers = {followed: number for number, followed in self._inputs.items()}
        # Partitions come and go, and what is gone must not stay.
        metrics.lag.clear()
        for lag in self._lag.lags:
            if (number := numbers.get(lag.followed)) is not None:
                names = self._names.inputs[number]
                metrics.lag.labels(processor, *names, lag.partition).set(lag.messages)
        for number, followed in self._inputs.items():
            held = metrics.partitions.labels(processor, *self._names.inputs[number])
            held.set(len(followed.progress.partitions))

    def _show(self, usage: Usage) -> None:
        metrics, processor = self._metrics, self._names.processor
        metrics.open_windows.labels(processor).set(usage.open_windows)
        metrics.calls_in_flight.labels(processor).set(usage.calls)
        for buffer, messages, size in (
            ("read", usage.read_messages, usage.read_bytes),
            ("held", usage.held_messages, usage.held_bytes),
            ("write", usage.write_messages, usage.write_bytes),
        ):
            metrics.buffer_messages.labels(processor, buffer).set(messages)
            metrics.buffer_bytes.labels(processor, buffer).set(size)
        # What goes on again, or goes elsewhere, must not stay.
        metrics.stopped_partition.clear()
        for number, partition in usage.stopped:
            names = self._names.inputs[number]
            metrics.stopped_partition.labels(processor, *names, partition).set(1)
        before, self._counted = self._counted, usage
        for counter, total, counted in (
            (metrics.ended_windows, usage.ended_windows, before.ended_windows),
            (metrics.late_windows, usage.late_windows, before.late_windows),
            (metrics.undated_messages, usage.undated, before.undated),
            (metrics.dead_letters, usage.dead_letters, before.dead_letters),
            (metrics.lost_messages, usage.lost, before.lost),
        ):
            counter.labels(processor).inc(total - counted)
        late, retries = metrics.late_messages, metrics.retries
        late.labels(processor, "Drop").inc(usage.late_dropped - before.late_dropped)
        late.labels(processor, "DeadLetter").inc(usage.late_dead - before.late_dead)
        retries.labels(processor, "function").inc(usage.retries - before.retries)
        for reason in _EARLY:
            ended = usage.ended_early.get(reason, 0) - before.ended_early.get(reason, 0)
            metrics.early_windows.labels(processor, reason).inc(ended)
