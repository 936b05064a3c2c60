"""The command line as a person uses it: processes of their own, in a state folder of a test."""

import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from threading import Condition, Thread
from typing import Self

import psutil
from click.testing import CliRunner

from penstock.cli.root import penstock as root

PATIENCE = 30.0
"""Seconds before a test that waits for a process gives up."""


class Session:
    """A command that goes on for a while.

    Attributes:
        process: Its process.
        lines: What it has printed, standard error included.
    """

    def __init__(self, arguments: tuple[str, ...], environment: dict[str, str]) -> None:
        self.lines: list[str] = []
        self._changed = Condition()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "penstock.cli", *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            with self._changed:
                self.lines.append(line.rstrip("\n"))
                self._changed.notify_all()
        self.process.stdout.close()
        with self._changed:
            self._changed.notify_all()

    def shows(self, pattern: str, count: int = 1) -> list[str]:
        """Wait until so many lines match; what the pattern's group matched in each."""

        def found() -> list[str]:
            matches = (re.search(pattern, line) for line in self.lines)
            return [match[match.re.groups] for match in matches if match]

        with self._changed:
            self._changed.wait_for(
                lambda: len(found()) >= count or self.process.poll() is not None, PATIENCE
            )
            assert len(found()) >= count, f"no {pattern!r} in:\n" + "\n".join(self.lines)
            return found()

    def children(self) -> list[psutil.Process]:
        """All processes that it has started, and those that they have."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def ends(self) -> int:
        """Wait for the end; the exit code."""
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return code

    def interrupt(self) -> int:
        """Do as Ctrl-C does; the exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.ends()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.ends()


class Penstock:
    """The command line in an environment of its own."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.environment = {**os.environ, "PENSTOCK_STATE_DIR": str(state)}
        for name in ("PENSTOCK_DEBUG", "NO_COLOR"):
            self.environment.pop(name, None)

    def __call__(
        self, *arguments: str, stdin: str | bytes = "", code: int = 0
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command; it has to end with the given exit code, and never with a traceback."""
        done = subprocess.run(
            [sys.executable, "-m", "penstock.cli", *arguments],
            env=self.environment,
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
        output, errors = done.stdout.decode(), done.stderr.decode()
        assert done.returncode == code, output + errors
        assert "Traceback" not in errors
        return subprocess.CompletedProcess(arguments, done.returncode, output, errors)

    def fails(self, *arguments: str, code: int = 2) -> str:
        """Run a command, quickly, in this process; what it says when it ends with that code."""
        done = CliRunner(env=self.environment).invoke(root, arguments)
        assert done.exit_code == code, done.output
        assert done.stdout == ""
        return done.stderr

    def start(self, *arguments: str) -> Session:
        """Start a command; leaving the session ends it."""
        return Session(arguments, self.environment)

    def run(self, manifest: Path, *flags: str) -> Session:
        """Start `penstock run`, and wait until it is ready."""
        session = self.start("run", str(manifest), *flags)
        session.shows("ready in ")
        return session


def wait_for_end(*pids: int) -> None:
    """Wait until no process of some ids runs any more."""
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            psutil.Process(pid).wait(PATIENCE)
