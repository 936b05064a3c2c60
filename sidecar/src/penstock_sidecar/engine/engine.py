"""What the sidecar decides: events and a time in, commands out.

There is no input or output here, no clock, and nothing is done message by message that can be
done for a batch. Whoever runs the engine hands it every event, with a time that never goes back,
and carries the commands out in their order.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from penstock.media_type import fits
from penstock.plugin import ContentTypeMismatch, Message, PenstockError, PermanentError
from penstock_sidecar.engine import commands, events
from penstock_sidecar.engine.calls import Call, Calls
from penstock_sidecar.engine.completion import by_result, complete
from penstock_sidecar.engine.flow import Flow, Level, PartitionKey
from penstock_sidecar.engine.outputs import OutputQueue
from penstock_sidecar.engine.partitions import Partitions
from penstock_sidecar.engine.settings import Settings
from penstock_sidecar.engine.settlement import Checkpoint, Checkpoints, Partition, Run, describe
from penstock_sidecar.engine.usage import Usage
from penstock_sidecar.engine.windows import windows_of

FAIL_SECONDS = 5.0
"""How long a failure may wait for the outputs of what was done before it."""


class Engine:
    """One run of a processor, from its subscriptions to a stop or to the first failure."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._windows = windows_of(settings.window)
        self._calls = Calls(settings)
        self._partitions = Partitions(settings)
        self._flow = Flow(settings.read_marks)
        self._outputs = [OutputQueue(number) for number in range(len(settings.outputs))]
        self._unpublished = Level(settings.write_marks)
        self._checkpoints = Checkpoints()
        self._stop_at: float | None = None
        self._failure: _Failure | None = None
        self._wake_at: float | None = None
        self._over = False
        self._handlers: Mapping[type, Callable[[Any, float], None]] = {
            events.PartitionsAssigned: self._assigned,
            events.PartitionsRevoked: self._revoked,
            events.RecordsRead: self._records_read,
            events.BatchTaken: self._batch_taken,
            events.OutputsReceived: self._outputs_received,
            events.CallEnded: self._call_ended,
            events.CallFailed: self._call_failed,
            events.Published: self._published,
            events.PublishFailed: self._publish_failed,
            events.Woken: self._woken,
            events.StopRequested: self._stop_requested,
        }

    @property
    def usage(self) -> Usage:
        """For whoever watches."""
        return Usage(
            self._calls.open_windows,
            self._calls.ended_windows,
            self._flow.level.records,
            self._flow.level.bytes,
            self._unpublished.records,
            self._unpublished.bytes,
        )

    def handle(self, event: events.Event, now: float) -> list[commands.Command]:
        """Take an event in and say what is to be done; after `Fail` or `Done`, nothing is.

        Args:
            event: What happened.
            now: When, in seconds of any clock that never goes back.
        """
        if self._over:
            return []
        # What comes at the end of a window's time, or later, belongs to the next one.
        if (ended := self._windows.expire(now)) is not None:
            self._calls.end(ended)
        told: list[commands.Command] = []
        try:
            self._handlers[type(event)](event, now)
        except _Failure as failure:
            told += self._fail(failure, now)
        return [*told, *self._advance(now)]

    def _assigned(self, event: events.PartitionsAssigned, _now: float) -> None:
        if self._stop_at is None:
            for number in sorted(event.partitions):
                key = PartitionKey(event.input, number)
                self._partitions.assign(key)
                self._flow.add(key)

    def _revoked(self, event: events.PartitionsRevoked, now: float) -> None:
        for number in event.partitions:
            key = PartitionKey(event.input, number)
            if partition := self._partitions.revoke(key, event.grace, now):
                self._flow.remove(key)
                self._withdraw(partition)
                if not partition.lost:
                    # What the function has of it is done when its windows end, at the latest.
                    for run in partition.open_runs:
                        self._windows.end(run.window)
                        self._calls.end(run.window)

    def _withdraw(self, partition: Partition) -> None:
        """Take back what the function was not fed with."""
        for run in partition.withdraw():
            self._calls.withdraw(run)
            self._flow.level.fall(len(run.offsets), run.size)

    def _records_read(self, event: events.RecordsRead, now: float) -> None:
        key = PartitionKey(event.input, event.partition)
        partition = self._partitions.get(key)
        if partition is None or self._stop_at is not None:
            return
        run = Run.of(partition, event.records)
        self._flow.came(key, len(run.offsets), run.size)
        for placement in self._windows.place(len(run.offsets), now):
            head, run = run.split(placement.records)
            partition.add(head)
            self._calls.put(placement.window, head)
            if placement.full:
                self._calls.end(placement.window)

    def _batch_taken(self, event: events.BatchTaken, _now: float) -> None:
        self._flow.level.fall(*self._calls.taken(event.call))

    def _outputs_received(self, event: events.OutputsReceived, _now: float) -> None:
        call = self._calls.get(event.call)
        if call is None:
            return
        call.reading = False
        try:
            for result, messages, inputs in by_result(event):
                self._accept(call, result, messages, inputs)
            if event.messages and not event.inputs and not event.inputs_done:
                call.forget_keys()
            if done := call.report(event.inputs_done):
                self._settle_later(done)
        except PermanentError as error:
            raise self._failed(error, call.open_runs) from error

    def _accept(
        self, call: Call, result: int, messages: Sequence[Message], inputs: Sequence[int]
    ) -> None:
        outputs = self._settings.outputs
        if not 0 <= result < len(outputs):
            known = ", ".join(f"{number} ({one.name})" for number, one in enumerate(outputs))
            raise PermanentError(f"an output has result index {result}, known: {known or 'none'}")
        declared = outputs[result].content_type
        for content_type in {message.content_type for message in messages}:
            if not fits(declared, content_type):
                mismatch = ContentTypeMismatch(declared, content_type)
                raise PermanentError(f"output {outputs[result].name}: {mismatch}") from mismatch
        completed = complete(messages, inputs, call, result, self._settings.group)
        size = self._outputs[result].put(completed)
        self._unpublished.rise(len(completed), size)

    def _settle_later(self, inputs: Sequence[tuple[Run, int]]) -> None:
        """Settle inputs once every output that has come so far is accepted."""
        received = tuple(output.received for output in self._outputs)
        self._checkpoints.add(Checkpoint(received, inputs))

    def _call_ended(self, event: events.CallEnded, _now: float) -> None:
        if call := self._calls.get(event.call):
            self._flow.level.fall(*self._calls.taken(event.call))
            self._settle_later(call.report())
            self._calls.close(event.call)

    def _call_failed(self, event: events.CallFailed, _now: float) -> None:
        if call := self._calls.get(event.call):
            self._calls.close(event.call)
            raise self._failed(event.error, call.open_runs)

    def _published(self, event: events.Published, now: float) -> None:
        try:
            accepted = self._outputs[event.output].published(event.results, now)
        except PermanentError as error:
            raise self._refused(event.output, error) from error
        self._unpublished.fall(*accepted)

    def _publish_failed(self, event: events.PublishFailed, now: float) -> None:
        if isinstance(event.error, PermanentError):
            raise self._refused(event.output, event.error)
        self._outputs[event.output].failed(event.error, now)

    def _refused(self, output: int, error: PermanentError) -> "_Failure":
        name = self._settings.outputs[output].name
        refusal = PermanentError(f"output {name}: {error}")
        # What waits behind it will not be published: there is nothing to wait for.
        return self._failed(refusal, self._partitions.open_runs(), patience=0.0)

    def _failed(
        self, error: PenstockError, open_runs: Iterable[Run], patience: float = FAIL_SECONDS
    ) -> "_Failure":
        return _Failure(error, describe(open_runs, self._settings.inputs), patience)

    def _woken(self, _event: events.Woken, _now: float) -> None:
        self._wake_at = None

    def _fail(self, failure: "_Failure", now: float) -> Iterator[commands.Command]:
        """Give up the calls, but not the outputs of what was done before.

        Retries of the window, and dead letters, have their place here.
        """
        self._failure = self._failure or failure
        self._end_within(failure.patience, now)
        for call in self._calls.abandon():
            yield commands.AbandonCall(call.number)

    def _stop_requested(self, event: events.StopRequested, now: float) -> None:
        self._end_within(event.grace, now)

    def _end_within(self, seconds: float, now: float) -> None:
        """Take nothing in any more, and be over when what is open is done, or at a time."""
        deadline = now + seconds
        self._stop_at = deadline if self._stop_at is None else min(self._stop_at, deadline)
        self._flow.stop()
        for partition in self._partitions.assigned():
            self._withdraw(partition)
        self._calls.end_all()

    def _advance(self, now: float) -> Iterator[commands.Command]:
        """Whatever can go on now."""
        yield from self._calls.advance()
        if not self._unpublished.full:
            for call in self._calls.opened():
                if not call.reading:
                    call.reading = True
                    yield commands.ReadOutputs(call.number)
        for output in self._outputs:
            yield from output.advance(now)
        touched = (
            self._checkpoints.settle([output.accepted for output in self._outputs])
            if self._checkpoints
            else ()
        )
        yield from self._partitions.advance(touched, now)
        for key, records, size in self._flow.grants():
            yield commands.Read(key.input, key.partition, records, size)
        if self._stop_at is not None:
            yield from self._end(self._stop_at, now)
        if not self._over:
            yield from self._wake()

    def _end(self, stop_at: float, now: float) -> Iterator[commands.Command]:
        """Be over, if everything is done or the time is."""
        if (self._calls or self._checkpoints) and now < stop_at:
            return
        self._over = True
        for call in self._calls.abandon():
            yield commands.AbandonCall(call.number)
        if self._failure:
            yield commands.Fail(self._failure.error, self._failure.where)
        else:
            open_runs = self._partitions.open_runs()
            yield commands.Done(describe(open_runs, self._settings.inputs))

    def _wake(self) -> Iterator[commands.Command]:
        times = [self._windows.ends, self._partitions.deadline, self._stop_at]
        times += [output.retry_at for output in self._outputs]
        known = [time for time in times if time is not None]
        due = min(known) if known else None
        if due != self._wake_at:
            self._wake_at = due
            yield commands.WakeAt(due)


class _Failure(Exception):
    """The function or an output failed.

    Attributes:
        error: What happened.
        where: The inputs that are not done, in words.
        patience: Seconds in which what was done before may still be published.
    """

    def __init__(self, error: PenstockError, where: str, patience: float) -> None:
        super().__init__(str(error))
        self.error = error
        self.where = where
        self.patience = patience
