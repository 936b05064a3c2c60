"""The windows that are open: what is in them, and when they end."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from heapq import heapify, heappop, heappush, heapreplace
from math import inf

from penstock_sidecar.engine.settlement import Partition, Run
from penstock_sidecar.engine.windows.bounds import Bounds
from penstock_sidecar.engine.windows.interface import Counts
from penstock_sidecar.engine.windows.window import Reason, Window

_SPARE = 64


class OpenWindows(ABC):
    """Opens windows, fills them and closes them; which message belongs to which, kinds know.

    The heap of ends is lazy: the end of a window that is closed or has been moved is found to be
    wrong when its turn comes. There are never many more ends than windows.

    Args:
        bounds: How much a window holds.
        counts: Where windows that close early are counted.
        numbers: Numbers for windows, ascending.
    """

    def __init__(self, bounds: Bounds, counts: Counts, numbers: Iterator[int]) -> None:
        self.records = 0
        self.size = 0
        self._bounds = bounds
        self._counts = counts
        self._numbers = numbers
        self._windows: dict[int, Window] = {}
        self._ends: list[tuple[float, int]] = []
        self._full: list[Window] = []

    @property
    def open(self) -> int:
        """How many windows are open."""
        return len(self._windows)

    @property
    def next_end(self) -> float | None:
        """When the next of them ends by time."""
        ends = self._ends
        while ends:
            end, number = ends[0]
            window = self._windows.get(number)
            if window is None:
                heappop(ends)
            elif window.due > end:
                heapreplace(ends, (window.due, number))
            else:
                return end
        return None

    def ended(self, time: float) -> list[Window]:
        """Close the windows that end by this time, in the order of their ends."""
        windows = []
        while (end := self.next_end) is not None and end <= time:
            window = self._windows[heappop(self._ends)[1]]
            self.end(window, Reason.TIME)
            windows.append(window)
        return windows

    def full(self) -> list[Window]:
        """The windows that have closed since, as they were full."""
        windows, self._full = self._full, []
        return windows

    def end(self, window: Window, reason: Reason) -> bool:
        """Close a window; whether it was open."""
        if self._windows.pop(window.number, None) is None:
            return False
        window.closed = reason
        if reason.is_early:
            self._counts.ended_early(reason)
        self._remove(window)
        return True

    def end_all(self, reason: Reason) -> Sequence[Window]:
        """Close all of them, in the order of their numbers."""
        windows = list(self._windows.values())
        for window in windows:
            self.end(window, reason)
        return windows

    def end_oldest(self, records: int) -> Sequence[Window]:
        """Close those that opened first, until so many messages are in them."""
        oldest = []
        for window in self._windows.values():
            if records <= 0:
                break
            oldest.append(window)
            records -= window.records
        for window in oldest:
            self.end(window, Reason.BUFFER)
        return oldest

    def withdraw(self, partition: Partition) -> Sequence[Run]:
        """Take the unfed messages of a partition out."""
        withdrawn: list[Run] = []
        for window in list(self._windows.values()):
            gone = [run for run in window.runs if run.partition is partition]
            if not gone:
                continue
            withdrawn += gone
            window.runs = [run for run in window.runs if run.partition is not partition]
            records, size = sum(map(len, gone)), sum(run.size for run in gone)
            window.records -= records
            window.size -= size
            self.records -= records
            self.size -= size
            if not window.records:
                del self._windows[window.number]
                self._remove(window)
        return withdrawn

    @abstractmethod
    def _forget(self, window: Window) -> None:
        """No message belongs to this window any more."""

    def _remove(self, window: Window) -> None:
        self.records -= window.records
        self.size -= window.size
        self._forget(window)
        if len(self._ends) > 2 * len(self._windows) + _SPARE:
            self._ends = [(one.due, one.number) for one in self._windows.values() if one.due < inf]
            heapify(self._ends)

    def _open(
        self,
        key: bytes | None,
        due: float,
        start: int | None = None,
        end: int | None = None,
    ) -> Window:
        window = Window(next(self._numbers), key, start, end, due)
        self._windows[window.number] = window
        if due < inf:
            heappush(self._ends, (due, window.number))
        return window

    def _put(self, window: Window, run: Run) -> Run | None:
        """Put messages into a window, and close it if it is full; what had no room is returned."""
        rest = None
        if self._bounds:
            room = self._bounds.room(window, run)
            if not room:
                self._close_full(window, overflows=True)
                return run
            if room < len(run):
                run, rest = run.split(room)
        records, size = len(run), run.size
        window.runs.append(run)
        window.records += records
        window.size += size
        self.records += records
        self.size += size
        if self._bounds:
            self._close_full(window, overflows=rest is not None)
        return rest

    def _close_full(self, window: Window, *, overflows: bool) -> None:
        if reason := self._bounds.full(window, overflows=overflows):
            self.end(window, reason)
            self._full.append(window)
