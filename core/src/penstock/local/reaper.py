"""Ends the child processes of a runtime that was killed and could not end them itself.

Nothing of a process that gets SIGKILL can run any more, so a process of its own waits for that.
It is told the process groups to watch through a pipe whose writing end the runtime alone holds:
when the pipe ends, the runtime has ended, and what is still in the list is killed. This file is
also that process's program, run in an interpreter without any packages.
"""

import signal
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from os import killpg
from types import TracebackType
from typing import Self


class Reaper:
    """The runtime's end of the pipe; a context manager."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            # Away from the terminal's Ctrl-C, which is for the runtime.
            start_new_session=True,
        )

    def watch(self, group: int) -> None:
        """Kill this process group when the runtime ends without a word."""
        self._tell(f"+{group}\n")

    def forget(self, group: int) -> None:
        """The group has ended."""
        self._tell(f"-{group}\n")

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        # Without its reaper a runtime still stops its children in every ordinary way.
        with suppress(BrokenPipeError):
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()


def kill_group(group: int) -> None:
    """Kill what is left of a process group."""
    with suppress(ProcessLookupError, PermissionError):
        killpg(group, signal.SIGKILL)


def _main(lines: Iterable[str]) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    groups: set[int] = set()
    for line in lines:
        change = groups.add if line[0] == "+" else groups.discard
        change(int(line[1:]))
    for group in groups:
        kill_group(group)


if __name__ == "__main__":
    _main(sys.stdin)
