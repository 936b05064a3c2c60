"""Changes of a program's files are noticed; what tools make, and data, are not."""

import asyncio
from contextlib import aclosing
from pathlib import Path

import pytest

from penstock.local.reload import WatchedFolder, differences


def test_added_changed_and_removed_files_differ(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "same.py").write_text("1")
    (tmp_path / "changed.py").write_text("1")
    (tmp_path / "removed.py").write_text("1")
    folder = WatchedFolder(tmp_path)
    before = folder.look()
    (tmp_path / "changed.py").write_text("12")
    (tmp_path / "removed.py").unlink()
    (tmp_path / "package" / "added.py").write_text("")
    assert differences(before, before) == []
    assert differences(before, folder.look()) == ["changed.py", "package/added.py", "removed.py"]


def test_a_change_that_keeps_the_size_is_seen_by_its_time(tmp_path: Path) -> None:
    file = tmp_path / "f.py"
    file.write_text("1")
    folder = WatchedFolder(tmp_path)
    before = folder.look()
    file.write_text("2")
    assert differences(before, folder.look()) == ["f.py"]


def test_hidden_folders_and_those_of_tools_are_left_out(tmp_path: Path) -> None:
    for name in (".git", "__pycache__", "node_modules"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file.py").write_text("")
    assert WatchedFolder(tmp_path).look() == {}


def test_files_and_folders_can_be_left_out(tmp_path: Path) -> None:
    for name in ("state", "code"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file.py").write_text("")
    (tmp_path / "settings.ini").write_text("")
    folder = WatchedFolder(tmp_path, {tmp_path / "state", tmp_path / "settings.ini"})
    assert list(folder.look()) == ["code/file.py"]


@pytest.mark.parametrize("name", ["out.txt", "seen.csv", "run.log", "state.json", "counts"])
def test_what_a_function_writes_changes_nothing(tmp_path: Path, name: str) -> None:
    folder = WatchedFolder(tmp_path)
    before = folder.look()
    (tmp_path / name).write_text("1")
    assert differences(before, folder.look()) == []


@pytest.mark.parametrize("name", ["f.js", "f.jar", "settings.toml", ".env"])
def test_source_libraries_and_configuration_are_watched(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("1")
    assert list(WatchedFolder(tmp_path).look()) == [name]


def test_an_executable_without_a_suffix_is_watched(tmp_path: Path) -> None:
    for name in ("function", "data.csv"):
        (tmp_path / name).write_text("#!/bin/sh")
        (tmp_path / name).chmod(0o755)
    assert list(WatchedFolder(tmp_path).look()) == ["function"]


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert WatchedFolder(tmp_path / "gone").look() == {}


async def test_changes_are_told_from_the_beginning_on(tmp_path: Path) -> None:
    folder = WatchedFolder(tmp_path)
    async with asyncio.timeout(10), aclosing(folder.changes()) as changes:
        await asyncio.to_thread((tmp_path / "a.py").touch)
        assert await anext(changes) == ["a.py"]
        await asyncio.to_thread((tmp_path / "a.py").unlink)
        assert await anext(changes) == ["a.py"]
