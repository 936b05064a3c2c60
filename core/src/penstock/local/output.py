"""What `penstock run` shows: one line for each event, and the logs of the functions."""

import logging
import os
import sys
from collections.abc import Iterable
from itertools import cycle
from typing import TextIO

EVENTS = "penstock"
"""The name that events are shown under."""

_COLORS = ("36", "33", "32", "35", "34")
_WARNING = "31"
_BOLD = "1"


class Output:
    """Lines with a name in front, aligned.

    Args:
        names: Whose logs will be shown, for the width and the colour of their names.
        stream: Where to.
        color: Whether to colour names and warnings.
    """

    def __init__(
        self, names: Iterable[str] = (), stream: TextIO | None = None, *, color: bool = False
    ) -> None:
        names = sorted(set(names))
        self._stream = sys.stdout if stream is None else stream
        self._color = color
        self._width = max(map(len, [*names, EVENTS]))
        self._colors = dict(zip(names, cycle(_COLORS), strict=False)) | {EVENTS: _BOLD}

    def event(self, text: str) -> None:
        """Show that something happened; a text of several lines is shown as such."""
        for line in text.splitlines():
            self.log(EVENTS, line)

    def warning(self, text: str) -> None:
        """Show that something is wrong, though not the end of it."""
        for line in text.splitlines():
            self.log(EVENTS, self._paint(line, _WARNING))

    def log(self, name: str, line: str) -> None:
        """Show a line that a process wrote."""
        prefix = self._paint(name.ljust(self._width), self._colors.get(name, _BOLD))
        try:
            self._stream.write(f"{prefix} | {line}\n")
            self._stream.flush()
        except BrokenPipeError:
            # Nobody reads any more: what runs goes on, and Ctrl-C stops it in order.
            discard(self._stream)

    def _paint(self, text: str, color: str) -> str:
        return f"\x1b[{color}m{text}\x1b[0m" if self._color else text


class OutputHandler(logging.Handler):
    """Shows what is logged in this process among the events.

    Args:
        output: Where.
    """

    def __init__(self, output: Output) -> None:
        super().__init__(logging.WARNING)
        self._output = output

    def emit(self, record: logging.LogRecord) -> None:
        """Show a record."""
        self._output.warning(self.format(record))


def discard(stream: TextIO) -> None:
    """Throw away what is written to a stream from now on, and what it holds back.

    Python flushes standard output when it exits, and complains where that is a pipe that nobody
    reads.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
