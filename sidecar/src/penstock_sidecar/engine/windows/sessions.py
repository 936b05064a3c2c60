"""Sessions of event time: messages that follow one another without a gap."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Iterator
from operator import attrgetter

from penstock_sidecar.engine.settlement import Run
from penstock_sidecar.engine.windows.bounds import Amount, Bounds
from penstock_sidecar.engine.windows.dated import Dated
from penstock_sidecar.engine.windows.interface import Counts
from penstock_sidecar.engine.windows.open_windows import OpenWindows
from penstock_sidecar.engine.windows.order import in_order
from penstock_sidecar.engine.windows.window import Window

_end_of = attrgetter("due")


class SessionWindows(OpenWindows):
    """Each message makes a session from its time to `gap` later; those that overlap are one.

    What follows exactly `gap` after the last message of a session begins another. Sessions that
    together would fill a window are not made one: the earlier of them closes.

    Args:
        gap: Milliseconds.
        per_key: Whether each key has windows of its own.
        bounds, counts, numbers: As for `OpenWindows`.
    """

    def __init__(
        self,
        gap: int,
        bounds: Bounds,
        counts: Counts,
        numbers: Iterator[int],
        *,
        per_key: bool = False,
    ) -> None:
        super().__init__(bounds, counts, numbers)
        self._gap = gap
        self._per_key = per_key
        self._by_key: dict[bytes | None, list[Window]] = {}
        """The open sessions of each key, in the order of their times; they do not overlap."""
        self._unordered: set[int] = set()
        """Numbers of windows whose runs are to be put in order."""

    def place(self, dated: Dated, horizon: int) -> list[Dated]:
        """Place messages; returns those that are late.

        Args:
            dated: The messages.
            horizon: Windows that end at or before this time have ended.
        """
        if self._per_key:
            return self._place_each(dated, horizon)
        gap = self._gap
        stretches = (
            iter((dated,))
            if dated.high - dated.low < gap
            else dated.stretches(lambda low, high, time: time - low >= gap or high - time >= gap)
        )
        late: list[Dated] = []
        for stretch in stretches:
            # Messages that are late by themselves are not saved by what comes after them.
            if self._bounds or stretch.low + gap <= horizon:
                late += self._place_each(stretch, horizon)
            else:
                self._place(None, stretch.run, stretch.low, stretch.high, horizon)
        return late

    def _place_each(self, dated: Dated, horizon: int) -> list[Dated]:
        run, times, _, _ = dated
        is_one = len(times) == 1
        pick, per_key = run.pick, self._per_key
        late = []
        for index, message in enumerate(run.messages):
            time = times[index]
            one = run if is_one else pick(index)
            if not self._place(message.key if per_key else None, one, time, time, horizon):
                late.append(Dated(one, (time,), time, time))
        return late

    def _place(self, key: bytes | None, run: Run, low: int, high: int, horizon: int) -> bool:
        """Place messages whose times are less than a gap apart; or they are late.

        Where windows have bounds, it is one message.
        """
        end = high + self._gap
        sessions = self._by_key.get(key)
        window = self._session(sessions, low, end) if sessions else None
        if window is not None:
            if self._put(window, run) is None:
                if end > window.due:
                    window.due = window.end = end
                if low < _start_of(window):
                    window.start = low
                return True
            # It was full before: the message begins another, and is not late for that.
        elif end <= horizon:
            return False
        window = self._open(key, end, low, end)
        if sessions:
            insort(sessions, window, key=_start_of)
        else:  # also where the last one was full just now, and was forgotten
            self._by_key[key] = [window]
        self._put(window, run)
        return True

    def _session(self, sessions: list[Window], low: int, end: int) -> Window | None:
        """The open session that a time belongs to, after those that it bridges have become one."""
        if len(sessions) == 1:  # as most often
            window = sessions[0]
            return window if low < window.due and _start_of(window) < end else None
        index = bisect_right(sessions, low, key=_end_of)
        if index == len(sessions) or _start_of(sessions[index]) >= end:
            return None
        # Whichever way two become one, it stands where the first of them was.
        while index + 1 < len(sessions) and _start_of(sessions[index + 1]) < end:
            self._join(sessions[index], sessions[index + 1])
        return sessions[index]

    def _join(self, first: Window, second: Window) -> None:
        """Make two sessions one, if that is not full; or else close the first."""
        if self._bounds:
            both = Amount(first.records + second.records, first.size + second.size)
            if reason := self._bounds.full(both):
                self._full.append(first)
                self.end(first, reason)
                return
        kept, gone = (first, second) if first.number < second.number else (second, first)
        kept.start, kept.due, kept.end = first.start, second.due, second.end
        more, fewer = kept.runs, gone.runs
        if len(more) < len(fewer):
            more, fewer = fewer, more
        more += fewer
        kept.runs = more
        kept.records += gone.records
        kept.size += gone.size
        del self._windows[gone.number]
        self._by_key[kept.key].remove(gone)
        self._unordered.add(kept.number)
        self._unordered.discard(gone.number)

    def _forget(self, window: Window) -> None:
        sessions = self._by_key[window.key]
        sessions.remove(window)
        if not sessions:
            del self._by_key[window.key]
        if window.number in self._unordered:
            self._unordered.remove(window.number)
            window.runs = in_order(window.runs)


def _start_of(window: Window) -> int:
    assert window.start is not None
    return window.start
