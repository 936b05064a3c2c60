"""Which window a message belongs to, and when a window ends."""

from collections.abc import Iterator
from itertools import count as counter
from typing import NamedTuple, Protocol

from penstock.window import Window, WindowType


class Placement(NamedTuple):
    """The next so many records belong to `window`; `full`: they end it."""

    window: int
    records: int
    full: bool


class Windows(Protocol):
    """Chops what arrives into windows, numbered from 1 in the order in which they open."""

    @property
    def ends(self) -> float | None:
        """When the open window ends by time; ``None``: there is none, or it ends otherwise."""

    def place(self, count: int, now: float) -> Iterator[Placement]:
        """Place the next messages; call `expire` first."""

    def expire(self, now: float) -> int | None:
        """The window that has ended by this time, once."""

    def end(self, window: int) -> None:
        """End a window early: the next message opens another."""


def windows_of(settings: Window) -> Windows:
    """The windows that a processor declares."""
    if settings.type is WindowType.COUNT:
        return CountWindows(settings.count or 1)
    return TumblingWindows(settings.size_seconds)


class TumblingWindows:
    """Windows that the first message opens and that end a number of seconds later."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._numbers = counter(1)
        self._open = 0
        self._ends: float | None = None

    @property
    def ends(self) -> float | None:
        """When the open window ends; ``None``: there is none."""
        return self._ends

    def place(self, count: int, now: float) -> Iterator[Placement]:
        """All of them belong to the window that is open now."""
        if self._ends is None:
            self._open = next(self._numbers)
            self._ends = now + self._seconds
        yield Placement(self._open, count, full=False)

    def expire(self, now: float) -> int | None:
        """The window that was open, when its time is over."""
        if self._ends is None or now < self._ends:
            return None
        self._ends = None
        return self._open

    def end(self, window: int) -> None:
        """End a window early."""
        if window == self._open:
            self._ends = None


class CountWindows:
    """Windows of a number of messages each, exactly."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._numbers = counter(1)
        self._open = 0
        self._room = 0

    @property
    def ends(self) -> float | None:
        """Never: time does not end a window of a number of messages."""
        return None

    def place(self, count: int, now: float) -> Iterator[Placement]:  # noqa: ARG002 - one signature
        """Fill the open window, then as many more as it takes."""
        while count:
            if not self._room:
                self._open = next(self._numbers)
                self._room = self._size
            placed = min(count, self._room)
            self._room -= placed
            count -= placed
            yield Placement(self._open, placed, full=not self._room)

    def expire(self, now: float) -> None:  # noqa: ARG002 - one signature
        """None ever does."""
        return

    def end(self, window: int) -> None:
        """End a window early, short of its count."""
        if window == self._open:
            self._room = 0
