"""The engine against a plain reference, over random histories.

What holds at every moment of every history:

- acks are exact: an offset is acked as soon as it and every one below it is done (its call has
  ended, or its function's host has reported it) and every output that came up to then is stored;
  never before, and never for a partition that this member does not hold;
- order: a partition is fed in its order, an output is published in the order of what came;
- windows hold what they should: a call gets records of one window only, in the order in which
  they were read, and is finished when that window has ended and all of it is taken;
- ids are stable: an output of a known input has one id for ever, and no other output has it;
- bounds are held: nothing is asked for that a full buffer would have to take; an empty one is
  always being filled;
- nothing is lost: once everything that can go on has gone on, all records are acked and all of
  their outputs stored, whatever was revoked, refused, lost, killed and started again before.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from hypothesis import Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from penstock.plugin import Message, PermanentError, Position, Record, TemporaryError
from penstock.window import Window, WindowType
from penstock_sidecar.engine import Engine, Marks, Output, Settings, commands, events
from penstock_sidecar.engine.engine import FAIL_SECONDS
from penstock_sidecar.engine.flow import PartitionKey

MARKS = Marks(high_records=12, low_records=6, high_bytes=120, low_bytes=60)
PARTITIONS = [PartitionKey(0, 0), PartitionKey(0, 1), PartitionKey(1, 0)]
INPUTS = ("left", "right")


def key_of(offset: int) -> bytes | None:
    return b"k%d" % (offset % 3) if offset % 2 else None


def outputs_of(key: PartitionKey, offset: int, results: int) -> list[tuple[int, bytes]]:
    """What the function makes of a record: none, one or two outputs for each result."""
    return [
        (result, b"%d/%d/%d/%d/%d" % (*key, offset, result, index))
        for result in range(results)
        for index in range((offset + result) % 3)
    ]


@dataclass(eq=False)
class Reading:
    """One record, read once by this member."""

    held: Held
    offset: int
    window: ReferenceWindow
    fed: bool = False
    withdrawn: bool = False
    needs: list[int] | None = None
    """Once it is done: how many outputs of each result had come by then."""


@dataclass(eq=False)
class Held:
    """A partition that this member holds."""

    key: PartitionKey
    cursor: int
    acked: int
    readings: list[Reading] = field(default_factory=list)
    settled: int = 0
    last_fed: int = -1
    give_up_at: float | None = None


@dataclass(eq=False)
class ReferenceWindow:
    number: int
    ends: float | None
    size: int = 0
    queue: deque[Reading] = field(default_factory=deque)
    ended: bool = False


@dataclass(eq=False)
class FunctionCall:
    """The function's side of a call."""

    inputs: list[Reading] = field(default_factory=list)
    processed: int = 0
    feeding: int = 0
    finished: bool = False
    wanted: bool = False


class World:
    """A gateway, a function and a clock around one engine after another."""

    def __init__(self, settings: Settings, *, reports: bool) -> None:
        self.settings = settings
        self.reports = reports
        self.now = 0.0
        self.logs: dict[PartitionKey, list[int]] = {key: [] for key in PARTITIONS}
        self.group: dict[PartitionKey, int] = {}
        self.stored: list[set[bytes]] = [set() for _ in settings.outputs]
        self.restart()

    def restart(self) -> None:
        """A new engine, as after a failure or a kill: only the gateway remembers anything."""
        outputs = len(self.settings.outputs)
        self.engine = Engine(self.settings)
        self.held: dict[PartitionKey, Held] = {}
        self.reads: dict[PartitionKey, commands.Read] = {}
        self.readings: list[Reading] = []
        self.untaken = 0
        self.windows: list[ReferenceWindow] = []
        self.calls: dict[int, FunctionCall] = {}
        self.received = [0] * outputs
        self.accepted = [0] * outputs
        self.unstored: list[deque[bytes]] = [deque() for _ in range(outputs)]
        self.publishing: dict[int, list[bytes]] = {}
        self.batch_size = [0] * outputs
        self.wake_at: float | None = None
        self.stop_at: float | None = None
        self.failing = False
        self.over = False
        for number in (0, 1):
            self.assign([key for key in PARTITIONS if key.input == number])

    # What the world does.

    def publish(self, which: int, amount: int) -> None:
        """Records arrive in a partition, with gaps between their offsets or without."""
        log = self.logs[PARTITIONS[which % len(PARTITIONS)]]
        gap = amount // 16 % 2
        for _ in range(1 + amount % 16):
            log.append(log[-1] + 1 + gap if log else gap)

    def proceed(self, which: int, amount: int) -> None:
        """One of the things happens that can happen next."""
        if options := list(self.possible(most=1 + amount % 8, early=amount > 180)):
            options[which % len(options)]()

    def wait(self, which: int, _amount: int) -> None:
        self.pass_time((0.0, 0.05, 0.4, 1.0, 4.0, 10.0)[which % 6])

    def lose_answer(self, _which: int, amount: int) -> None:
        """The gateway goes away in the middle: nobody knows what it stored."""
        if self.publishing:
            output, batch = self.publishing.popitem()
            if amount % 2:
                self.stored[output].update(batch)
            self.tell(events.PublishFailed(output, TemporaryError("away", retry_after=0.5)))

    def revoke(self, which: int, amount: int) -> None:
        number, grace = which % 2, (0.0, 0.5, 100.0)[amount % 3]
        keys = [key for key in self.held if key.input == number]
        keys = [key for key in keys if self.held[key].give_up_at is None][: 1 + amount // 8 % 2]
        for key in keys:
            held = self.held[key]
            self.reads.pop(key, None)
            self.withdraw(held)
            if grace:
                held.give_up_at = self.now + 0.9 * grace
                for reading in self.until_first_withdrawn(held):
                    reading.window.ended |= reading.offset > held.acked
            else:
                del self.held[key]
        if keys:
            partitions = frozenset(key.partition for key in keys)
            self.tell(events.PartitionsRevoked(number, partitions, grace))

    def assign_again(self, which: int, _amount: int) -> None:
        keys = [key for key in PARTITIONS if key not in self.held and key.input == which % 2]
        if keys and self.stop_at is None:
            self.assign(keys)

    def stop(self, which: int, _amount: int) -> None:
        self.request_stop((1000.0, 0.3, 0.0)[which % 3])

    def be_killed(self, _which: int, _amount: int) -> None:
        self.restart()

    def fail(self, _which: int, _amount: int) -> None:
        """The function fails: what was done before it may still be published and acked."""
        if wanted := [number for number, call in self.calls.items() if call.wanted]:
            del self.calls[wanted[0]]
            self.begin_to_end(FAIL_SECONDS)
            self.failing = True
            self.tell(events.CallFailed(wanted[0], PermanentError("boom")))

    def refuse(self, _which: int, _amount: int) -> None:
        """The gateway refuses a message for good."""
        if self.publishing:
            output, batch = self.publishing.popitem()
            self.begin_to_end(0.0)
            self.failing = True
            results = [Position(0, 0)] * (len(batch) - 1) + [PermanentError("no")]
            self.tell(events.Published(output, results))
            assert self.over

    def go_through(self, history: bytes) -> None:
        """Live through what the bytes say: what happens, to which, how much."""
        for what, which, amount in zip(history[::3], history[1::3], history[2::3], strict=False):
            HAPPENINGS[what % len(HAPPENINGS)](self, which, amount)

    def finish(self) -> None:
        """Everything goes on until nothing can."""
        while do := next(self.possible(most=1000), None):
            do()
        if self.wake_at is not None:
            self.pass_time(max(0.0, self.wake_at - self.now))
            self.finish()

    def possible(self, most: int, *, early: bool = False) -> Iterator[Callable[[], None]]:
        """What can happen next, but for the time and for accidents."""
        for output, batch in self.publishing.items():
            yield partial(self.store, output, 0 if most > len(batch) else most)
        for number, call in self.calls.items():
            if call.feeding:
                yield partial(self.take, number)
            if call.wanted and call.processed < len(call.inputs):
                yield partial(self.process, number, most)
            elif call.wanted and (call.finished or early):
                yield partial(self.end_call, number)
        for key in self.reads:
            if self.held[key].cursor < len(self.logs[key]):
                yield partial(self.read, key, most)

    def read(self, key: PartitionKey, most: int) -> None:
        read, held = self.reads.pop(key), self.held[key]
        until = held.cursor + min(most, read.max_records)
        offsets = self.logs[key][held.cursor : until]
        held.cursor += len(offsets)
        self.expire()
        records = []
        for offset in offsets:
            payload = b"%d/%d/%d" % (*key, offset)
            # The function's side finds the reading again by the message's time.
            message = Message(payload, "text/plain", key_of(offset), time=str(len(self.readings)))
            records.append(Record(message, offset, 0))
            reading = Reading(held, offset, self.window_of_next())
            reading.window.size += 1
            reading.window.ended |= reading.window.size == self.settings.window.count
            for known in (self.readings, held.readings, reading.window.queue):
                known.append(reading)
        self.untaken += len(records)
        self.tell(events.RecordsRead(key.input, key.partition, records))

    def window_of_next(self) -> ReferenceWindow:
        if not self.windows or self.windows[-1].ended:
            by_time = self.settings.window.type is WindowType.TUMBLING
            ends = self.now + self.settings.window.size_seconds if by_time else None
            self.windows.append(ReferenceWindow(len(self.windows), ends))
        return self.windows[-1]

    def expire(self) -> None:
        for window in self.windows[-1:]:
            window.ended |= window.ends is not None and window.ends <= self.now

    def take(self, number: int) -> None:
        call = self.calls[number]
        self.untaken -= call.feeding
        call.feeding = 0
        self.tell(events.BatchTaken(number))

    def process(self, number: int, most: int) -> None:
        """The function works on some inputs and answers."""
        call = self.calls[number]
        call.wanted = False
        messages: list[Message] = []
        results: list[int] = []
        inputs: list[int] = []
        until = min(call.processed + most, len(call.inputs))
        for index in range(call.processed, until):
            reading = call.inputs[index]
            made = outputs_of(reading.held.key, reading.offset, len(self.stored))
            for result, payload in made:
                messages.append(Message(payload, "text/plain"))
                results.append(result)
                inputs.append(index)
                self.received[result] += 1
                self.unstored[result].append(payload)
        if self.reports:
            for reading in call.inputs[call.processed : until]:
                reading.needs = list(self.received)
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
        """A call ends: all of it is answered, or the function does not wait for more."""
        call = self.calls.pop(number)
        self.untaken -= call.feeding
        for reading in call.inputs:
            if reading.needs is None:
                reading.needs = list(self.received)
        self.tell(events.CallEnded(number))

    def store(self, output: int, mask: int = 0) -> None:
        """The gateway stores all of a batch, or only some of it."""
        batch = self.publishing.pop(output)
        refused = [payload for bit, payload in enumerate(batch) if mask >> bit & 1]
        if not refused:
            self.accepted[output] += self.batch_size[output]
        self.stored[output].update(payload for payload in batch if payload not in refused)
        for payload in batch:
            if payload not in refused:
                self.unstored[output].remove(payload)
        later = TemporaryError("later")
        results = [later if payload in refused else Position(0, 0) for payload in batch]
        self.tell(events.Published(output, results))

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        if self.wake_at is not None and self.wake_at <= self.now:
            self.wake_at = None
            self.tell(events.Woken())

    def withdraw(self, held: Held) -> None:
        for reading in held.readings:
            if not reading.fed and not reading.withdrawn:
                reading.withdrawn = True
                reading.window.queue.remove(reading)
                self.untaken -= 1

    def until_first_withdrawn(self, held: Held) -> list[Reading]:
        last = next((one.offset for one in held.readings if one.withdrawn), None)
        return [one for one in held.readings if last is None or one.offset < last]

    def assign(self, keys: list[PartitionKey]) -> None:
        for key in keys:
            acked = self.group.get(key, -1)
            cursor = sum(offset <= acked for offset in self.logs[key])
            self.held[key] = Held(key, cursor, acked)
        partitions = frozenset(key.partition for key in keys)
        self.tell(events.PartitionsAssigned(keys[0].input, partitions))

    def request_stop(self, grace: float) -> None:
        self.begin_to_end(grace)
        self.tell(events.StopRequested(grace))

    def begin_to_end(self, grace: float) -> None:
        self.reads.clear()
        for held in self.held.values():
            if held.give_up_at is None:
                self.withdraw(held)
        for window in self.windows:
            window.ended = True
        deadline = self.now + grace
        self.stop_at = deadline if self.stop_at is None else min(self.stop_at, deadline)

    # What the engine says.

    def tell(self, event: events.Event) -> None:
        self.expire()
        told = self.engine.handle(event, self.now)
        assert not told or not self.over
        for command in told:
            getattr(self, f"on_{type(command).__name__}")(command)
        if not self.over:
            for held in self.held.values():
                assert held.acked == self.done_of(held), "acks are exact"
                wanted = held.key in self.reads or held.give_up_at is not None
                assert wanted or self.untaken or self.stop_at is not None, "nothing starves"
            due = [window.ends for window in self.windows[-1:] if not window.ended]
            due += [self.stop_at, *(held.give_up_at for held in self.held.values())]
            earliest = min((time for time in due if time is not None), default=None)
            awake = earliest is None or (self.wake_at is not None and self.wake_at <= earliest)
            assert awake, "wakes up in time"

    def done_of(self, held: Held) -> int:
        """The last offset of a partition with nothing open at or below it."""
        done = held.acked
        for reading in held.readings[held.settled :]:
            needs = reading.needs
            if needs is None or any(a < n for a, n in zip(self.accepted, needs, strict=True)):
                break
            held.settled += 1
            done = reading.offset
        return done

    def on_Read(self, command: commands.Read) -> None:  # noqa: N802
        key = PartitionKey(command.input, command.partition)
        assert key not in self.reads
        assert self.stop_at is None
        assert self.held[key].give_up_at is None
        assert self.untaken < MARKS.high_records
        self.reads[key] = command
        granted = sum(read.max_records for read in self.reads.values())
        assert granted <= len(PARTITIONS) * MARKS.high_records

    def on_OpenCall(self, command: commands.OpenCall) -> None:  # noqa: N802
        self.calls[command.call] = FunctionCall()
        assert len(self.calls) <= self.settings.calls

    def on_Feed(self, command: commands.Feed) -> None:  # noqa: N802
        call = self.calls[command.call]
        assert not call.feeding
        assert not call.finished
        for part in command.parts:
            for message in part.messages:
                reading = self.readings[int(message.time)]
                assert part.input == reading.held.key.input
                window = (call.inputs or [reading])[0].window
                assert window.queue.popleft() is reading, "one window, in the order of reading"
                assert reading.offset > reading.held.last_fed or self.settings.calls > 1
                reading.held.last_fed = reading.offset
                reading.fed = True
                call.inputs.append(reading)
                call.feeding += 1
        open_windows = {one.inputs[0].window for one in self.calls.values() if one.inputs}
        for before in self.windows[: call.inputs[0].window.number]:
            assert before in open_windows or not before.queue, "windows in their order"

    def on_FinishCall(self, command: commands.FinishCall) -> None:  # noqa: N802
        call = self.calls[command.call]
        assert not call.feeding
        assert call.inputs[0].window.ended
        assert not call.inputs[0].window.queue
        call.finished = True

    def on_AbandonCall(self, command: commands.AbandonCall) -> None:  # noqa: N802
        assert self.stop_at is not None
        assert self.failing or self.stop_at <= self.now
        del self.calls[command.call]

    def on_ReadOutputs(self, command: commands.ReadOutputs) -> None:  # noqa: N802
        assert not self.calls[command.call].wanted
        waiting = [a - b for a, b in zip(self.received, self.accepted, strict=True)]
        assert sum(waiting) < MARKS.high_records
        self.calls[command.call].wanted = True

    def on_Publish(self, command: commands.Publish) -> None:  # noqa: N802
        payloads = [message.payload for message in command.messages]
        unstored = self.unstored[command.output]
        assert command.output not in self.publishing
        assert payloads == list(unstored)[: len(payloads)], "in the order of what came"
        self.publishing[command.output] = payloads
        if self.received[command.output] - self.accepted[command.output] == len(unstored):
            self.batch_size[command.output] = len(payloads)
        for message in command.messages:
            assert message.source == "g"
            if self.reports:
                number, partition, offset, _, index = map(int, message.payload.split(b"/"))
                output = self.settings.outputs[command.output].name
                assert message.id == f"g/{INPUTS[number]}/{partition}/{offset}/{output}/{index}"
                assert message.key == key_of(offset)

    def on_Ack(self, command: commands.Ack) -> None:  # noqa: N802
        for partition, position in command.positions.items():
            held = self.held[PartitionKey(command.input, partition)]
            assert held.acked < position
            for offset in range(held.acked + 1, position + 1):
                for result, payload in outputs_of(held.key, offset, len(self.stored)):
                    assert payload in self.stored[result] or offset not in self.logs[held.key]
            held.acked = self.group[held.key] = position

    def on_Release(self, command: commands.Release) -> None:  # noqa: N802
        for partition in command.partitions:
            held = self.held.pop(PartitionKey(command.input, partition))
            assert held.give_up_at is not None
            assert all(one.offset <= held.acked for one in self.until_first_withdrawn(held))

    def on_GiveUp(self, command: commands.GiveUp) -> None:  # noqa: N802
        for partition in command.partitions:
            held = self.held.pop(PartitionKey(command.input, partition))
            assert held.give_up_at is not None
            assert held.give_up_at <= self.now

    def on_WakeAt(self, command: commands.WakeAt) -> None:  # noqa: N802
        self.wake_at = command.time

    def on_Fail(self, command: commands.Fail) -> None:  # noqa: N802
        assert self.failing
        assert str(command.error).endswith(("boom", "no"))
        self.over = True

    def on_Done(self, command: commands.Done) -> None:  # noqa: N802
        assert self.stop_at is not None
        assert not self.failing
        finished = not self.calls and self.received == self.accepted
        assert finished or self.stop_at <= self.now
        unsettled = any(
            held.acked < one.offset
            for held in self.held.values()
            for one in self.until_first_withdrawn(held)
        )
        assert bool(command.given_up) == unsettled
        self.over = True

    # What must hold in the end.

    def come_to_an_end(self) -> None:
        """Let everything go on: then all is done, and nothing is lost."""
        self.finish()
        if self.stop_at is not None:
            assert self.over
            self.restart()
        # Partitions that were lost come back.
        for number in (0, 1):
            self.assign_again(number, 0)
        self.finish()
        # A Count window that is not full ends with the stop.
        self.request_stop(1000.0)
        self.finish()
        assert self.over
        for key, log in self.logs.items():
            assert not log or self.group[key] == log[-1]
            for offset in log:
                for result, payload in outputs_of(key, offset, len(self.stored)):
                    assert payload in self.stored[result]


HAPPENINGS = (
    *(40 * [World.proceed] + 8 * [World.publish] + 3 * [World.wait]),
    *(2 * [World.lose_answer] + 2 * [World.revoke] + 2 * [World.assign_again]),
    *(World.stop, World.be_killed, World.fail, World.refuse),
)
"""What may happen, as often as it is written here."""


# Explaining a failure takes longer than finding and shrinking it.
@hypothesis_settings(max_examples=200, deadline=None, phases=set(Phase) - {Phase.explain})
@given(
    window=st.one_of(
        st.builds(Window, size=st.sampled_from([1.0, 5.0])),
        st.builds(Window, type=st.just(WindowType.COUNT), count=st.integers(1, 7)),
    ),
    outputs=st.integers(0, 2),
    calls=st.integers(1, 3),
    reports=st.booleans(),
    history=st.binary(min_size=200, max_size=600),
)
def test_every_history_keeps_the_promises(
    window: Window, outputs: int, calls: int, reports: bool, history: bytes
) -> None:
    streams = tuple(Output(f"out{number}", "text/plain") for number in range(outputs))
    world = World(
        Settings("g", INPUTS, streams, window, read_marks=MARKS, write_marks=MARKS, calls=calls),
        reports=reports,
    )
    world.go_through(history)
    world.come_to_an_end()
