"""Child processes for the tests of the local runtime."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from penstock.local.process import Command
from penstock.local.reaper import Reaper
from tests.command_line import wait_for_end

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

    return wait_for_end
