"""How far a long publish is: shown to a person who looks, and to nobody else."""

import os
import pty
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import TextIO

import pytest

from penstock.cli import progress
from penstock.cli.progress import Progress


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 0.0)
    monkeypatch.setattr(progress, "INTERVAL", 0.0)


@pytest.fixture
def terminal() -> Iterator[tuple[TextIO, int]]:
    """A terminal to write to, and its other end."""
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as stream, os.fdopen(ours, "rb") as seen:
        yield stream, seen.fileno()


def test_of_a_file_the_share_that_is_done_is_shown(
    terminal: tuple[TextIO, int], tmp_path: Path
) -> None:
    stream, seen = terminal
    file = tmp_path / "lines"
    file.write_bytes(b"x" * 1000)
    with file.open("rb") as source, Progress(source.fileno(), stream) as shown:
        shown.advance(1234, 500)
        text = os.read(seen, 1000).decode()
    assert text.startswith("\r\x1b[K[" + "#" * 15 + " " * 15 + "]  50% 1,234 messages, ")
    assert os.read(seen, 1000) == b"\r\x1b[K"


def test_of_a_pipe_the_messages_are_counted(terminal: tuple[TextIO, int]) -> None:
    stream, seen = terminal
    reading, writing = os.pipe()
    with os.fdopen(reading), os.fdopen(writing, "w"), Progress(reading, stream) as shown:
        shown.advance(2000, 1)
        assert "\r\x1b[K2,000 messages, " in os.read(seen, 1000).decode()
        shown.advance(3000, 1)
        assert "\r\x1b[K5,000 messages, " in os.read(seen, 1000).decode()


def test_what_is_short_shows_nothing(
    terminal: tuple[TextIO, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 60.0)
    stream, seen = terminal
    with (tmp_path / "lines").open("wb") as source, Progress(source.fileno(), stream) as shown:
        shown.advance(1, 1)
        shown.clear()
    os.set_blocking(seen, False)
    with pytest.raises(BlockingIOError):
        os.read(seen, 1)


def test_nothing_is_shown_where_nobody_looks(tmp_path: Path) -> None:
    stream = StringIO()
    with (tmp_path / "lines").open("wb") as source, Progress(source.fileno(), stream) as shown:
        shown.advance(1, 1)
    assert stream.getvalue() == ""
