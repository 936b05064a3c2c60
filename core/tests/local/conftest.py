"""Child processes for the tests of the local runtime."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import psutil
import pytest

from penstock.local.process import Command
from penstock.local.reaper import Reaper

PythonCommand = Callable[..., Command]
AwaitEnd = Callable[..., None]


@pytest.fixture
def reaper() -> Iterator[Reaper]:
    with Reaper() as reaper:
        yield reaper


@pytest.fixture
def python(tmp_path: Path) -> PythonCommand:
    """A command that runs some Python in a quick interpreter, in a folder of the test."""

    def command(code: str, *arguments: object, **environment: str) -> Command:
        return Command(
            [sys.executable, "-I", "-S", "-u", "-c", dedent(code), *map(str, arguments)],
            {**os.environ, **environment},
            tmp_path,
        )

    return command


@pytest.fixture
def await_end() -> AwaitEnd:
    """Waits until no process of some ids runs any more."""

    def wait(*pids: int) -> None:
        deadline = time.monotonic() + 10
        while running := [pid for pid in pids if runs(pid)]:
            assert time.monotonic() < deadline, f"{running} still run"
            time.sleep(0.02)

    return wait


def runs(pid: int) -> bool:
    try:
        # Who lost its parent may stay a zombie where there is no init.
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
