"""Sliding windows: a message is in several, and held once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import heapify, heappop, heappush
from itertools import count as counter

from penstock_sidecar.engine.settlement import Partition, Run
from penstock_sidecar.engine.windows.bounds import Amount, Bounds
from penstock_sidecar.engine.windows.dated import Dated
from penstock_sidecar.engine.windows.interface import Counts
from penstock_sidecar.engine.windows.order import in_order
from penstock_sidecar.engine.windows.panes import Lane
from penstock_sidecar.engine.windows.window import Reason, Window

_SPARE = 64


class SlidingWindows:
    """Windows that begin every so often, aligned to 1970, and overlap.

    Placing a message costs the same however many windows it is in, unless windows have bounds. A
    window is made of its panes when it closes.

    Args:
        every: Milliseconds from the start of one to that of the next, and of a pane.
        size: Milliseconds from the start to the end of one, a multiple of `every`.
        bounds: How much a window holds.
        counts: Where windows that close early are counted.
        numbers: Numbers for windows, ascending.
        per_key: Whether each key has windows of its own.
        of_event_time: Whether windows tell their starts and ends, and messages come in any order.
    """

    def __init__(
        self,
        every: int,
        size: int,
        bounds: Bounds,
        counts: Counts,
        numbers: Iterator[int],
        *,
        per_key: bool,
        of_event_time: bool,
    ) -> None:
        self.records = 0
        self.size = 0
        self._every = every
        self._length = size
        self._overlap = size // every
        self._bounds = bounds
        self._counts = counts
        self._numbers = numbers
        self._per_key = per_key
        self._of_event_time = of_event_time
        self._lane_numbers = counter(1)
        self._by_key: dict[bytes | None, Lane] = {}
        self._lanes: dict[int, Lane] = {}
        self._next: list[tuple[int, int]] = []
        """A heap of each lane's next window; it is lazy, as that of `OpenWindows`."""
        self._full: list[Window] = []

    @property
    def open(self) -> int:
        """How many windows have messages; this looks at every pane."""
        return sum(lane.windows for lane in self._lanes.values())

    @property
    def next_end(self) -> int | None:
        """When the next of them ends, in milliseconds."""
        lane = self._first()
        return None if lane is None else self._next[0][0] * self._every + self._length

    def place(self, dated: Dated, horizon: int) -> list[Dated]:
        """Place messages; returns those that are late.

        Args:
            dated: The messages.
            horizon: Windows that end at or before this time have ended.
        """
        every = self._every
        earliest = (horizon - self._length) // every + 1
        if self._per_key:
            return self._place_each(dated, earliest)
        if dated.low // every == dated.high // every:
            stretches = iter((dated,))
        else:
            stretches = dated.stretches(lambda low, _, time: low // every != time // every)
        return [
            one for one in stretches if not self._place(None, one.run, one.low // every, earliest)
        ]

    def ended(self, time: float) -> list[Window]:
        """Close the windows that end by this time, in the order of their ends."""
        windows = []
        while (end := self.next_end) is not None and end <= time:
            windows.append(self._close_first(Reason.TIME))
        return windows

    def full(self) -> list[Window]:
        """The windows that have closed since, as they were full."""
        windows, self._full = self._full, []
        return windows

    def end(self, window: Window, reason: Reason) -> bool:  # noqa: ARG002 - one signature
        """A window that anybody knows is closed."""
        return False

    def end_all(self, reason: Reason) -> Sequence[Window]:
        """Close all of them, in the order of their ends."""
        windows = []
        while self._first():
            windows.append(self._close_first(reason))
        return windows

    def end_oldest(self, records: int) -> Sequence[Window]:
        """Close those that end first, until so many messages are in no open window any more."""
        windows = []
        enough = self.records - records
        while self.records > enough and self._first():
            windows.append(self._close_first(Reason.BUFFER))
        return windows

    def withdraw(self, partition: Partition) -> Sequence[Run]:
        """Take the messages of a partition out."""
        withdrawn: list[Run] = []
        for lane in list(self._lanes.values()):
            for pane in lane:
                gone = pane.withdraw(partition)
                self.records -= sum(map(len, gone))
                self.size -= sum(run.size for run in gone)
                withdrawn += gone
            if self._bounds:
                lane.count()
            self._sweep(lane)
        return withdrawn

    def _place_each(self, dated: Dated, earliest: int) -> list[Dated]:
        run, times, _, _ = dated
        is_one = len(times) == 1
        pick, every, place = run.pick, self._every, self._place
        late = []
        for index, message in enumerate(run.messages):
            time = times[index]
            one = run if is_one else pick(index)
            if not place(message.key, one, time // every, earliest):
                late.append(Dated(one, (time,), time, time))
        return late

    def _place(self, key: bytes | None, run: Run, index: int, earliest: int) -> bool:
        """Place messages of one pane; or they are late."""
        first = max(index - self._overlap + 1, earliest)
        if first > index:
            return False
        self.records += len(run)
        self.size += run.size
        if self._bounds:
            self._fill(key, run, index, first)
        else:
            self._put(self._by_key.get(key) or self._lane(key), run, index, first)
        return True

    def _lane(self, key: bytes | None) -> Lane:
        lane = self._by_key.get(key)
        if lane is None:
            lane = Lane(next(self._lane_numbers), key, self._overlap)
            self._by_key[key] = self._lanes[lane.number] = lane
        return lane

    def _put(self, lane: Lane, run: Run, index: int, first: int) -> None:
        before = lane.next
        lane.put(index, first, run)
        if lane.next is not None and lane.next != before:
            heappush(self._next, (lane.next, lane.number))

    def _fill(self, key: bytes | None, run: Run, index: int, first: int) -> None:
        """Put messages into a pane, and close every window that this makes full."""
        rest: Run | None = run
        while rest is not None:
            lane = self._lane(key)
            amounts = lane.amounts(first, index)
            most = Amount(
                max(amount.records for amount in amounts.values()),
                max(amount.size for amount in amounts.values()),
            )
            room = self._bounds.room(most, rest)
            part, rest = (rest, None) if room == len(rest) else rest.split(room)
            if room:
                self._put(lane, part, index, first)
                for amount in amounts.values():
                    amount.records += room
                    amount.size += part.size
            for window, amount in amounts.items():
                overflows = rest is not None and not self._bounds.room(amount, rest)
                if reason := self._bounds.full(amount, overflows=overflows):
                    self._full.append(self._close(lane, window, reason))

    def _first(self) -> Lane | None:
        """The lane whose next window ends first."""
        while self._next:
            window, number = self._next[0]
            lane = self._lanes.get(number)
            if lane is not None and lane.next == window:
                return lane
            heappop(self._next)
        return None

    def _close_first(self, reason: Reason) -> Window:
        window, number = heappop(self._next)
        return self._close(self._lanes[number], window, reason)

    def _close(self, lane: Lane, window: int, reason: Reason) -> Window:
        """Make a window of its panes."""
        closed = Window(next(self._numbers), lane.key)
        panes = lane.take(window)
        for pane in panes:
            closed.runs += pane.runs
            closed.records += pane.records
            closed.size += pane.size
        closed.closed = reason
        if self._of_event_time:
            closed.start = window * self._every
            closed.end = closed.start + self._length
            if len(panes) > 1:
                closed.runs = in_order(closed.runs)
        if reason.is_early:
            self._counts.ended_early(reason)
        self._sweep(lane, window)
        return closed

    def _sweep(self, lane: Lane, closed: int | None = None) -> None:
        """Let go of what no window waits for."""
        before = None if lane.next == closed else lane.next
        for pane in lane.sweep():
            self.records -= pane.records
            self.size -= pane.size
        if not lane:
            del self._lanes[lane.number], self._by_key[lane.key]
        elif lane.next is not None and lane.next != before:
            heappush(self._next, (lane.next, lane.number))
        if len(self._next) > 2 * len(self._lanes) + _SPARE:
            self._next = [
                (one.next, one.number) for one in self._lanes.values() if one.next is not None
            ]
            heapify(self._next)
