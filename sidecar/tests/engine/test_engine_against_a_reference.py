"""The engine against a plain reference, over random histories.

What holds at every moment of every history:

- nothing is acked early: with AtLeastOnce all outputs of an acked record are stored, or it is in
  the dead letters, or it was late and is dropped; with AtMostOnce none is fed before its ack;
- order: what is fed of a key for the first time comes in the order of offsets where there are
  windows per key of processing time, or one call at a time and windows of processing time;
- windows: all inputs of a call are of one window of the declared kind, of one key where windows
  are per key; a call holds no more than a window may;
- ids are stable: an output of a known input has one id for ever, and no other output has it;
- bounds are held: no more calls are open than allowed, one read of a partition, one feed and one
  reading of a call, one publish of an output; no more is held than was full, and then granted;
- no storm of wake-ups: after `Woken` the engine asks for a later time;
- nothing is lost: once everything that can go on has gone on, all records are acked and all of
  their outputs stored, or they are in the dead letters, or their partition stopped at them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from hypothesis import Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from penstock.dead_letter import Origin
from penstock.delivery import BackoffPolicy, DeadLetter, Delivery, Guarantee
from penstock.plugin import (
    Message,
    NotReady,
    PermanentError,
    Position,
    PublishResult,
    Record,
    TemporaryError,
)
from penstock.window import Window, WindowTime, WindowType
from penstock_sidecar.engine import Engine, Marks, Output, Settings, commands, events
from penstock_sidecar.engine.flow import PartitionKey

EXAMPLES = os.environ.get("PENSTOCK_EXAMPLES", "")
"""How many histories, of which none has been tried before; empty: so many as always, the same."""

MARKS = Marks(high_records=12, low_records=6, high_bytes=240, low_bytes=120)
HOLD = Marks(high_records=30, low_records=20, high_bytes=100_000, low_bytes=50_000)
PARTITIONS = [PartitionKey(0, 0), PartitionKey(0, 1), PartitionKey(1, 0)]
INPUTS = ("left", "right")
EPOCH = 1_700_000_000
Place = tuple[PartitionKey, int]


def key_of(offset: int) -> bytes | None:
    return b"k%d" % (offset % 3) if offset % 4 else None


def outputs_of(place: Place, results: int) -> list[tuple[int, bytes]]:
    """What the function makes of a record: none, one or two outputs for each result."""
    (number, partition), offset = place
    return [
        (result, b"%d/%d/%d/%d/%d" % (number, partition, offset, result, index))
        for result in range(results)
        for index in range((offset + result) % 3)
    ]


@dataclass(eq=False)
class FunctionCall:
    """The function's side of a call."""

    inputs: list[Place] = field(default_factory=list)
    processed: int = 0
    feeding: bool = False
    finished: bool = False
    wanted: bool = False


class World:
    """A gateway, a function and a clock around one engine after another."""

    def __init__(self, settings: Settings, *, reports: bool, poison: int) -> None:
        self.settings = settings
        self.reports = reports
        self.poison = poison
        self.at_most_once = settings.delivery.guarantee is Guarantee.AT_MOST_ONCE
        self.now = 0.0
        self.logs: dict[PartitionKey, list[tuple[int, int]]] = {key: [] for key in PARTITIONS}
        self.group: dict[PartitionKey, int] = {}
        self.stored: list[set[bytes]] = [set() for _ in settings.outputs]
        self.ids: dict[str, bytes] = {}
        self.dead: set[Place] = set()
        self.refused: set[Place] = set()
        self.stopped: dict[PartitionKey, int] = {}
        self.exempt: set[Place] = set()
        """What may be acked without being processed: late, or lost by AtMostOnce."""
        self.restart()

    def is_poison(self, place: Place) -> bool:
        return bool(self.poison) and place[1] % self.poison == self.poison - 1

    def restart(self) -> None:
        """A new engine, as after a failure or a kill: only the gateway remembers anything."""
        self.engine = Engine(self.settings)
        self.held: dict[PartitionKey, int] = {}
        self.leaving: dict[PartitionKey, float] = {}
        self.reads: dict[PartitionKey, commands.Read] = {}
        self.storing: list[events.Acked] = []
        self.calls: dict[int, FunctionCall] = {}
        self.seen: set[Place] = set()
        self.publishing: dict[int, list[Message]] = {}
        self.finding = False
        self.stopped.clear()
        self.wake_at: float | None = None
        self.stop_at: float | None = None
        self.failing = False
        self.over = False
        for number in (0, 1):
            self.assign([key for key in PARTITIONS if key.input == number])

    # What the world does.

    def publish(self, which: int, amount: int) -> None:
        log = self.logs[PARTITIONS[which % len(PARTITIONS)]]
        gap = amount // 16 % 2
        for number in range(1 + amount % 16):
            offset = log[-1][0] + 1 + gap if log else gap
            wobble = (which * 7 + number * 13) % 30 / 10
            log.append((offset, round((EPOCH + self.now - wobble) * 1000)))

    def proceed(self, which: int, amount: int) -> None:
        if options := list(self.possible(most=1 + amount % 8)):
            options[which % len(options)]()

    def wait(self, which: int, _amount: int) -> None:
        self.pass_time((0.0, 0.05, 0.4, 1.0, 4.0, 35.0)[which % 6])

    def lose_answer(self, _which: int, amount: int) -> None:
        """The gateway goes away in the middle: nobody knows what it stored."""
        if self.publishing:
            output, batch = self.publishing.popitem()
            if amount % 2:
                self.store_all(output, batch)
            self.tell(events.PublishFailed(output, TemporaryError("away", retry_after=0.5)))

    def refuse(self, which: int, _amount: int) -> None:
        """The gateway refuses a message for good."""
        if not self.publishing:
            return
        output = list(self.publishing)[which % len(self.publishing)]
        if output == len(self.stored) and which % 3:
            return
        batch = self.publishing.pop(output)
        refused = batch[which % len(batch)]
        self.store_all(output, [one for one in batch if one is not refused])
        error = PermanentError("no")
        results: list[PublishResult] = [
            error if one is refused else Position(0, 0) for one in batch
        ]
        if self.at_most_once:
            self.exempt |= {(key, one) for key, log in self.logs.items() for one, _ in log}
        self.tell(events.Published(output, results))

    def revoke(self, which: int, amount: int) -> None:
        number, grace = which % 2, (0.0, 0.5, 100.0)[amount % 3]
        keys = [key for key in self.held if key.input == number and key not in self.leaving]
        keys = keys[: 1 + amount // 8 % 2]
        for key in keys:
            self.reads.pop(key, None)
            if grace:
                self.leaving[key] = self.now + 0.9 * grace
            else:
                del self.held[key]
                self.stopped.pop(key, None)
        if keys:
            partitions = frozenset(key.partition for key in keys)
            self.tell(events.PartitionsRevoked(number, partitions, grace))

    def assign_again(self, which: int, _amount: int) -> None:
        keys = [key for key in PARTITIONS if key not in self.held and key.input == which % 2]
        if keys and self.stop_at is None:
            self.assign(keys)

    def stop(self, which: int, amount: int) -> None:
        self.request_stop((1000.0, 0.3, 0.0)[which % 3], drain=bool(amount % 2))

    def be_killed(self, _which: int, _amount: int) -> None:
        self.restart()

    def fail(self, which: int, amount: int) -> None:
        """The function fails by chance: it names an input, or does not."""
        wanted = [number for number, call in self.calls.items() if call.wanted]
        if not wanted:
            return
        number = wanted[which % len(wanted)]
        call = self.calls[number]
        named = call.processed if self.reports and call.processed < len(call.inputs) else None
        self.break_off(number, named if amount % 2 else None, retryable=bool(amount % 5))

    def break_off(self, number: int, named: int | None, *, retryable: bool = True) -> None:
        call = self.calls.pop(number)
        self.exempt_all([call])
        self.tell(events.CallFailed(number, PermanentError("boom"), named, retryable))

    def exempt_all(self, calls: list[FunctionCall]) -> None:
        if self.at_most_once:
            for call in calls:
                self.exempt |= set(call.inputs)

    def crash(self, _which: int, _amount: int) -> None:
        """The function's host dies: every call that is open fails, one after the other."""
        self.exempt_all(list(self.calls.values()))
        for number in list(self.calls):
            if self.over:
                return
            if number in self.calls:
                del self.calls[number]
                self.tell(events.CallFailed(number, NotReady("gone")))

    def hang(self, _which: int, _amount: int) -> None:
        """Nothing is answered for long."""
        if self.calls:
            self.exempt_all(list(self.calls.values()))
            self.pass_time(self.settings.delivery.timeout)

    def go_through(self, history: bytes) -> None:
        """Live through what the bytes say: what happens, to which, how much."""
        for what, which, amount in zip(history[::3], history[1::3], history[2::3], strict=False):
            if self.over:
                self.restart()
            HAPPENINGS[what % len(HAPPENINGS)](self, which, amount)

    def finish(self) -> None:
        """Everything goes on until nothing can."""
        for _ in range(100_000):
            if self.over:
                return
            if do := next(self.possible(most=1000), None):
                do()
            elif self.wake_at is not None:
                self.pass_time(max(0.0, self.wake_at - self.now))
            else:
                return
        raise AssertionError("it never comes to an end")

    def possible(self, most: int) -> Iterator[Callable[[], None]]:
        """What can happen next, but for the time and for accidents."""
        if self.storing:
            yield lambda: self.tell(self.storing.pop(0))
        if self.finding:
            yield self.find
        for output, batch in self.publishing.items():
            yield partial(self.store, output, 0 if most > len(batch) else most)
        for number, call in self.calls.items():
            if call.feeding:
                yield partial(self.take, number)
            if call.wanted and call.processed < len(call.inputs):
                yield partial(self.process, number, most)
            elif call.wanted and call.finished and not call.feeding:
                yield partial(self.end_call, number)
        for key in self.reads:
            if self.unread(key):
                yield partial(self.read, key, most)

    def unread(self, key: PartitionKey) -> list[tuple[int, int]]:
        return [one for one in self.logs[key] if one[0] > self.held[key]]

    def find(self) -> None:
        self.finding = False
        self.tell(events.HostFound())

    def read(self, key: PartitionKey, most: int) -> None:
        read = self.reads.pop(key)
        records = []
        for offset, time in self.unread(key)[: min(most, read.max_records)]:
            message = Message(
                b"%d/%d/%d" % (*key, offset), "text/plain", key_of(offset), {"a": "b"}
            )
            records.append(Record(message, offset, time))
        self.held[key] = records[-1].offset
        late = self.engine.usage.late_dropped
        self.tell(events.RecordsRead(key.input, key.partition, records))
        if self.engine.usage.late_dropped > late:
            self.exempt |= {(key, one.offset) for one in records}

    def take(self, number: int) -> None:
        self.calls[number].feeding = False
        self.tell(events.BatchTaken(number))

    def process(self, number: int, most: int) -> None:
        """The function works on some inputs and answers; or meets one that it cannot process."""
        call = self.calls[number]
        until = min(call.processed + most, len(call.inputs))
        bad = [one for one in range(call.processed, until) if self.is_poison(call.inputs[one])]
        if bad and bad[0] == call.processed:
            self.break_off(number, bad[0] if self.reports else None)
            return
        until = bad[0] if bad else until
        call.wanted = False
        messages: list[Message] = []
        results: list[int] = []
        inputs: list[int] = []
        for index in range(call.processed, until):
            for result, payload in outputs_of(call.inputs[index], len(self.stored)):
                messages.append(Message(payload, "text/plain"))
                results.append(result)
                inputs.append(index)
        call.processed = until
        self.tell(
            events.OutputsReceived(
                number,
                messages,
                results if messages else (0,),
                inputs if self.reports else (),
                call.processed if self.reports else 0,
            )
        )

    def end_call(self, number: int) -> None:
        del self.calls[number]
        self.tell(events.CallEnded(number))

    def store(self, output: int, mask: int = 0) -> None:
        """The gateway stores all of a batch, or only some of it."""
        batch = self.publishing.pop(output)
        later = TemporaryError("later")
        left = [one for bit, one in enumerate(batch) if not mask >> bit & 1]
        self.store_all(output, left)
        kept = {id(one) for one in left}
        results = [Position(0, 0) if id(one) in kept else later for one in batch]
        self.tell(events.Published(output, results))

    def store_all(self, output: int, batch: list[Message]) -> None:
        if output < len(self.stored):
            self.stored[output].update(one.payload for one in batch)
            return
        for letter in batch:
            origin = Origin.of(letter)
            assert origin is not None
            key = PartitionKey(INPUTS.index(origin.stream), origin.partition)
            assert letter.payload == b"%d/%d/%d" % (*key, origin.offset), "unchanged"
            assert letter.key == key_of(origin.offset)
            assert letter.headers["a"] == "b"
            self.dead.add((key, origin.offset))

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        if self.wake_at is not None and self.wake_at <= self.now and not self.over:
            self.wake_at = None
            self.tell(events.Woken())
            asked: float | None = vars(self)["wake_at"]
            assert asked is None or asked > self.now, "no storm of wake-ups"

    def assign(self, keys: list[PartitionKey]) -> None:
        for key in keys:
            self.held[key] = self.group.get(key, -1)
        if not self.at_most_once:
            # What is not acked is read again, and so fed for the first time again.
            self.seen = {one for one in self.seen if one[0] not in keys}
        partitions = frozenset(key.partition for key in keys)
        self.tell(events.PartitionsAssigned(keys[0].input, partitions))

    def request_stop(self, grace: float, *, drain: bool) -> None:
        self.reads.clear()
        deadline = self.now + grace
        self.stop_at = deadline if self.stop_at is None else min(self.stop_at, deadline)
        if self.at_most_once:
            self.exempt |= {(key, one) for key, log in self.logs.items() for one, _ in log}
        self.tell(events.StopRequested(grace, drain))

    # What the engine says.

    def tell(self, event: events.Event) -> None:
        for command in self.engine.handle(event, self.now):
            assert not self.over
            getattr(self, f"on_{type(command).__name__}")(command)
        usage = self.engine.usage
        levels = [usage.held_messages, usage.held_bytes, usage.read_messages, usage.read_bytes]
        levels += [usage.write_messages, usage.write_bytes]
        assert min(levels) >= 0, usage
        most = HOLD.high_records + len(PARTITIONS) * HOLD.high_records
        assert usage.held_messages <= most
        # What goes on behind a failure has as many calls again.
        assert len(self.calls) <= 2 * self.settings.calls

    def on_Read(self, command: commands.Read) -> None:  # noqa: N802
        key = PartitionKey(command.input, command.partition)
        assert key not in self.reads
        assert self.stop_at is None
        assert key in self.held
        assert key not in self.leaving
        assert key not in self.stopped
        self.reads[key] = command

    def on_OpenCall(self, command: commands.OpenCall) -> None:  # noqa: N802
        self.calls[command.call] = FunctionCall()

    def on_Feed(self, command: commands.Feed) -> None:  # noqa: N802
        call = self.calls[command.call]
        assert not call.feeding
        assert not call.finished
        call.feeding = True
        for part in command.parts:
            for message in part.messages:
                number, partition, offset = map(int, message.payload.split(b"/"))
                assert number == part.input
                place = PartitionKey(number, partition), offset
                call.inputs.append(place)
                self.check_order(place)
                if self.at_most_once:
                    assert self.group[place[0]] >= offset, "acked first"
        self.check_window(call.inputs)

    def check_order(self, place: Place) -> None:
        window = self.settings.window
        if place in self.seen:
            return
        if window.time is WindowTime.PROCESSING and (window.per_key or self.settings.calls == 1):
            later = [
                one
                for one in self.seen
                if one[0] == place[0]
                and one[1] > place[1]
                and (not window.per_key or key_of(one[1]) == key_of(place[1]))
            ]
            assert not later, "in the order of offsets"
        self.seen.add(place)

    def check_window(self, inputs: list[Place]) -> None:
        window = self.settings.window
        if window.per_key:
            assert len({key_of(offset) for _, offset in inputs}) == 1, "one key"
        if window.count:
            assert len(inputs) <= window.count
        if window.is_of_event_time:
            times = sorted(dict(self.logs[key])[offset] for key, offset in inputs)
            size = round(window.size_seconds * 1000)
            if window.type is WindowType.TUMBLING:
                assert times[0] // size == times[-1] // size, "one window"
            elif window.type is WindowType.SLIDING:
                assert times[-1] - times[0] < size, "one window"

    def on_FinishCall(self, command: commands.FinishCall) -> None:  # noqa: N802
        assert not self.calls[command.call].finished
        self.calls[command.call].finished = True

    def on_AbandonCall(self, command: commands.AbandonCall) -> None:  # noqa: N802
        self.exempt_all([self.calls.pop(command.call)])

    def on_ReadOutputs(self, command: commands.ReadOutputs) -> None:  # noqa: N802
        assert not self.calls[command.call].wanted
        self.calls[command.call].wanted = True

    def on_FindHost(self, _command: commands.FindHost) -> None:  # noqa: N802
        assert not self.finding
        self.finding = True

    def on_Publish(self, command: commands.Publish) -> None:  # noqa: N802
        assert command.output not in self.publishing
        self.publishing[command.output] = list(command.messages)
        if self.reports and command.output < len(self.stored):
            for message in command.messages:
                assert self.ids.setdefault(message.id, message.payload) == message.payload
                number, partition, offset, _, index = map(int, message.payload.split(b"/"))
                name = self.settings.outputs[command.output].name
                assert message.id == f"g/{INPUTS[number]}/{partition}/{offset}/{name}/{index}"

    def on_Ack(self, command: commands.Ack) -> None:  # noqa: N802
        for partition, position in command.positions.items():
            key = PartitionKey(command.input, partition)
            acked = self.group.get(key, -1)
            assert key in self.held, "only what is held is acked"
            assert position > acked
            assert position <= self.held[key]
            self.group[key] = position
            if not self.at_most_once:
                self.check_done(key, acked, position)
        if self.at_most_once:
            self.storing.append(events.Acked(command.input, command.positions))

    def check_done(self, key: PartitionKey, after: int, until: int) -> None:
        for offset, _ in self.logs[key]:
            place = key, offset
            if after < offset <= until and place not in self.dead and place not in self.exempt:
                # What is late is counted while the read is handled.
                late = not self.settings.window.is_of_event_time
                for result, payload in outputs_of(place, len(self.stored)):
                    assert payload in self.stored[result] or not late, "nothing is lost"
                assert not self.is_poison(place) or not late, "nothing is lost"

    def on_Release(self, command: commands.Release) -> None:  # noqa: N802
        self.leave(command.input, command.partitions)

    def on_GiveUp(self, command: commands.GiveUp) -> None:  # noqa: N802
        for partition in command.partitions:
            assert self.leaving[PartitionKey(command.input, partition)] <= self.now
        self.leave(command.input, command.partitions)

    def leave(self, number: int, partitions: frozenset[int]) -> None:
        for partition in partitions:
            key = PartitionKey(number, partition)
            del self.leaving[key], self.held[key]
            self.stopped.pop(key, None)

    def on_WakeAt(self, command: commands.WakeAt) -> None:  # noqa: N802
        self.wake_at = command.time

    def on_Stopped(self, command: commands.Stopped) -> None:  # noqa: N802
        key = PartitionKey(command.input, command.partition)
        assert key not in self.stopped
        self.stopped[key] = self.group.get(key, -1)
        self.reads.pop(key, None)

    def on_Retried(self, command: commands.Retried) -> None:  # noqa: N802
        assert command.attempt < self.settings.delivery.deliveries

    def on_Split(self, command: commands.Split) -> None:  # noqa: N802
        assert command.messages > 1

    def on_SetAside(self, _command: commands.SetAside) -> None:  # noqa: N802
        assert self.settings.dead_letters is not None

    def on_Lost(self, _command: commands.Lost) -> None:  # noqa: N802
        assert self.at_most_once

    def on_EndedEarly(self, command: commands.EndedEarly) -> None:  # noqa: N802
        assert command.windows > 0

    def on_Fail(self, _command: commands.Fail) -> None:  # noqa: N802
        assert self.stopped or self.engine.usage.stopped
        self.over = True

    def on_Done(self, _command: commands.Done) -> None:  # noqa: N802
        assert self.stop_at is not None
        self.over = True

    # What must hold in the end.

    def come_to_an_end(self) -> None:
        """Let everything go on: then all is done, and nothing is lost."""
        if not self.over:
            self.finish()
        if self.over or self.stop_at is not None:
            assert self.over, "a stop ends"
            self.restart()
        self.finish()
        for number in (0, 1):
            self.assign_again(number, 0)
        self.finish()
        stopped = set(self.stopped)
        self.request_stop(100_000.0, drain=True)
        self.finish()
        assert self.over
        for key, log in self.logs.items():
            if key in stopped or key in self.stopped or not log:
                continue
            assert self.group[key] == log[-1][0], "everything is done"
            if self.at_most_once:
                continue
            for offset, _ in log:
                place = key, offset
                if place not in self.dead and place not in self.exempt:
                    assert not self.is_poison(place)
                    for result, payload in outputs_of(place, len(self.stored)):
                        assert payload in self.stored[result], "nothing is lost"


HAPPENINGS = (
    *(40 * [World.proceed] + 8 * [World.publish] + 3 * [World.wait]),
    *(2 * [World.lose_answer] + 2 * [World.revoke] + 2 * [World.assign_again]),
    *(2 * [World.fail] + 2 * [World.refuse]),
    *(World.stop, World.be_killed, World.crash, World.hang),
)
"""What may happen, as often as it is written here."""

_EVENT_OR_NOT = st.sampled_from([WindowTime.PROCESSING, WindowTime.EVENT])
WINDOWS = st.one_of(
    st.builds(Window, size=st.sampled_from([1.0, 5.0]), time=_EVENT_OR_NOT, per_key=st.booleans()),
    st.builds(
        Window,
        type=st.just(WindowType.SLIDING),
        size=st.just(3.0),
        every=st.just(1.0),
        time=_EVENT_OR_NOT,
        per_key=st.booleans(),
    ),
    st.builds(
        Window,
        type=st.just(WindowType.SESSION),
        gap=st.just(1.0),
        time=_EVENT_OR_NOT,
        per_key=st.booleans(),
    ),
    st.builds(
        Window, type=st.just(WindowType.COUNT), count=st.integers(1, 7), per_key=st.booleans()
    ),
    st.builds(Window, type=st.just(WindowType.GLOBAL), max_messages=st.just(9)),
)


@st.composite
def deliveries(draw: st.DrawFn) -> Delivery:
    dead_letter = DeadLetter(stream="oops") if draw(st.booleans()) else None
    calls = draw(st.sampled_from([None, 1, 2, 16]))
    if draw(st.integers(0, 3)) == 0:
        return Delivery(
            guarantee=Guarantee.AT_MOST_ONCE, dead_letter=dead_letter, in_flight_windows=calls
        )
    return Delivery(
        max_deliveries=draw(st.integers(1, 3)),
        backoff=BackoffPolicy(initial=0.1, max=1.0),
        dead_letter=dead_letter,
        in_flight_windows=calls,
    )


# The same histories each time, so that a change is not blamed for what was there before it; others
# where somebody asks for a number of them.
# Explaining a failure takes longer than finding and shrinking it.
@hypothesis_settings(
    max_examples=int(EXAMPLES or 1000),
    derandomize=not EXAMPLES,
    deadline=None,
    phases=set(Phase) - {Phase.explain},
)
@given(
    window=WINDOWS,
    delivery=deliveries(),
    outputs=st.integers(0, 2),
    reports=st.booleans(),
    poison=st.sampled_from([0, 0, 5, 11]),
    history=st.binary(min_size=200, max_size=600),
)
def test_every_history_keeps_the_promises(  # noqa: PLR0917 - each is drawn by its own strategy
    window: Window, delivery: Delivery, outputs: int, reports: bool, poison: int, history: bytes
) -> None:
    streams = tuple(Output(f"out{number}", "text/plain") for number in range(outputs))
    settings = Settings(
        "g",
        INPUTS,
        streams,
        window,
        delivery,
        read_marks=MARKS,
        hold_marks=HOLD,
        write_marks=MARKS,
        wall_clock=float(EPOCH),
        seed=1,
    )
    world = World(settings, reports=reports, poison=poison)
    world.go_through(history)
    world.come_to_an_end()
