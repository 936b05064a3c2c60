"""How far a long publish is, for a person who is looking."""

import os
import stat
import time
from types import TracebackType
from typing import Self, TextIO

PATIENCE = 1.0
"""Seconds that pass before anything is shown: what is short needs no bar."""
INTERVAL = 0.1
WIDTH = 30
_CLEAR = "\r\x1b[K"


class Progress:
    """A bar on a terminal, and nothing on anything else; a context manager.

    Args:
        source: The file descriptor that is read: how much of a regular file is done can be told,
            of anything else only how many messages there were.
        stream: Where to show it.
    """

    def __init__(self, source: int, stream: TextIO) -> None:
        status = os.fstat(source)
        self._size = status.st_size if stat.S_ISREG(status.st_mode) else 0
        self._stream = stream
        self._visible = stream.isatty()
        self._started = time.monotonic()
        self._due = self._started + PATIENCE
        self._messages = 0
        self._bytes = 0
        self._shown = False

    def advance(self, messages: int, size: int) -> None:
        """So many more messages, of so many bytes of the source, are done."""
        self._messages += messages
        self._bytes += size
        now = time.monotonic()
        if self._visible and now >= self._due:
            self._due = now + INTERVAL
            self._shown = True
            self._stream.write(_CLEAR + self._text(now - self._started))
            self._stream.flush()

    def clear(self) -> None:
        """Make room for a line; the next `advance` draws the bar again."""
        if self._shown:
            self._shown = False
            self._stream.write(_CLEAR)
            self._stream.flush()

    def _text(self, seconds: float) -> str:
        counts = f"{self._messages:,} messages, {self._messages / seconds:,.0f} a second"
        if not self._size:
            return counts
        done = min(self._bytes / self._size, 1.0)
        return f"[{'#' * int(done * WIDTH):<{WIDTH}}] {done:4.0%} {counts}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.clear()
