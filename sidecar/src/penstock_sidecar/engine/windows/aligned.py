"""Windows of event time that do not overlap: each begins at a multiple of its length."""

from __future__ import annotations

from collections.abc import Iterator

from penstock_sidecar.engine.windows.bounds import Bounds
from penstock_sidecar.engine.windows.dated import Dated
from penstock_sidecar.engine.windows.interface import Counts
from penstock_sidecar.engine.windows.open_windows import OpenWindows
from penstock_sidecar.engine.windows.window import Window


class AlignedWindows(OpenWindows):
    """Windows that begin every so often, aligned to 1970; a message is in the last that has begun.

    Args:
        every: Milliseconds from the start of one to that of the next.
        size: Milliseconds from the start to the end of one, at least `every`.
        per_key: Whether each key has windows of its own.
        bounds, counts, numbers: As for `OpenWindows`.
    """

    def __init__(
        self,
        every: int,
        size: int,
        bounds: Bounds,
        counts: Counts,
        numbers: Iterator[int],
        *,
        per_key: bool = False,
    ) -> None:
        super().__init__(bounds, counts, numbers)
        self._every = every
        self._size = size
        self._per_key = per_key
        self._by_slot: dict[tuple[int, bytes | None], Window] = {}

    def place(self, dated: Dated, horizon: int) -> list[Dated]:
        """Place messages; returns those that are late.

        Args:
            dated: The messages.
            horizon: Windows that end at or before this time have ended.
        """
        every = self._every
        if self._per_key:
            if self._bounds or dated.low - dated.low % every + self._size <= horizon:
                return self._place_each(dated, horizon)
            self._spread(dated)
            return []
        if dated.low // every == dated.high // every:
            stretches = iter((dated,))
        else:
            stretches = dated.stretches(lambda low, _, time: low // every != time // every)
        return [one for one in stretches if not self._place(None, one, horizon)]

    def _place(self, key: bytes | None, dated: Dated, horizon: int) -> bool:
        """Fill the window of a time and a key, and as many more as it takes; or it has ended."""
        start = dated.low - dated.low % self._every
        end = start + self._size
        if end <= horizon:
            return False
        slot = start, key
        rest = dated.run
        while True:
            window = self._by_slot.get(slot)
            if window is None:
                window = self._by_slot[slot] = self._open(key, end, start, end)
            unplaced = self._put(window, rest)
            if unplaced is None:
                return True
            rest = unplaced

    def _place_each(self, dated: Dated, horizon: int) -> list[Dated]:
        return [
            one for one in dated.singles() if not self._place(one.run.messages[0].key, one, horizon)
        ]

    def _spread(self, dated: Dated) -> None:
        """Place messages by their keys: a hot loop for windows without bounds, and none late."""
        every, size, by_slot = self._every, self._size, self._by_slot
        run, times, low, high = dated
        start = low - low % every
        is_split = high >= start + every
        pick = run.pick
        for index, message in enumerate(run.messages):
            if is_split:
                time = times[index]
                start = time - time % every
            slot = start, message.key
            window = by_slot.get(slot)
            if window is None:
                end = start + size
                window = by_slot[slot] = self._open(message.key, end, start, end)
            one = pick(index)
            window.runs.append(one)
            window.records += 1
            window.size += one.size
        self.records += len(run)
        self.size += run.size

    def _forget(self, window: Window) -> None:
        assert window.start is not None
        del self._by_slot[window.start, window.key]
