"""How much a window holds at most."""

from __future__ import annotations

from typing import Protocol, Self

from penstock.plugin import Message
from penstock.window import Window as Settings
from penstock_sidecar.engine.settlement import Run
from penstock_sidecar.engine.windows.window import Reason

_NO_BOUND = 1 << 62


class Content(Protocol):
    """How much there is in a window."""

    records: int
    size: int


class Amount:
    """Messages and bytes of a window that is not there yet."""

    __slots__ = ("records", "size")

    def __init__(self, records: int = 0, size: int = 0) -> None:
        self.records = records
        self.size = size


class Bounds:
    """At how many messages or bytes a window is full; falsy: it never is.

    A window never has more than that, but for a single message that is larger.
    """

    __slots__ = ("_bytes", "_reason", "_records")

    def __init__(
        self, count: int | None = None, messages: int | None = None, size: int | None = None
    ) -> None:
        count = _NO_BOUND if count is None else count
        messages = _NO_BOUND if messages is None else messages
        self._records = min(count, messages)
        self._reason = Reason.COUNT if count <= messages else Reason.MESSAGES
        self._bytes = _NO_BOUND if size is None else size

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The bounds that a processor declares."""
        return cls(settings.count, settings.max_messages, settings.max_bytes)

    def __bool__(self) -> bool:
        return self._records < _NO_BOUND or self._bytes < _NO_BOUND

    def room(self, content: Content, run: Run) -> int:
        """How many of a run's messages still fit; 0 only where there are some."""
        count = min(len(run), self._records - content.records)
        size = content.size + run.size
        if size <= self._bytes:
            return count
        size = content.size
        for index in range(count):
            size += _size(run.messages[index])
            if size > self._bytes:
                return index or (0 if content.records else 1)
        return count

    def takes(self, content: Content, size: int) -> bool:
        """Whether a window that is not full has room for one more message of so many bytes."""
        return content.size + size <= self._bytes or not content.records

    def full(self, content: Content, *, overflows: bool = False) -> Reason | None:
        """Why a window is full, if it is.

        Args:
            content: What it holds.
            overflows: Whether there was more for it than room.
        """
        if content.records >= self._records:
            return self._reason
        return Reason.BYTES if overflows or content.size >= self._bytes else None


def _size(message: Message) -> int:
    return len(message.payload) + len(message.key or b"")
