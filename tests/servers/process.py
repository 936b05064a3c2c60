"""A server as a process of its own, which does not outlive the test run."""

import os
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from penstock.local.reaper import Reaper

START_PATIENCE = 45.0
"""Seconds from the start of a process until it must be ready."""
STOP_PATIENCE = 30.0
"""Seconds that a clean stop may take."""
INTERVAL = 0.02
"""Seconds between two looks at whether a process is ready."""
SHOWN_LINES = 30
"""How many of the last lines of the log are shown with a failed start."""


class ServerFailed(Exception):
    """A server did not start or did not stop: what happened, and the end of its log."""


class ServerProcess:
    """A server with a folder for its data and its log, and a process at most.

    The folder lasts from `__enter__` to `__exit__`. The process is the leader of a group of its
    own, which is ended also when the test run is killed.

    Args:
        name: What the server is called in messages.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._process: subprocess.Popen[bytes] | None = None
        self._resources = ExitStack()

    def __enter__(self) -> Self:
        self.folder = Path(
            self._resources.enter_context(
                tempfile.TemporaryDirectory(prefix="penstock-server-", ignore_cleanup_errors=True)
            )
        )
        self._reaper = self._resources.enter_context(Reaper())
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._resources:
            self.kill()

    @property
    def log(self) -> Path:
        """The file with what the server prints, of all its starts."""
        return self.folder / "server.log"

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._running().pid

    @property
    def is_running(self) -> bool:
        """Whether there is a process."""
        return self._process is not None and self._process.poll() is None

    @property
    def exit_code(self) -> int | None:
        """With what the process has ended by itself; ``None``: it runs."""
        return self._running().poll()

    def start(
        self,
        command: Sequence[str],
        is_ready: Callable[[], bool],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start the process, and wait until it is ready.

        Args:
            command: The program and its arguments.
            is_ready: Says whether it is.
            environment: Variables of its own, beside those of the test run.

        Raises:
            ServerFailed: It ended, or it was not ready in time.
        """
        assert self._process is None, f"{self.name} runs already"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                cwd=self.folder,
                env={**os.environ, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._reaper.watch(self._process.pid)
        deadline = time.monotonic() + START_PATIENCE
        while not is_ready():
            if (code := self._process.poll()) is not None:
                self._forget()
                raise ServerFailed(self._report(f"ended with {code} before it was ready"))
            if time.monotonic() > deadline:
                self.kill()
                raise ServerFailed(self._report(f"was not ready after {START_PATIENCE:.0f} s"))
            time.sleep(INTERVAL)

    def stop(self) -> None:
        """Ask the process to end, as its operator would, and wait for it.

        Raises:
            ServerFailed: It had to be killed.
        """
        process = self._running()
        self._signal(signal.SIGTERM)
        self.thaw()
        try:
            process.wait(STOP_PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise ServerFailed(self._report("did not stop when it was asked to")) from None
        self._forget()

    def kill(self) -> None:
        """End the process at once, if there is one, as a crash does."""
        if self._process is not None:
            if self.is_running:
                self._signal(signal.SIGKILL)
                self._process.wait()
            self._forget()

    def freeze(self) -> None:
        """Let the process stand still, with its connections open, until `thaw`."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let the process go on."""
        self._signal(signal.SIGCONT)

    def _running(self) -> "subprocess.Popen[bytes]":
        assert self._process is not None, f"{self.name} does not run"
        return self._process

    def _signal(self, number: signal.Signals) -> None:
        os.killpg(self.pid, number)

    def _forget(self) -> None:
        self._reaper.forget(self._running().pid)
        self._process = None

    def _report(self, what: str) -> str:
        lines = self.log.read_text(errors="replace").splitlines()[-SHOWN_LINES:]
        return "\n".join([f"{self.name} {what}. The end of its log:", *lines])
