"""The rows of the engine alone: events in, commands answered at once by a host and a gateway that
are simulated, without any input or output.
"""

import gc
import multiprocessing
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from time import process_time
from typing import Any

import psutil

from benchmarks.rows import show
from penstock.delivery import BackoffPolicy, DeadLetter, Delivery
from penstock.garbage import collect_seldom
from penstock.plugin import Message, PermanentError, Position, Record
from penstock.window import Window, WindowTime, WindowType
from penstock_sidecar.engine import Engine, Event, Marks, Output, Settings, commands, events

BATCH = 500
PAYLOAD = b"x" * 100
START_MS = 1_700_000_000_000
POISON = b"poison"
MESSAGES = 200_000
SESSIONS = 1_000_000
MIB = 1024 * 1024
EVERYTHING = Marks(1 << 40, 1 << 39, 1 << 50, 1 << 49)
"""Marks that are never reached: what is measured is not to wait for room."""


@dataclass(frozen=True)
class Load:
    """What an engine is given.

    Attributes:
        window: Its windows.
        reports: Whether the function's host tells which inputs are done.
        keys: How many keys the messages have; 0: none has one.
        partitions: How many partitions they come from, in turn.
        batch: How many come at a time.
        poison: The function fails at each message of this place; 0: at none.
        rate: Messages of a second of stream time, for windows that end by time.
        hold: Bounds on what may be held.
    """

    window: Window = field(default_factory=Window)
    reports: bool = True
    keys: int = 0
    partitions: int = 1
    batch: int = BATCH
    poison: int = 0
    rate: int = 100_000
    hold: Marks = EVERYTHING


class Simulation:
    """An engine, and everything around it.

    Args:
        load: What it is given.
        messages: How many.
    """

    def __init__(self, load: Load, messages: int) -> None:
        self.now = 0.0
        self.published = 0
        self.acked = 0
        self._load = load
        self._messages = messages
        self._events: deque[Event] = deque()
        self._reads = [_reads(load, messages, number) for number in range(load.partitions)]
        self._calls: dict[int, _Call] = {}
        delivery = Delivery(
            max_deliveries=1,
            backoff=BackoffPolicy(initial=0.001, max=0.001, jitter=0.0),
            dead_letter=DeadLetter(stream="dead") if load.poison else None,
        )
        self.engine = Engine(
            Settings(
                group="bench",
                inputs=("in",),
                outputs=(Output("out", "text/plain"),),
                window=load.window,
                delivery=delivery,
                hold_marks=load.hold,
                wall_clock=START_MS / 1000,
                seed=1,
            )
        )
        self._answers: Mapping[type, Callable[[Any], object]] = {
            commands.Read: self._read,
            commands.OpenCall: self._open,
            commands.Feed: self._feed,
            commands.ReadOutputs: self._read_outputs,
            commands.FinishCall: self._finish,
            commands.AbandonCall: lambda command: self._calls.__delitem__(command.call),
            commands.Publish: self._publish,
            commands.Ack: self._ack,
            commands.WakeAt: self._wake_at,
        }
        self._due = 0.0
        self._events.append(events.PartitionsAssigned(0, frozenset(range(load.partitions))))

    def run(self) -> None:
        """Go on until everything was read, and the function had it."""
        self.read()
        drain = True
        while self._due or drain:
            if self._due:
                self.now, self._due = max(self.now, self._due), 0.0
                self._events.append(events.Woken())
            else:
                self._events.append(events.StopRequested(60.0, drain=True))
                drain = False
            self.read()

    def read(self) -> None:
        """Go on until nothing happens before time passes."""
        step = self._load.batch / self._load.rate
        handle, waiting, answers = self.engine.handle, self._events, self._answers
        while waiting:
            event = waiting.popleft()
            if type(event) is events.RecordsRead:
                self.now += step
            for command in handle(event, self.now):
                if answer := answers.get(type(command)):
                    answer(command)

    def _read(self, command: commands.Read) -> None:
        for event in self._reads[command.partition]:
            self._events.append(event)
            return

    def _open(self, command: commands.OpenCall) -> None:
        self._calls[command.call] = _Call(self._load)

    def _feed(self, command: commands.Feed) -> None:
        self._calls[command.call].feed(command.parts)
        self._events.append(events.BatchTaken(command.call))
        self._answer(command.call)

    def _finish(self, command: commands.FinishCall) -> None:
        self._calls[command.call].finished = True
        self._answer(command.call)

    def _read_outputs(self, command: commands.ReadOutputs) -> None:
        self._calls[command.call].reading = True
        self._answer(command.call)

    def _answer(self, number: int) -> None:
        call = self._calls[number]
        if call.reading and (event := call.answer(number)):
            call.reading = False
            self._events.append(event)

    def _publish(self, command: commands.Publish) -> None:
        self.published += len(command.messages)
        results = [Position(0, 0)] * len(command.messages)
        self._events.append(events.Published(command.output, results))

    def _ack(self, command: commands.Ack) -> None:
        self.acked += 1
        self._events.append(events.Acked(command.input, command.positions))

    def _wake_at(self, command: commands.WakeAt) -> None:
        self._due = command.time


class _Call:
    """A call as the function's host sees it: an output for each input, or one for all of them."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._fed = 0
        self._done = 0
        self._outputs: list[Message] = []
        self.reading = False
        self.finished = False
        self._failed_at: int | None = None

    def feed(self, parts: Sequence[commands.Part]) -> None:
        for part in parts:
            if self._load.reports:
                self._outputs += part.messages
                if self._load.poison and self._failed_at is None:
                    self._look_for_poison(part.messages)
            self._fed += len(part.messages)

    def _look_for_poison(self, messages: Sequence[Message]) -> None:
        for index, message in enumerate(messages):
            if message.payload == POISON:
                self._failed_at = self._fed + index
                return

    def answer(self, number: int) -> Event | None:
        """What it says now; ``None``: nothing."""
        until = self._fed if self._failed_at is None else self._failed_at
        if self._load.reports and until > self._done:
            inputs = range(self._done, until)
            outputs = self._outputs[: len(inputs)]
            self._done, self._outputs = until, []
            return events.OutputsReceived(number, outputs, (0,), inputs, until)
        if self._failed_at is not None:
            return events.CallFailed(number, PermanentError("poison"), self._failed_at)
        if not self.finished:
            return None
        if not self._load.reports and self._done < self._fed:
            self._done = self._fed
            return events.OutputsReceived(number, [Message(b"1", "text/plain")])
        return events.CallEnded(number)


def _reads(load: Load, messages: int, partition: int) -> Iterator[events.RecordsRead]:
    """What reads of a partition bring, made before anything is measured."""
    own = messages // load.partitions
    keys: list[bytes | None] = [b"key-%d" % number for number in range(load.keys)]
    kinds = [Message(PAYLOAD, "text/plain", key) for key in keys or (None,)]
    poison = Message(POISON, "text/plain")
    made = []
    for first in range(0, own, load.batch):
        records = [
            Record(
                poison
                if load.poison and (offset + 1) % load.poison == 0
                else kinds[(offset * load.partitions + partition) % len(kinds)],
                offset,
                START_MS + offset * load.partitions * 1000 // load.rate,
            )
            for offset in range(first, min(own, first + load.batch))
        ]
        made.append(events.RecordsRead(0, partition, records))
    return iter(made)


def seconds(load: Load, messages: int) -> float:
    """The processor's time that an engine takes for so many messages."""
    simulation = Simulation(load, messages)
    gc.collect()
    gc.freeze()
    started = process_time()
    simulation.run()
    taken = process_time() - started
    gc.unfreeze()
    assert simulation.engine.usage.read_messages == 0, simulation.engine.usage
    return taken


def tumbling(size: float = 1.0, **others: Any) -> Window:
    """Tumbling windows."""
    return Window(type=WindowType.TUMBLING, size=size, **others)


def count(messages: int, **others: Any) -> Window:
    """Windows of so many messages."""
    return Window(type=WindowType.COUNT, count=messages, **others)


EVENT = WindowTime.EVENT
RATES: Sequence[tuple[str, Load, int]] = (
    ("tumbling, reporting host", Load(tumbling()), 500_000),
    ("tumbling", Load(tumbling(), reports=False), 500_000),
    ("tumbling of event time", Load(tumbling(time=EVENT), reports=False), 500_000),
    ("count of 1,000, reporting host", Load(count(1000)), 500_000),
    ("count of 1,000", Load(count(1000), reports=False), 500_000),
    (
        "tumbling per key, 10,000 keys",
        Load(tumbling(per_key=True), reports=False, keys=10_000),
        150_000,
    ),
    (
        "count of 10 per key, 10,000 keys",
        Load(count(10, per_key=True), reports=False, keys=10_000),
        150_000,
    ),
    (
        "sliding, each message in 6",
        Load(Window(type=WindowType.SLIDING, size=6.0, every=1.0), reports=False),
        0,
    ),
    (
        "sessions of event time per key, 10,000 keys",
        Load(
            Window(type=WindowType.SESSION, gap=0.5, time=EVENT, per_key=True),
            reports=False,
            keys=10_000,
        ),
        150_000,
    ),
    ("each 1,000th message poison", Load(tumbling(), poison=1000), 0),
)
GROWTH: Sequence[tuple[str, Load]] = (
    *((what, load) for what, load, _ in RATES),
    ("1,000 partitions", Load(tumbling(), partitions=1000, batch=20)),
    ("one by one in one window", Load(Window(size=3600.0), reports=False, batch=1)),
)


def resident_with_sessions(sessions: int) -> float:
    """MiB that so many open sessions take, one for each key, with their messages."""
    load = Load(
        Window(type=WindowType.SESSION, gap=3600.0, time=EVENT, per_key=True),
        reports=False,
        keys=sessions,
    )
    simulation = Simulation(load, sessions)
    simulation.read()
    assert simulation.engine.usage.open_windows == sessions
    return float(psutil.Process().memory_info().rss) / MIB


def resident_in_a_process_of_its_own(sessions: int) -> float:
    """The same, with nothing in it that was there before."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        return process.submit(resident_with_sessions, sessions).result()


async def measure() -> None:
    """Measure one kind of window after the other, with garbage collected as the sidecar does."""
    collect_seldom()
    show(f"ENGINE ALONE, batches of {BATCH}, seconds of the processor", "found", "goal")
    for what, load, goal in RATES:
        rate = MESSAGES / seconds(load, MESSAGES)
        show(what, f"{rate:,.0f} /s", f">= {goal:,} /s" if goal else "")
    for what, load in GROWTH:
        few, many = seconds(load, MESSAGES // 10), seconds(load, MESSAGES)
        show(f"  10 x the messages: {what}", f"{many / few:.1f} x the time", "<= 11 x")
    resident = resident_in_a_process_of_its_own(SESSIONS)
    show(f"{SESSIONS:,} open sessions", f"{resident:,.0f} MiB", "<= 1,024 MiB")
