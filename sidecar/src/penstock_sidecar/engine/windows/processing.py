"""Windows of processing time that open with their first message."""

from collections.abc import Iterator, Sequence
from math import inf

from penstock_sidecar.engine.flow import PartitionKey
from penstock_sidecar.engine.settlement import Run
from penstock_sidecar.engine.windows.bounds import Bounds
from penstock_sidecar.engine.windows.interface import Counts, Placement
from penstock_sidecar.engine.windows.open_windows import OpenWindows
from penstock_sidecar.engine.windows.window import Window


class ProcessingWindows(OpenWindows):
    """Tumbling, session, count and global windows: one is open at a time, or one for each key.

    Args:
        per_key: Whether each key has windows of its own.
        seconds: How long a window is open.
        extends: Whether that counts from its last message on, and not from its first.
        bounds, counts, numbers: As for `OpenWindows`.
    """

    def __init__(
        self,
        bounds: Bounds,
        counts: Counts,
        numbers: Iterator[int],
        *,
        per_key: bool = False,
        seconds: float = inf,
        extends: bool = False,
    ) -> None:
        super().__init__(bounds, counts, numbers)
        self.eager = not per_key
        self.counts = counts
        self._per_key = per_key
        self._seconds = seconds
        self._extends = extends
        self._by_key: dict[bytes | None, Window] = {}

    @property
    def wake_at(self) -> float | None:
        """When the next window ends."""
        return self.next_end

    def assign(self, key: PartitionKey, now: float) -> None:
        """All partitions are alike."""

    def revoke(self, key: PartitionKey) -> None:
        """All partitions are alike."""

    def reading(self, key: PartitionKey, now: float) -> None:
        """All partitions are alike."""

    def place(self, run: Run, timestamps: Sequence[int], now: float) -> Placement:  # noqa: ARG002 - one signature
        """Place messages in the window that is open now, or in those of their keys."""
        due = now + self._seconds
        if not self._per_key:
            return Placement(self._place(run, due), self.full())
        self._spread(run, due)
        return Placement((), self.full())

    def expire(self, now: float) -> Sequence[Window]:
        """The windows whose time is over."""
        return self.ended(now)

    def _place(self, run: Run, due: float) -> list[Window]:
        """Fill the window that is open, and as many more as it takes."""
        filled = []
        rest: Run | None = run
        while rest is not None:
            window = self._by_key.get(None)
            if window is None:
                window = self._by_key[None] = self._open(None, due)
            elif self._extends:
                window.due = due
            rest = self._put(window, rest)
            filled.append(window)
        return filled

    def _spread(self, run: Run, due: float) -> None:
        """Place messages by their keys: a hot loop, written out."""
        by_key, pick, extends = self._by_key, run.pick, self._extends
        bounds = self._bounds or None
        for index, message in enumerate(run.messages):
            key, one = message.key, pick(index)
            window = by_key.get(key)
            if window is not None and bounds and not bounds.takes(window, one.size):
                self._close_full(window, overflows=True)
                window = None
            if window is None:
                window = by_key[key] = self._open(key, due)
            elif extends:
                window.due = due
            window.runs.append(one)
            window.records += 1
            window.size += one.size
            if bounds:
                self._close_full(window, overflows=False)
        self.records += len(run)
        self.size += run.size

    def _forget(self, window: Window) -> None:
        del self._by_key[window.key]
