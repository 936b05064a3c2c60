"""One child process and whatever it starts itself."""

import asyncio
import os
import signal
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Self

from penstock.local.reaper import Reaper, kill_group

READ_BYTES = 64 * 1024
LAST_LINES = 10
"""How many lines of output are kept, to be shown with an early exit."""
LEFTOVER_SECONDS = 1.0
"""How long output is awaited from who outlived the process and left its group."""


class Command(NamedTuple):
    """What to start: the arguments, the whole environment, and the working directory."""

    arguments: Sequence[str]
    environment: Mapping[str, str]
    folder: Path


class Process:
    """A running child, the leader of a process group of its own.

    Its standard output and error go line by line to `on_line`. When it ends, so does all that it
    started.
    """

    def __init__(
        self,
        child: asyncio.subprocess.Process,
        output: int,
        reaper: Reaper,
        on_line: Callable[[str], None],
    ) -> None:
        self._child = child
        self._output = output
        self._reaper = reaper
        self._on_line = on_line
        self.last_lines: deque[str] = deque(maxlen=LAST_LINES)
        self._ended = asyncio.create_task(self._follow())

    @classmethod
    async def start(cls, command: Command, reaper: Reaper, on_line: Callable[[str], None]) -> Self:
        """Start a child.

        Raises:
            OSError: It cannot be executed.
        """
        # A pipe of our own: with asyncio's, `wait` would not return while a child of the child
        # holds its other end.
        output, theirs = os.pipe()
        try:
            child = await asyncio.create_subprocess_exec(
                *command.arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=theirs,
                stderr=theirs,
                cwd=command.folder,
                env=command.environment,
                # A session of its own: Ctrl-C in the terminal is for the runtime, which stops its
                # children in order; and a group to signal, whatever the child starts.
                start_new_session=True,
            )
        except BaseException:
            os.close(output)
            raise
        finally:
            os.close(theirs)
        reaper.watch(child.pid)
        return cls(child, output, reaper, on_line)

    @property
    def pid(self) -> int:
        """The process's id, which is also its group's."""
        return self._child.pid

    async def wait(self) -> int:
        """Wait for the end; the exit code, or minus the number of the signal that killed it."""
        return await asyncio.shield(self._ended)

    async def stop(self, grace: float) -> int:
        """Ask it to end, and after `grace` seconds kill it; the exit code as of `wait`."""
        self._signal(signal.SIGTERM)
        with suppress(TimeoutError):
            async with asyncio.timeout(grace):
                return await self.wait()
        self.kill()
        return await self.wait()

    def kill(self) -> None:
        """Kill it and all that it started, at once."""
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if not self._ended.done():
            with suppress(ProcessLookupError):
                os.killpg(self.pid, number)

    async def _follow(self) -> int:
        reading = asyncio.create_task(self._read())
        code = await self._child.wait()
        kill_group(self.pid)
        self._reaper.forget(self.pid)
        with suppress(TimeoutError):
            async with asyncio.timeout(LEFTOVER_SECONDS):
                await reading
        return code

    async def _read(self) -> None:
        stream = asyncio.StreamReader()
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(self._output, "rb", 0)
        )
        rest = b""
        try:
            while chunk := await stream.read(READ_BYTES):
                *lines, rest = (rest + chunk).split(b"\n")
                if len(rest) >= READ_BYTES:
                    lines.append(rest)
                    rest = b""
                self._show(lines)
        finally:
            transport.close()
            if rest:
                self._show([rest])

    def _show(self, lines: Sequence[bytes]) -> None:
        for line in lines:
            text = line.decode(errors="replace").rstrip("\r")
            self.last_lines.append(text)
            self._on_line(text)


def describe_exit(code: int) -> str:
    """What an exit code of a child means: `exited with code 1`, `was killed by SIGKILL`."""
    if code >= 0:
        return f"exited with code {code}"
    try:
        return f"was killed by {signal.Signals(-code).name}"
    except ValueError:
        return f"was killed by signal {-code}"
