"""The files that a manifest is read from."""

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from penstock.resources.problem import Problem
from penstock.resources.source import STANDARD_INPUT, Source

SUFFIXES = (".yaml", ".yml")


class Text(NamedTuple):
    """What a file says."""

    file: Path
    text: str


def read_files(paths: Sequence[Path]) -> Iterator[Text | Problem]:
    """Read each file once, in the order given.

    Args:
        paths: Files, `-` for standard input, and folders; of a folder its own `.yaml` and `.yml`
            files in the order of their names, not those of folders in it.
    """
    seen: set[str] = set()
    for path in paths:
        if path == STANDARD_INPUT:
            yield _decoded(path, sys.stdin.buffer.read())
            continue
        try:
            files = _files_of(path)
        except OSError as error:
            yield _unreadable(path, error)
            continue
        if not files:
            yield Problem(Source(path), f"this folder has no {' or '.join(SUFFIXES)} file")
        for file in files:
            same = os.path.realpath(file)
            if same not in seen:
                seen.add(same)
                yield _read(file)


def _files_of(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.iterdir() if file.suffix in SUFFIXES and file.is_file())


def _read(file: Path) -> Text | Problem:
    try:
        return _decoded(file, file.read_bytes())
    except OSError as error:
        return _unreadable(file, error)


def _unreadable(path: Path, error: OSError) -> Problem:
    return Problem(Source(path), f"cannot be read: {error.strerror}")


def _decoded(file: Path, data: bytes) -> Text | Problem:
    try:
        return Text(file, data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return Problem(Source(file, line), "this is not UTF-8 text; save the file as UTF-8")
