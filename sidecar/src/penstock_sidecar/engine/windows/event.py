"""Windows of event time: what the watermark and lateness make of messages."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from penstock.window import LatePolicy
from penstock_sidecar.engine.flow import PartitionKey
from penstock_sidecar.engine.settlement import Partition, Run
from penstock_sidecar.engine.windows.dated import Dated
from penstock_sidecar.engine.windows.interface import Counts, Placement
from penstock_sidecar.engine.windows.timestamps import Timestamps
from penstock_sidecar.engine.windows.watermarks import BEGINNING, Watermarks
from penstock_sidecar.engine.windows.window import Reason, Window


class Kind(Protocol):
    """Windows of a kind, which know times and no clock."""

    records: int
    size: int

    @property
    def open(self) -> int:
        """How many are open."""

    @property
    def next_end(self) -> float | None:
        """When the next of them ends."""

    def place(self, dated: Dated, horizon: int) -> list[Dated]:
        """Place messages; returns those whose windows end at or before the horizon."""

    def ended(self, time: float) -> list[Window]:
        """Close the windows that end by this time, in the order of their ends."""

    def full(self) -> list[Window]:
        """The windows that have closed since, as they were full."""

    def end(self, window: Window, reason: Reason) -> bool:
        """Close one early."""

    def end_all(self, reason: Reason) -> Sequence[Window]:
        """Close all of them."""

    def end_oldest(self, records: int) -> Sequence[Window]:
        """Close the oldest."""

    def withdraw(self, partition: Partition) -> Sequence[Run]:
        """Take the messages of a partition out."""


class Lateness(NamedTuple):
    """What becomes of late messages.

    Attributes:
        allowed: For how many milliseconds a window waits for them after its end.
        policy: What becomes of those that come still later.
        kind: Which windows are made for these; nothing stays open there.
    """

    allowed: int
    policy: LatePolicy
    kind: Kind


class EventWindows:
    """Dates messages, hands them to windows of a kind, and ends these by the watermark.

    Whether a message is late is judged by the watermark before the read that brought it.
    """

    eager = False

    def __init__(
        self,
        kind: Kind,
        timestamps: Timestamps,
        watermarks: Watermarks,
        lateness: Lateness,
        counts: Counts,
    ) -> None:
        self.counts = counts
        self._kind = kind
        self._timestamps = timestamps
        self._watermarks = watermarks
        self._lateness = lateness

    @property
    def wake_at(self) -> float | None:
        """When the next window may end without a message."""
        end = self._kind.next_end
        return None if end is None else self._watermarks.reaches(int(end) + self._lateness.allowed)

    @property
    def open(self) -> int:
        """How many windows are open."""
        return self._kind.open

    @property
    def records(self) -> int:
        """How many messages are in open windows."""
        return self._kind.records

    @property
    def size(self) -> int:
        """How many bytes those are."""
        return self._kind.size

    def assign(self, key: PartitionKey, now: float) -> None:
        """A partition holds the watermark back."""
        self._watermarks.assign(key, now)

    def revoke(self, key: PartitionKey) -> None:
        """A partition does not hold the watermark back any more."""
        self._watermarks.revoke(key)

    def reading(self, key: PartitionKey, now: float) -> None:
        """A partition may be idle from now on."""
        self._watermarks.reading(key, now)

    def place(self, run: Run, timestamps: Sequence[int], now: float) -> Placement:
        """Place messages by their times."""
        dated = self._timestamps.of(run, timestamps, now)
        horizon = self._watermarks.advance(now) - self._lateness.allowed
        late = self._kind.place(dated, horizon)
        closed = self._kind.full()
        dropped: list[Run] = []
        dead: list[Run] = []
        if late:
            self._place_late(late, closed, dropped, dead)
        self._watermarks.came(run.partition.key, dated.high, now)
        closed += self.expire(now)
        return Placement((), closed, dropped, dead)

    def expire(self, now: float) -> list[Window]:
        """The windows that the watermark has passed."""
        return self._kind.ended(self._watermarks.advance(now) - self._lateness.allowed)

    def end(self, window: Window, reason: Reason) -> bool:
        """End a window early."""
        return self._kind.end(window, reason)

    def end_all(self, reason: Reason) -> Sequence[Window]:
        """End every window."""
        return self._kind.end_all(reason)

    def end_oldest(self, records: int) -> Sequence[Window]:
        """End the oldest windows."""
        return self._kind.end_oldest(records)

    def withdraw(self, partition: Partition) -> Sequence[Run]:
        """Take the messages of a partition out."""
        return self._kind.withdraw(partition)

    def _place_late(
        self, late: list[Dated], closed: list[Window], dropped: list[Run], dead: list[Run]
    ) -> None:
        runs = [one.run for one in late]
        if self._lateness.policy is LatePolicy.DROP:
            self.counts.late_dropped += sum(map(len, runs))
            dropped += runs
        elif self._lateness.policy is LatePolicy.DEAD_LETTER:
            self.counts.late_dead += sum(map(len, runs))
            dead += runs
        else:
            kind = self._lateness.kind
            for one in late:
                kind.place(one, BEGINNING)
            windows = [*kind.full(), *kind.end_all(Reason.LATE)]
            for window in windows:
                window.closed = Reason.LATE
            self.counts.late_windows += len(windows)
            closed += windows
