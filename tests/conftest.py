"""`penstock run` as a person starts it, for the tests that cross packages."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

PATIENCE = 30.0
"""Seconds before a test that waits for a process gives up."""


@dataclass(frozen=True)
class Runtime:
    """A `penstock run` that is ready.

    Attributes:
        process: Its process; functions and sidecars are the children.
        environment: Variables with which other commands find it.
    """

    process: "subprocess.Popen[str]"
    environment: dict[str, str]

    @property
    def streams(self) -> dict[str, dict[str, str]]:
        """What the runtime says of each stream, by its name."""
        state = json.loads((Path(self.environment["PENSTOCK_STATE_DIR"]) / "run.json").read_text())
        return {stream["name"]: stream for stream in state["streams"]}

    def kill(self, module: str) -> None:
        """Kill -9 the child that runs a module, if there is one at this moment."""
        for child in psutil.Process(self.process.pid).children(recursive=True):
            try:
                if any(module in argument for argument in child.cmdline()):
                    child.kill()
            except psutil.NoSuchProcess:
                continue

    def penstock(self, *arguments: str, stdin: str = "") -> str:
        """What a command prints that finds this runtime; fails when the command does."""
        done = subprocess.run(
            [sys.executable, "-m", "penstock.cli", *arguments],
            env=self.environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


RunPenstock = Callable[[Path], Runtime]


@pytest.fixture
def run_penstock(tmp_path: Path) -> Iterator[RunPenstock]:
    """Starts `penstock run` on a manifest, and stops it as Ctrl-C does."""
    started: list[subprocess.Popen[str]] = []
    state = tmp_path / "state"
    environment = {**os.environ, "PENSTOCK_STATE_DIR": str(state)}

    def run(manifest: Path) -> Runtime:
        process = subprocess.Popen(
            [sys.executable, "-m", "penstock.cli", "run", str(manifest)],
            env=environment,
            text=True,
        )
        started.append(process)
        deadline = time.monotonic() + PATIENCE
        while not is_ready(state / "run.json"):
            assert process.poll() is None, "penstock run ended before it was ready"
            assert time.monotonic() < deadline, "penstock run did not get ready"
            time.sleep(0.02)
        return Runtime(process, environment)

    yield run
    for process in started:
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0


def is_ready(file: Path) -> bool:
    """Whether the state file of a runtime says that it is ready."""
    return file.exists() and bool(json.loads(file.read_text() or "{}").get("ready"))
