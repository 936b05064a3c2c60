"""Sliding windows of processing time: the wall clock is the time of every message."""

from collections.abc import Sequence

from penstock_sidecar.engine.flow import PartitionKey
from penstock_sidecar.engine.settlement import Partition, Run
from penstock_sidecar.engine.windows.dated import Dated
from penstock_sidecar.engine.windows.interface import Counts, Placement
from penstock_sidecar.engine.windows.sliding import SlidingWindows
from penstock_sidecar.engine.windows.window import Reason, Window


class ProcessingSlidingWindows:
    """Windows aligned to the wall clock; those that hold a message end by it.

    Args:
        sliding: The windows.
        wall_clock: What to add to the engine's time to get seconds since 1970.
        counts: What happened so far.
    """

    eager = False

    def __init__(self, sliding: SlidingWindows, wall_clock: float, counts: Counts) -> None:
        self.counts = counts
        self._sliding = sliding
        self._wall_clock = wall_clock

    @property
    def wake_at(self) -> float | None:
        """When the next window ends."""
        end = self._sliding.next_end
        return None if end is None else end / 1000 - self._wall_clock

    @property
    def open(self) -> int:
        """How many windows are open."""
        return self._sliding.open

    @property
    def records(self) -> int:
        """How many messages are in open windows."""
        return self._sliding.records

    @property
    def size(self) -> int:
        """How many bytes those are."""
        return self._sliding.size

    def assign(self, key: PartitionKey, now: float) -> None:
        """All partitions are alike."""

    def revoke(self, key: PartitionKey) -> None:
        """All partitions are alike."""

    def reading(self, key: PartitionKey, now: float) -> None:
        """All partitions are alike."""

    def place(self, run: Run, timestamps: Sequence[int], now: float) -> Placement:
        """Place messages by the time at which they came."""
        time = self._milliseconds(now)
        # No window of this moment has ended: nothing is ever late.
        self._sliding.place(Dated(run, [time] * len(timestamps), time, time), time)
        return Placement((), self._sliding.full())

    def expire(self, now: float) -> Sequence[Window]:
        """The windows whose time is over."""
        return self._sliding.ended(self._milliseconds(now))

    def end(self, window: Window, reason: Reason) -> bool:
        """End a window early."""
        return self._sliding.end(window, reason)

    def end_all(self, reason: Reason) -> Sequence[Window]:
        """End every window."""
        return self._sliding.end_all(reason)

    def end_oldest(self, records: int) -> Sequence[Window]:
        """End the oldest windows."""
        return self._sliding.end_oldest(records)

    def withdraw(self, partition: Partition) -> Sequence[Run]:
        """Take the messages of a partition out."""
        return self._sliding.withdraw(partition)

    def _milliseconds(self, now: float) -> int:
        """Rounded, so that the moment of `wake_at` is not the millisecond before a window ends."""
        return round((now + self._wall_clock) * 1000)
