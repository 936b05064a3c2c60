"""Panes of sliding windows: what lies between the starts of two windows, held once for all."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from operator import attrgetter

from penstock_sidecar.engine.settlement import Partition, Run
from penstock_sidecar.engine.windows.bounds import Amount

_index_of = attrgetter("index")


class Pane:
    """Messages that belong to the same windows.

    Windows are counted by the pane in which they begin: the pane at 7 of windows of three panes
    belongs to the windows 5, 6 and 7.

    Attributes:
        index: Where it lies: at this multiple of its length after 1970.
        runs: The messages.
        records, size: How many, and how many bytes.
        first: The first window that has not got them yet; above `index`: all have.
        got: Windows after that which have; ``None``: none has.
    """

    __slots__ = ("first", "got", "index", "records", "runs", "size")

    def __init__(self, index: int, first: int) -> None:
        self.index = index
        self.first = first
        self.got: set[int] | None = None
        self.runs: list[Run] = []
        self.records = 0
        self.size = 0

    def is_for(self, window: int) -> bool:
        """Whether a window will get the messages."""
        if self.got and window in self.got:
            return False
        return self.first <= window <= self.index

    def takes(self, first: int) -> bool:
        """Whether messages may be added that all the windows from this one on will get."""
        return self.first == first and not self.got

    def put(self, run: Run) -> None:
        """Add messages."""
        run.windows = self.index - self.first + 1
        self.runs.append(run)
        self.records += len(run)
        self.size += run.size

    def give(self, window: int) -> None:
        """A window has got the messages."""
        if window != self.first:
            self.got = {window, *(self.got or ())}
            return
        self.first += 1
        while self.got and self.first in self.got:
            self.got.remove(self.first)
            self.first += 1

    def withdraw(self, partition: Partition) -> list[Run]:
        """Take the messages of a partition out."""
        gone = [run for run in self.runs if run.partition is partition]
        if gone:
            self.runs = [run for run in self.runs if run.partition is not partition]
            self.records -= sum(map(len, gone))
            self.size -= sum(run.size for run in gone)
        return gone


class Lane:
    """The panes of one key, or of all messages.

    Args:
        number: From 1, in the order in which lanes were made.
        key: The key.
        overlap: How many panes a window has.
    """

    __slots__ = ("_amounts", "_overlap", "_panes", "key", "next", "number")

    def __init__(self, number: int, key: bytes | None, overlap: int) -> None:
        self.number = number
        self.key = key
        self.next: int | None = None
        """The first window that will get anything."""
        self._amounts: dict[int, Amount] = {}
        self._overlap = overlap
        self._panes: list[Pane] = []
        """In the order of their indexes, those with messages; of one index the latest is last."""

    def __iter__(self) -> Iterator[Pane]:
        return iter(self._panes)

    def __bool__(self) -> bool:
        return bool(self._panes)

    @property
    def windows(self) -> int:
        """How many windows will get anything."""
        if any(pane.got for pane in self._panes):
            return len(
                {
                    window
                    for pane in self._panes
                    for window in range(pane.first, pane.index + 1)
                    if pane.is_for(window)
                }
            )
        # Each pane's windows end with its own: what counts is what begins before the later panes'.
        count, lowest = 0, self._panes[-1].index + 1
        for pane in reversed(self._panes):
            count += max(0, min(pane.index + 1, lowest) - pane.first)
            lowest = min(lowest, pane.first)
        return count

    def put(self, index: int, first: int, run: Run) -> None:
        """Place messages in a pane, for all of its windows from one on."""
        panes = self._panes
        at = len(panes)
        if at and panes[-1].index > index:
            at = bisect_right(panes, index, key=_index_of)
        if not (at and panes[at - 1].index == index and panes[at - 1].takes(first)):
            panes.insert(at, Pane(index, first))
            at += 1
            self.next = first if self.next is None else min(self.next, first)
        panes[at - 1].put(run)

    def take(self, window: int) -> list[Pane]:
        """The panes with something for a window, which gets it now."""
        panes = self._panes
        begin, end = 0, len(panes)
        if panes[0].index < window:
            begin = bisect_left(panes, window, key=_index_of)
        if panes[-1].index >= window + self._overlap:
            end = bisect_left(panes, window + self._overlap, begin, key=_index_of)
        taken = [pane for pane in panes[begin:end] if pane.is_for(window)]
        for pane in taken:
            pane.give(window)
        self._amounts.pop(window, None)
        return taken

    def amounts(self, first: int, last: int) -> dict[int, Amount]:
        """What windows in a row have, to be kept up to date by whoever puts anything in."""
        known = self._amounts
        return {window: known.setdefault(window, Amount()) for window in range(first, last + 1)}

    def count(self) -> None:
        """Find out anew what the windows have."""
        self._amounts.clear()
        for pane in self._panes:
            for window, amount in self.amounts(pane.first, pane.index).items():
                if pane.is_for(window):
                    amount.records += pane.records
                    amount.size += pane.size

    def sweep(self) -> list[Pane]:
        """Remove the panes that all their windows have got, or that are empty."""
        panes = self._panes
        swept = [pane for pane in panes if pane.first > pane.index or not pane.runs]
        if swept:
            panes = [pane for pane in panes if pane.first <= pane.index and pane.runs]
            self._panes = panes
        self.next = None
        if panes:
            # No pane is for a window that begins before the first of those that end with it.
            lowest = panes[0].first
            for pane in panes:
                if pane.index - self._overlap >= lowest:
                    break
                lowest = min(lowest, pane.first)
            self.next = lowest
        return swept
