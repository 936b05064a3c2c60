"""What the engine asks of windows, of whatever kind they are."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from penstock_sidecar.engine.flow import PartitionKey
from penstock_sidecar.engine.settlement import Partition, Run
from penstock_sidecar.engine.windows.window import Reason, Window


class Placement(NamedTuple):
    """What became of messages.

    Attributes:
        opened_or_fed: The windows that got some of them, where windows are eager.
        closed: The windows that get no more, as they are full, late, or ended by these messages.
        dropped: Those that are late, and are not to be processed.
        dead: Those that are late, and belong to the dead letters.
    """

    opened_or_fed: Sequence[Window] = ()
    closed: Sequence[Window] = ()
    dropped: Sequence[Run] = ()
    dead: Sequence[Run] = ()


@dataclass(slots=True)
class Counts:
    """What happened so far that somebody should know of.

    Attributes:
        late_dropped, late_dead: Messages.
        late_windows: Windows that were made for late messages.
        undated: Messages whose time was missing, or not to be believed.
        early: Windows that ended early, by reason.
        news: Those of them that nobody was told of yet.
    """

    late_dropped: int = 0
    late_dead: int = 0
    late_windows: int = 0
    undated: int = 0
    early: Counter[Reason] = field(default_factory=Counter)
    news: Counter[Reason] = field(default_factory=Counter)

    def ended_early(self, reason: Reason) -> None:
        """Count a window that would have got more."""
        self.early[reason] += 1
        self.news[reason] += 1


class Windows(Protocol):
    """Chops what arrives into windows. `now` is the engine's time, which never goes back."""

    @property
    def eager(self) -> bool:
        """Whether a call may be opened with a window's first message, before the window ends."""

    @property
    def wake_at(self) -> float | None:
        """When to call `expire`, if nothing happens before."""

    @property
    def open(self) -> int:
        """How many windows are open; none of them is empty."""

    @property
    def records(self) -> int:
        """How many messages are in open windows, fed or not, each counted once."""

    @property
    def size(self) -> int:
        """How many bytes those are."""

    @property
    def counts(self) -> Counts:
        """What happened so far."""

    def assign(self, key: PartitionKey, now: float) -> None:
        """A partition belongs to this member: its messages are waited for."""

    def revoke(self, key: PartitionKey) -> None:
        """A partition does not belong to this member any more: nothing waits for it."""

    def reading(self, key: PartitionKey, now: float) -> None:
        """A read of a partition begins. Only while it lasts can the partition be idle.

        What is not read, as the buffer is full, may have many messages.
        """

    def place(self, run: Run, timestamps: Sequence[int], now: float) -> Placement:
        """Place messages, the result of a read or a part of it; call `expire` first.

        Args:
            run: Messages of one partition.
            timestamps: Of their records, in milliseconds since 1970.
            now: The time.
        """

    def expire(self, now: float) -> Sequence[Window]:
        """The windows that have ended since, in the order of their ends, then of their numbers."""

    def end(self, window: Window, reason: Reason) -> bool:
        """End a window early; the next message opens another.

        Returns:
            Whether it was open.
        """

    def end_all(self, reason: Reason) -> Sequence[Window]:
        """End every window that is open, in the order of their numbers."""

    def end_oldest(self, records: int) -> Sequence[Window]:
        """End the windows that were opened first, until so many messages are in no open window."""

    def withdraw(self, partition: Partition) -> Sequence[Run]:
        """Take the unfed messages of a partition out of open windows; returns each once.

        A window that is left without messages is forgotten.
        """
