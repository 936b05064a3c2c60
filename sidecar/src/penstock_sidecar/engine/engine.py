"""What the sidecar decides: events and a time in, commands out.

There is no input or output here, no clock, and nothing is done message by message that can be
done for a batch. Whoever runs the engine hands it every event, with a time that never goes back,
and carries the commands out in their order.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import inf
from typing import Any, Final

from penstock.delivery import Guarantee
from penstock.media_type import fits
from penstock.plugin import (
    ContentTypeMismatch,
    Message,
    NotReady,
    PenstockError,
    PermanentError,
    UsageError,
)
from penstock.window import WindowType
from penstock_sidecar.engine import commands, events
from penstock_sidecar.engine.bundle import Bundle
from penstock_sidecar.engine.call import Call
from penstock_sidecar.engine.calls import Calls
from penstock_sidecar.engine.completion import by_result, complete
from penstock_sidecar.engine.failures import Failures
from penstock_sidecar.engine.flow import Flow, Level, PartitionKey
from penstock_sidecar.engine.outbox import Outbox
from penstock_sidecar.engine.outputs import Origin, Refusal
from penstock_sidecar.engine.partitions import Partitions
from penstock_sidecar.engine.settings import Settings
from penstock_sidecar.engine.settlement import Partition, Run, bounds_of, describe
from penstock_sidecar.engine.unacked import Unacked
from penstock_sidecar.engine.usage import Usage
from penstock_sidecar.engine.windows import Reason, Window, windows_of

_FREED: Final = 4
"""A full buffer is freed of at least this part of what it holds."""

Told = Iterable[commands.Command]


class Engine:
    """One run of a processor, from its subscriptions to a stop.

    Args:
        settings: The processor.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._windows = windows_of(settings.window, settings.wall_clock)
        self._flow = Flow(settings.read_marks)
        self._held = Level(settings.hold_marks)
        self._calls = Calls(settings, self._flow.level, splits=self._windows.eager)
        self._partitions = Partitions(settings)
        self._outbox = Outbox(settings)
        self._failures = Failures(
            settings, self._calls, self._outbox, self._finish, self._stop_partition
        )
        window = settings.window
        self._is_endless = window.type is WindowType.GLOBAL and not (
            window.max_messages or window.max_bytes
        )
        self._acks_first = settings.delivery.guarantee is Guarantee.AT_MOST_ONCE
        self._unacked = Unacked()
        self._stop_at: float | None = None
        self._failure: commands.Fail | None = None
        self._wake_at: float | None = None
        self._over = False
        self._handlers: Mapping[type, Callable[[Any, float], Told]] = {
            events.PartitionsAssigned: self._assigned,
            events.PartitionsRevoked: self._revoked,
            events.RecordsRead: self._records_read,
            events.Acked: self._acked,
            events.BatchTaken: self._batch_taken,
            events.OutputsReceived: self._outputs_received,
            events.CallEnded: self._call_ended,
            events.CallFailed: self._call_failed,
            events.HostFound: self._host_found,
            events.Published: self._published,
            events.PublishFailed: self._publish_failed,
            events.Woken: self._woken,
            events.StopRequested: self._stop_requested,
        }

    @property
    def usage(self) -> Usage:
        """For whoever watches."""
        counts = self._windows.counts
        return Usage(
            open_windows=self._calls.open_windows
            + (0 if self._windows.eager else self._windows.open),
            ended_windows=self._calls.ended_windows,
            calls=len(self._calls.opened()),
            held_messages=self._held.records,
            held_bytes=self._held.bytes,
            read_messages=self._flow.level.records,
            read_bytes=self._flow.level.bytes,
            write_messages=self._outbox.level.records,
            write_bytes=self._outbox.level.bytes,
            retries=self._failures.retries,
            dead_letters=self._failures.dead_letters,
            lost=self._failures.lost,
            stopped=tuple(one.key for one in self._partitions.assigned() if one.stopped),
            late_dropped=counts.late_dropped,
            late_dead=counts.late_dead,
            late_windows=counts.late_windows,
            undated=counts.undated,
            ended_early={reason.value: count for reason, count in counts.early.items()},
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
        self._end(self._windows.expire(now))
        told = list(self._handlers[type(event)](event, now))
        told += self._advance(now)
        return [*self._ended_early(), *told] if self._windows.counts.news else told

    def _ended_early(self) -> list[commands.Command]:
        news, self._windows.counts.news = self._windows.counts.news, Counter()
        return [
            commands.EndedEarly(count, reason.value)
            for reason, count in news.items()
            if reason not in (Reason.REVOKED, Reason.STOPPED)
        ]

    def _assigned(self, event: events.PartitionsAssigned, now: float) -> Told:
        if self._stop_at is None:
            for number in sorted(event.partitions):
                key = PartitionKey(event.input, number)
                self._partitions.assign(key)
                self._windows.assign(key, now)
                self._flow.add(key)
        return ()

    def _revoked(self, event: events.PartitionsRevoked, now: float) -> Told:
        for number in event.partitions:
            key = PartitionKey(event.input, number)
            if partition := self._partitions.revoke(key, event.grace, now):
                self._flow.remove(key)
                self._windows.revoke(key)
                if self._acks_first:
                    for run in self._unacked.forget(key):
                        self._held.fall(len(run), run.size)
                else:
                    self._withdraw(partition)
                if not partition.lost:
                    # What the function has of it is done when its windows end, at the latest.
                    for window in self._calls.windows_with(partition):
                        self._windows.end(window, Reason.REVOKED)
                        self._calls.end(window)
        return ()

    def _withdraw(self, partition: Partition) -> None:
        """Take back what the function was not fed with."""
        partition.withdraw()
        for run in self._windows.withdraw(partition):
            # A window that has ended may have set it aside before, or still do so.
            self._held.fall(*run.finish())
        for run in self._calls.withdraw(partition):
            self._held.fall(*run.settle())

    def _records_read(self, event: events.RecordsRead, now: float) -> Told:
        key = PartitionKey(event.input, event.partition)
        partition = self._partitions.get(key)
        if partition is None or self._stop_at is not None or partition.stopped:
            return
        timestamps = [timestamp for _, _, timestamp, _ in event.records]
        self._flow.came(key)
        if self._acks_first:
            # It is processed once the ack of it is stored.
            run = partition.take(event.records)
            self._unacked.put(run, timestamps)
            self._held.rise(len(run), run.size)
            yield commands.Ack(key.input, {key.partition: run.offsets[-1]})
            return
        run = partition.add(event.records)
        self._held.rise(len(run), run.size)
        yield from self._place(run, timestamps, now)

    def _acked(self, event: events.Acked, now: float) -> Told:
        for number, position in event.positions.items():
            key = PartitionKey(event.input, number)
            for run, timestamps in self._unacked.take(key, position):
                yield from self._place(run, timestamps, now)
                # The read that began meanwhile said nothing of these.
                if self._flow.is_reading(key):
                    self._windows.reading(key, now)
        if self._stop_at is not None:
            self._end(self._windows.end_all(Reason.STOPPED))

    def _place(self, run: Run, timestamps: Sequence[int], now: float) -> Told:
        placed = self._windows.place(run, timestamps, now)
        if self._windows.eager:
            for window in placed.opened_or_fed:
                self._calls.fill(window)
        self._end(placed.closed)
        for late in placed.dropped:
            self._held.fall(*late.settle())
            self._partitions.touch(late.partition)
        for late in placed.dead:
            for index in range(len(late)):
                error = PermanentError("it is late: the windows of its time have ended")
                yield from self._failures.set_aside(late.pick(index), error, now)

    def _end(self, windows: Iterable[Window]) -> None:
        for window in windows:
            self._calls.end(window)

    def _batch_taken(self, event: events.BatchTaken, now: float) -> Told:
        if call := self._calls.get(event.call):
            # Of a host that reports, that alone is the sign that it works.
            if not call.reports:
                call.heard = now
            self._calls.taken(call)
        return ()

    def _outputs_received(self, event: events.OutputsReceived, now: float) -> Told:
        call = self._calls.get(event.call)
        if call is None:
            return
        self._calls.was_read(call, now)
        try:
            for result, messages, inputs in by_result(event):
                self._accept(call, result, messages, inputs)
            self._note_progress(call, event)
        except PermanentError as error:
            named = error.input if isinstance(error, _BadOutput) else None
            if self._acks_first:
                # The function may be past that one, and gets nothing twice.
                named = None
            yield commands.AbandonCall(call.number)
            yield from self._broken_off(call, error, now, named=named)
        except _CannotReport:
            unbounded = UsageError(
                "window: type Global needs maxMessages or maxBytes, as the function's host does "
                "not report what it is done with: nothing would be acked before the window ends"
            )
            self._give_up(commands.Fail(unbounded, self._where()), now)

    def _note_progress(self, call: Call, event: events.OutputsReceived) -> None:
        if event.inputs or event.inputs_done:
            call.reports = self._calls.splits = True
        elif event.messages and self._is_endless:
            raise _CannotReport
        if call.report(event.inputs_done):
            self._settle_later(call, event.inputs_done)

    def _accept(
        self, call: Call, result: int, messages: Sequence[Message], inputs: Sequence[int]
    ) -> None:
        outputs = self._settings.outputs
        if not 0 <= result < len(outputs):
            known = ", ".join(f"{number} ({one.name})" for number, one in enumerate(outputs))
            reason = f"an output has result index {result}, known: {known or 'none'}"
            raise _BadOutput(reason, inputs[0] if inputs else None)
        declared = outputs[result].content_type
        for content_type in {message.content_type for message in messages}:
            if not fits(declared, content_type):
                types = [message.content_type for message in messages]
                mismatch = ContentTypeMismatch(declared, content_type)
                raise _BadOutput(
                    f"output {outputs[result].name}: {mismatch}",
                    inputs[types.index(content_type)] if inputs else None,
                ) from mismatch
        completed = complete(messages, inputs, call, result, self._settings.group)
        call.needs[result] = self._outbox.put(result, completed, Origin(call, inputs))

    def _settle_later(self, call: Call, until: int) -> None:
        """Settle inputs once every output of the call that has come so far is accepted."""
        self._outbox.then(call.needs, lambda: self._settled(call, until))

    def _settled(self, call: Call, until: int) -> Iterable[Partition]:
        records = size = 0
        partitions: dict[Partition, None] = {}
        for run in call.settle(until):
            done, done_size = run.settle()
            records += done
            size += done_size
            partitions[run.chunk.partition] = None
        self._held.fall(records, size)
        return partitions

    def _finish(self, run: Run) -> None:
        self._held.fall(*run.finish())
        self._partitions.touch(run.partition)

    def _call_ended(self, event: events.CallEnded, _now: float) -> Told:
        if call := self._calls.get(event.call):
            self._calls.close(call)
            call.done = call.fed
            self._settle_later(call, call.fed)
        return ()

    def _call_failed(self, event: events.CallFailed, now: float) -> Told:
        call = self._calls.get(event.call)
        if call is None:
            return
        if isinstance(event.error, NotReady):
            yield from self._host_gone(call, event.error, now)
        else:
            yield from self._broken_off(
                call, event.error, now, named=event.input, retryable=event.retryable
            )

    def _broken_off(
        self,
        call: Call,
        error: PenstockError,
        now: float,
        *,
        named: int | None = None,
        retryable: bool = True,
    ) -> Told:
        """A call failed; `named` is the input that it failed with, counted in the call."""
        bundle, given = self._calls.broken_off(call)
        if call.done:
            bundle.attempts, bundle.failed_at = 0, None
        if named is not None:
            named = call.place_in_rest(named)
        if not self._acks_first:
            culprit = None if named is None else bundle.at(named)
            given, named = self._without_what_is_over(bundle, given, named)
            if culprit and culprit.partition.is_over:
                self._calls.resume(bundle)
                return
        if given or (named is None and bundle.records):
            yield from self._failures.deal_with(
                bundle,
                error,
                now,
                given=given,
                named=named,
                retryable=retryable,
            )
        else:
            self._calls.resume(bundle)

    def _without_what_is_over(
        self, bundle: Bundle, given: int, named: int | None
    ) -> tuple[int, int | None]:
        """Take back what is of partitions that go elsewhere, or stand still.

        Returns:
            How many of the first `given` messages are left, and where the one at `named` is now.
        """
        over = [partition for partition in bundle.partitions if partition.is_over]
        if not over:
            return given, named
        kept = [not run.partition.is_over for run in bundle.runs for _ in run.messages]
        for partition in over:
            partition.withdraw()
            for run in self._calls.take_out(bundle, partition):
                self._held.fall(*run.settle())
        return sum(kept[:given]), None if named is None else sum(kept[:named])

    def _host_gone(self, call: Call, error: NotReady, now: float) -> Told:
        """The host of the function died, with this call open or others as well."""
        if any(partition.stopped for partition in self._partitions.assigned()):
            # Another function may be able to process what stopped them: all is read again.
            self._calls.broken_off(call)
            self._give_up(commands.Fail(error, self._where()), now)
            return
        at_work = [one for one in self._calls.opened() if one.is_at_work]
        alone = not self._calls.host_is_away and at_work == [call]
        if not self._calls.host_is_away:
            self._calls.host_is_away = True
            yield commands.FindHost()
            if not alone:
                self._calls.suspect()
        if alone:
            # Whoever is killed by a message is killed by it again.
            named = call.done if call.reports else None
            yield from self._broken_off(call, error, now, named=named)
        else:
            bundle, given = self._calls.broken_off(call)
            if self._acks_first and given:
                yield from self._failures.deal_with(bundle, error, now, given=given)
                return
            if not self._acks_first:
                self._without_what_is_over(bundle, given, None)
            self._calls.resume(bundle)

    def _host_found(self, _event: events.HostFound, _now: float) -> Told:
        self._calls.host_is_away = False
        return ()

    def _published(self, event: events.Published, now: float) -> Told:
        for refusal in self._outbox.published(event, now):
            yield from self._refused(event.output, refusal, now)

    def _publish_failed(self, event: events.PublishFailed, now: float) -> Told:
        if isinstance(event.error, PermanentError):
            # Not a message is refused, but all of them.
            reason = PermanentError(f"{self._name(event.output)}: {event.error}")
            self._give_up(commands.Fail(reason, self._where()), now)
        else:
            self._outbox.failed(event, now)
        return ()

    def _name(self, output: int) -> str:
        outputs = self._settings.outputs
        return f"output {outputs[output].name}" if output < len(outputs) else "dead letters"

    def _refused(self, output: int, refusal: Refusal, now: float) -> Told:
        """An output will never be published: neither are its inputs done."""
        origin, error = refusal.origin, refusal.error
        if origin.run is not None:
            yield from self._failures.refuse(origin.run, error)
            return
        call = origin.call
        assert call, "what is no dead letter is of a call"
        reason = PermanentError(f"{self._name(output)}: {error}")
        if origin.inputs:
            if run := call.refuse(origin.inputs[refusal.place]):
                yield from self._failures.set_aside(run, reason, now)
        elif not (call.void or call.broken):
            if self._calls.get(call.number):
                yield commands.AbandonCall(call.number)
                call.void = True
                yield from self._broken_off(call, reason, now, retryable=False)
            else:
                bundle, given = self._calls.put_back(call)
                call.void = True
                if not self._acks_first:
                    given, _ = self._without_what_is_over(bundle, given, None)
                if given:
                    yield from self._failures.deal_with(
                        bundle, reason, now, given=given, retryable=False
                    )
                else:
                    self._calls.resume(bundle)

    def _stop_partition(self, run: Run, error: PenstockError) -> Iterator[commands.Command]:
        """A message can be neither processed nor set aside: nothing behind it is either."""
        partition = run.partition
        run.unfed()
        partition.withdraw()
        if not (partition.stopped or partition.lost):
            where = describe(bounds_of([run]), self._settings.inputs)
            partition.stopped = True
            self._flow.remove(partition.key)
            self._windows.revoke(partition.key)
            self._withdraw(partition)
            yield commands.Stopped(partition.key.input, partition.key.partition, error, where)
        self._held.fall(*run.settle())

    def _woken(self, _event: events.Woken, _now: float) -> Told:
        self._wake_at = None
        return ()

    def _give_up(self, told: commands.Fail, now: float) -> None:
        """End, because nothing can go on."""
        self._failure = self._failure or told
        self._end_within(0.0, now, drain=False)

    def _where(self) -> str:
        return describe(self._partitions.bounds(), self._settings.inputs)

    def _stop_requested(self, event: events.StopRequested, now: float) -> Told:
        # What is acked already, nobody else will process.
        self._end_within(event.grace, now, drain=event.drain or self._acks_first)
        return ()

    def _end_within(self, seconds: float, now: float, *, drain: bool) -> None:
        """Take nothing in any more, and be over when what is open is done, or at a time."""
        deadline = now + seconds
        self._stop_at = deadline if self._stop_at is None else min(self._stop_at, deadline)
        self._flow.stop()
        if not drain:
            for partition in self._partitions.assigned():
                self._withdraw(partition)
        self._end(self._windows.end_all(Reason.STOPPED))

    def _advance(self, now: float) -> list[commands.Command]:
        """Whatever can go on now."""
        told: list[commands.Command] = []
        for call in self._calls.overdue(now):
            told += self._break_off_overdue(call, now)
        if not self._acks_first:
            for partition in self._partitions.late(now):
                told += self._break_off_given_up(partition)
        # A partition that stopped, or was revoked, no longer holds windows back.
        self._end(self._windows.expire(now))
        told += self._calls.advance(now)
        if not self._outbox.level.full:
            told += self._calls.read(now)
        told += self._outbox.advance(now)
        for partition in self._outbox.settle():
            self._partitions.touch(partition)
        told += self._partitions.advance(now)
        if self._held.full and self._calls.is_waiting_for_more and not self._outbox:
            told += self._make_room(now)
        if not self._held.full:
            for key, records, size in self._flow.grants():
                self._windows.reading(key, now)
                told.append(commands.Read(key.input, key.partition, records, size))
        if self._stop_at is not None:
            told += self._end_at(self._stop_at, now)
        if not self._over:
            told += self._wake()
        return told

    def _break_off_overdue(self, call: Call, now: float) -> Told:
        seconds = self._settings.delivery.timeout
        error = PermanentError(f"the function has not answered within {seconds:g} s")
        yield commands.AbandonCall(call.number)
        named = call.done if call.reports else None
        yield from self._broken_off(call, error, now, named=named)

    def _break_off_given_up(self, partition: Partition) -> Told:
        """The function works on what another member has now: the rest it gets in another call."""
        for call in self._calls.at_work_with(partition):
            yield commands.AbandonCall(call.number)
            bundle, given = self._calls.broken_off(call)
            self._without_what_is_over(bundle, given, None)
            self._calls.resume(bundle)

    def _make_room(self, now: float) -> Iterator[commands.Command]:
        """End windows early: everything that may be held is, and nothing else would free it."""
        self._end(self._windows.end_oldest(self._held.records // _FREED))
        yield from self._calls.advance(now)
        yield from self._calls.read(now)

    def _end_at(self, stop_at: float, now: float) -> Iterator[commands.Command]:
        """Be over, if everything is done or the time is."""
        if (self._calls or self._outbox or self._unacked) and now < stop_at:
            return
        self._over = True
        for call in self._calls.abandon():
            yield commands.AbandonCall(call.number)
        yield self._failure or commands.Done(self._where())

    def _wake(self) -> Sequence[commands.Command]:
        due = inf
        for time in (
            self._windows.wake_at,
            self._calls.wake_at,
            self._partitions.deadline,
            self._outbox.retry_at,
            self._stop_at,
        ):
            if time is not None and time < due:
                due = time
        # Being woken too early costs less than moving the timer with every event.
        if due < inf and (self._wake_at is None or due < self._wake_at):
            self._wake_at = due
            return (commands.WakeAt(due),)
        return ()


class _BadOutput(PermanentError):
    """An output that no stream takes.

    Attributes:
        input: The input of the call that it is from; ``None``: not known.
    """

    def __init__(self, text: str, number: int | None) -> None:
        super().__init__(text)
        self.input = number


class _CannotReport(Exception):
    """The function's host does not say what it is done with, and nothing else ends a window."""
