"""Windows against a plain reference, which knows one message and one moment at a time.

What holds in every history of reads, pauses, assignments and revocations:

- each message is in exactly the windows that its time and its key say, or it is late;
- a window closes with its reason at the moment at which it is to, neither before nor after;
- the messages of a partition are in the order of their offsets in every window;
- what is in open windows is counted, and no window is empty;
- following `wake_at` alone, every end is met at its moment, and no wake-up is wasted for ever.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple

from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from penstock.plugin import Message
from penstock.window import Window as Settings
from penstock.window import WindowTime, WindowType
from penstock_sidecar.engine.flow import PartitionKey
from penstock_sidecar.engine.settlement import Partition, Run
from penstock_sidecar.engine.windows import Reason, Window, windows_of

RunOf = Callable[[Partition, Sequence[Message], int], Run]
KEYS = [PartitionKey(0, 0), PartitionKey(0, 1), PartitionKey(1, 0)]
BEGINNING = -inf
WALL_CLOCK = 1_000_000.0
IDLE = 5.0


@dataclass(eq=False)
class Told:
    """A message as the reference sees it."""

    id: bytes
    partition: int
    offset: int
    key: bytes | None
    time: float
    size: int


@dataclass(eq=False)
class Expected:
    """A window as the reference sees it."""

    key: bytes | None
    start: float
    end: float
    told: list[Told] = field(default_factory=list)
    reason: Reason | None = None

    @property
    def size(self) -> int:
        return sum(one.size for one in self.told)


class Held:
    """A partition as the reference sees it."""

    def __init__(self) -> None:
        self.latest = BEGINNING
        self.idle_at = inf
        self.is_new = True


class ReferenceWatermark:
    """Goes from one moment at which a partition becomes idle to the next."""

    def __init__(self) -> None:
        self.partitions: dict[int, Held] = {}
        self.now = 0.0
        self.reached = BEGINNING

    def at(self, now: float) -> float:
        for moment in sorted({one.idle_at for one in self.partitions.values()} | {now}):
            if self.now <= moment <= now:
                self._step(moment)
        return self._value()

    def _active(self) -> list[Held]:
        return [one for one in self.partitions.values() if one.idle_at > self.now]

    def _step(self, moment: float) -> None:
        if self.partitions and not self._active():
            self.reached += (moment - self.now) * 1000
        self.now = moment
        if active := [one for one in self._active() if not one.is_new]:
            if len(active) == len(self._active()):
                self.reached = max(self.reached, min(one.latest for one in active))
        elif self.reached == BEGINNING and not self._active():
            seen = [one for one in self.partitions.values() if not one.is_new]
            last = max((one.idle_at for one in seen), default=0)
            self.reached = min(
                (one.latest for one in seen if one.idle_at == last), default=BEGINNING
            )

    def _value(self) -> float:
        return BEGINNING if any(one.is_new for one in self._active()) else self.reached

    def came(self, partition: int, latest: float) -> None:
        held = self.partitions[partition]
        if held.is_new and held.idle_at > self.now:
            self.reached = BEGINNING
        held.is_new = False
        held.idle_at = inf
        held.latest = max(held.latest, latest)


class Reference:
    """Every window that there is, searched for each message."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.is_event = settings.is_of_event_time
        self.watermark = ReferenceWatermark()
        self.windows: list[Expected] = []
        self.lateness = settings.lateness_seconds * 1000
        self.unit = 1000 if self.is_event or settings.type is WindowType.SLIDING else 1

    def horizon(self, now: float) -> float:
        if self.is_event:
            return self.watermark.at(now) - self.lateness
        return round((now + WALL_CLOCK) * 1000) if self.unit == 1000 else now

    def expire(self, now: float) -> list[Expected]:
        horizon = self.horizon(now)
        ended = [one for one in self.windows if one.end <= horizon]
        return [self.close(one, Reason.TIME) for one in sorted(ended, key=lambda one: one.end)]

    def close(self, window: Expected, reason: Reason) -> Expected:
        self.windows.remove(window)
        window.reason = reason
        return window

    def place(self, batch: list[Told], now: float) -> tuple[list[Expected], list[Told]]:
        horizon = self.horizon(now)
        closed: list[Expected] = []
        late = []
        for one in batch:
            if not self.is_event:
                one.time = horizon
            if not self.place_one(one, horizon, closed):
                late.append(one)
        if self.is_event:
            self.watermark.came(batch[0].partition, max(one.time for one in batch))
            closed += self.expire(now)
        return closed, late

    def place_one(self, one: Told, horizon: float, closed: list[Expected]) -> bool:
        key = one.key if self.settings.per_key else None
        if self.settings.type is WindowType.SESSION and self.is_event:
            return self.place_in_session(one, key, horizon, closed)
        spans = [span for span in self.spans(one.time) if not span[1] <= horizon]
        for start, end in spans:
            known = [
                w for w in self.windows if w.key == key and (w.start == start or self.unit == 1)
            ]
            window = known[0] if known else None
            if window and self.overflows(window, one):
                closed.append(self.close(window, Reason.BYTES))
                window = None
            if window is None:
                window = Expected(key, start, end)
                self.windows.append(window)
            if self.settings.type is WindowType.SESSION:
                window.end = end
            self.put(window, one, closed)
        return bool(spans)

    def spans(self, time: float) -> list[tuple[float, float]]:
        settings = self.settings
        size = settings.size_seconds * self.unit
        if settings.type in (WindowType.COUNT, WindowType.GLOBAL):
            return [(time, inf)]
        if settings.type is WindowType.SESSION:
            return [(time, time + (settings.gap or 0) * self.unit)]
        if self.unit == 1:
            return [(time, time + size)]
        every = (settings.every or settings.size_seconds) * 1000
        starts = []
        start = time - time % every
        while start + size > time:
            starts.append(start)
            start -= every
        return [(one, one + size) for one in reversed(starts)]

    def place_in_session(
        self, one: Told, key: bytes | None, horizon: float, closed: list[Expected]
    ) -> bool:
        end = one.time + (self.settings.gap or 0) * 1000
        touched = sorted(
            (w for w in self.windows if w.key == key and w.start < end and one.time < w.end),
            key=lambda w: w.start,
        )
        if not touched and end <= horizon:
            return False
        window = touched[0] if touched else None
        for other in touched[1:]:
            assert window is not None
            joined = Expected(key, window.start, other.end, window.told + other.told)
            if reason := self.full(joined):
                closed.append(self.close(window, reason))
                window = other
                continue
            self.windows.remove(window)
            self.windows.remove(other)
            self.windows.append(joined)
            window = joined
        if window and self.overflows(window, one):
            closed.append(self.close(window, Reason.BYTES))
            window = None
        if window is None:
            window = Expected(key, one.time, end)
            self.windows.append(window)
        window.start = min(window.start, one.time)
        window.end = max(window.end, end)
        self.put(window, one, closed)
        return True

    def overflows(self, window: Expected, one: Told) -> bool:
        return window.size + one.size > (self.settings.max_bytes or inf)

    def put(self, window: Expected, one: Told, closed: list[Expected]) -> None:
        window.told.append(one)
        if reason := self.full(window):
            closed.append(self.close(window, reason))

    def full(self, window: Expected) -> Reason | None:
        if len(window.told) >= (self.settings.count or inf):
            return Reason.COUNT
        if len(window.told) >= (self.settings.max_messages or inf):
            return Reason.MESSAGES
        return Reason.BYTES if window.size >= (self.settings.max_bytes or inf) else None


Bare = tuple[bytes | None, float | None, float | None, Reason | None, tuple[bytes, ...]]


class World:
    """The windows and their reference, told the same."""

    def __init__(self, settings: Settings, run_of: RunOf) -> None:
        self.settings = settings
        self.run_of = run_of
        self.windows = windows_of(settings, WALL_CLOCK)
        self.reference = Reference(settings)
        self.now = 0.0
        self.partitions: dict[int, Partition] = {}
        self.offset = 0
        self.waiting: Counter[bytes] = Counter()
        self.placed = 0
        for number in range(len(KEYS) - 1):
            self.assign(number)

    def assign(self, number: int) -> None:
        if number in self.partitions:
            return
        self.check_ended()
        self.partitions[number] = Partition(KEYS[number])
        self.windows.assign(KEYS[number], self.now)
        self.reference.watermark.at(self.now)
        self.reference.watermark.partitions[number] = Held()
        self.read(number)

    def read(self, number: int) -> None:
        self.windows.reading(KEYS[number], self.now)
        self.reference.watermark.partitions[number].idle_at = self.now + IDLE

    def revoke(self, number: int) -> None:
        if number not in self.partitions:
            return
        self.check_ended()
        self.windows.revoke(KEYS[number])
        del self.reference.watermark.partitions[number]
        self.windows.withdraw(self.partitions.pop(number))
        for window in list(self.reference.windows):
            window.told = [one for one in window.told if one.partition != number]
            if not window.told:
                self.reference.windows.remove(window)
        self.check_ended()

    def came(self, number: int, batch: list[tuple[int, int, int]], *, read: bool) -> None:
        if number not in self.partitions:
            return
        self.check_ended()
        first = self.offset
        self.offset += len(batch)
        told = []
        messages = []
        for index, (which, seconds, size) in enumerate(batch):
            key = (None, b"a", b"b", b"c")[which]
            payload = b"%d" % (first + index)
            messages.append(Message(payload.ljust(size), key=key))
            time = round((WALL_CLOCK + seconds / 2) * 1000)
            actual = max(size, len(payload)) + len(key or b"")
            told.append(Told(payload, number, first + index, key, time, actual))
        run = self.run_of(self.partitions[number], messages, first)
        timestamps = [int(one.time) for one in told]
        placement = self.windows.place(run, timestamps, self.now)
        closed, late = self.reference.place(told, self.now)
        if read:
            self.read(number)
        assert Counter(map(self.bare, placement.closed)) == Counter(map(self.expected, closed))
        dropped = [message for run in placement.dropped for message in run.messages]
        assert [one.payload.strip() for one in dropped] == [one.id for one in late]
        self.check_counts()

    def wait(self, seconds: float) -> None:
        """Time passes: the engine is woken when it asked for it, and at the end."""
        end = self.now + seconds
        woken = 0
        while (wake_at := self.windows.wake_at) is not None and wake_at <= end:
            # The watermark of the reference moves at wake-ups alone: it must not have ended before.
            just_before = max(self.now, wake_at - 0.001)
            if just_before < wake_at:
                self.now = just_before
                assert not self.reference_due()
            self.now = max(self.now, wake_at)
            self.check_ended()
            woken += 1
            assert woken < 100
        self.now = end
        assert not self.reference_due()

    def reference_due(self) -> list[Expected]:
        horizon = self.reference.horizon(self.now)
        return [one for one in self.reference.windows if one.end <= horizon]

    def check_ended(self) -> None:
        ended = list(self.windows.expire(self.now))
        expected = self.reference.expire(self.now)
        assert Counter(map(self.bare, ended)) == Counter(map(self.expected, expected))
        assert [one.end for one in ended] == sorted(one.end or 0 for one in ended) or not (
            self.settings.is_of_event_time
        )
        self.check_counts()

    def check_counts(self) -> None:
        windows = self.reference.windows
        held = {one.offset: one.size for window in windows for one in window.told}
        assert self.windows.open == len(windows)
        assert self.windows.records == len(held)
        assert self.windows.size == sum(held.values())
        if not windows:
            assert self.windows.wake_at is None

    def bare(self, window: Window) -> Bare:
        messages = [message for run in window.runs for message in run.messages]
        assert window.records == len(messages) > 0
        assert window.size == sum(len(one.payload) + len(one.key or b"") for one in messages)
        for partition in self.partitions.values():
            offsets = [
                int(one.payload)
                for run in window.runs
                if run.partition is partition
                for one in run.messages
            ]
            assert offsets == sorted(offsets)
        ids = sorted(one.payload.strip() for one in messages)
        return window.key, window.start, window.end, window.closed, tuple(ids)

    def expected(self, window: Expected) -> Bare:
        ids = tuple(sorted(one.id for one in window.told))
        bounds = (window.start, window.end) if self.settings.is_of_event_time else (None, None)
        return window.key, *bounds, window.reason, ids


class Came(NamedTuple):
    """A read brings messages: which key, which half second, how many bytes."""

    partition: int
    messages: list[tuple[int, int, int]]
    reads_on: bool

    def happen(self, world: World) -> None:
        world.came(self.partition, self.messages, read=self.reads_on)


class Waited(NamedTuple):
    seconds: float

    def happen(self, world: World) -> None:
        world.wait(self.seconds)


class Assigned(NamedTuple):
    partition: int

    def happen(self, world: World) -> None:
        world.assign(self.partition)


class Revoked(NamedTuple):
    partition: int

    def happen(self, world: World) -> None:
        world.revoke(self.partition)


Step = Came | Waited | Assigned | Revoked

PARTITIONS = st.integers(0, len(KEYS) - 1)
SIZES = st.sampled_from([1, 300, 600, 2000])
MESSAGES = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 60), SIZES), min_size=1, max_size=8)
STEPS: st.SearchStrategy[list[Step]] = st.lists(
    st.one_of(
        st.builds(Came, PARTITIONS, MESSAGES, st.booleans()),
        st.builds(Waited, st.sampled_from([0.0, 0.5, 1.0, 2.5, 5.0, 10.0])),
        st.builds(Assigned, PARTITIONS),
        st.builds(Revoked, PARTITIONS),
    ),
    max_size=25,
)


@st.composite
def declared(draw: st.DrawFn) -> Settings:
    type_ = draw(st.sampled_from(list(WindowType)))
    fields: dict[str, object] = {"type": type_, "per_key": draw(st.booleans())}
    if type_ in (WindowType.TUMBLING, WindowType.SLIDING):
        fields["size"] = draw(st.sampled_from([3.0, 6.0, 12.0]))
    if type_ is WindowType.SLIDING:
        fields["every"] = draw(st.sampled_from([1.0, 3.0]))
    if type_ is WindowType.SESSION:
        fields["gap"] = draw(st.sampled_from([1.0, 3.0]))
    if type_ is WindowType.COUNT:
        fields["count"] = draw(st.integers(1, 5))
    if type_ not in (WindowType.COUNT, WindowType.GLOBAL) and draw(st.booleans()):
        fields["time"] = WindowTime.EVENT
        fields["idle_timeout"] = IDLE
        fields["allowed_lateness"] = draw(st.sampled_from([None, 2.0]))
    if draw(st.booleans()) or type_ is WindowType.GLOBAL:
        fields["max_messages"] = draw(st.integers(5, 9))
    if draw(st.booleans()):
        fields["max_bytes"] = 1024
    return Settings.model_validate(fields)


@hypothesis_settings(max_examples=500)
@given(declared(), STEPS)
def test_every_message_is_in_the_windows_it_belongs_to(
    run_of: RunOf, settings: Settings, steps: list[Step]
) -> None:
    world = World(settings, run_of)
    for step in steps:
        step.happen(world)
    world.check_ended()
