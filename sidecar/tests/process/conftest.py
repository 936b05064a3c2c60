"""The sidecar as a process, with bindings in a real folder."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from pathlib import Path

import pytest

from penstock.server import GatewayServer
from penstock_inmemory import InMemoryGateway

PATIENCE = 10.0
"""Seconds before a test that waits for something gives up."""


async def until(condition: Callable[[], Awaitable[bool] | bool]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(PATIENCE):
        while True:
            held = condition()
            if held if isinstance(held, bool) else await held:
                return
            await asyncio.sleep(0.005)


class Sidecar:
    """A sidecar's process and what it logs."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.ready = folder / "ready"
        self._log = folder / "log"
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "penstock_sidecar"],
                env={**os.environ, **environment},
                stderr=log,
            )

    @property
    def log(self) -> str:
        """What it has written to standard error."""
        return self._log.read_text()

    async def until_ready(self) -> None:
        """Wait for the ready file."""
        await until(self._is_ready)

    def _is_ready(self) -> bool:
        assert self.process.poll() is None, self.log
        return self.ready.exists()

    async def wait(self) -> int:
        """Wait until it ends; its exit status."""
        await until(lambda: self.process.poll() is not None)
        return self.process.returncode

    async def stop(self) -> int:
        """Send SIGTERM and wait; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return await self.wait()


class Sidecars:
    """Starts sidecars with a folder of bindings."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._started: list[Sidecar] = []

    @property
    def bindings(self) -> Path:
        """The folder of bindings."""
        return self._folder / "bindings"

    def bind(self, name: str, gateway: str, topic: str, type_: str = "text/plain") -> Path:
        """Write a binding; the folder of it."""
        folder = self.bindings / name
        files = {
            "metadata/contentType": type_,
            "secret/gateway": gateway,
            # As editors and shells leave it.
            "secret/topic": f"{topic}\n",
        }
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text)
        return folder

    def environment(self, function: str = "127.0.0.1:1", **others: str) -> dict[str, str]:
        """The environment of a sidecar from `in` to `out`; an empty text leaves one out."""
        variables = {
            "FUNCTION": function,
            "GROUP": "g",
            "INPUT_NAMES": "in",
            "OUTPUT_NAMES": "out",
            "INPUT_START_OFFSETS": "earliest",
            "CNB_BINDINGS": str(self.bindings),
            "PENSTOCK_READY_FILE": str(self._folder / "ready"),
            "PENSTOCK_WINDOW": json.dumps({"size": "100ms"}),
            # For the eye; what stands elsewhere has a test of its own.
            "PENSTOCK_LOG_FORMAT": "text",
        }
        return variables | others

    def start(self, function: str = "127.0.0.1:1", **others: str) -> Sidecar:
        """Start a sidecar."""
        sidecar = Sidecar(self._folder, self.environment(function, **others))
        self._started.append(sidecar)
        return sidecar

    def run(self, environment: Mapping[str, str]) -> tuple[int, str]:
        """Run one that is to end by itself; its status and its log."""
        done = subprocess.run(
            [sys.executable, "-m", "penstock_sidecar"],
            env={"PATH": os.environ["PATH"], **environment},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        return done.returncode, done.stderr

    def kill(self) -> None:
        """End those that still run."""
        for sidecar in self._started:
            if sidecar.process.poll() is None:
                sidecar.process.kill()
            sidecar.process.wait(PATIENCE)


@pytest.fixture
def sidecars(tmp_path: Path) -> Iterator[Sidecars]:
    """Starts sidecars, and ends them."""
    made = Sidecars(tmp_path)
    yield made
    made.kill()


@pytest.fixture
async def gateway() -> AsyncIterator[tuple[InMemoryGateway, str]]:
    """A gateway in memory that is served, and its address."""
    store = InMemoryGateway()
    async with GatewayServer(store, port=0, provisioner_port=None) as server:
        yield store, server.address


@pytest.fixture(name="until")
def until_fixture() -> Callable[[Callable[[], Awaitable[bool] | bool]], Awaitable[None]]:
    """Waits until something holds."""
    return until
