"""Changes of files are noticed, and what tools make is not."""

import asyncio
from contextlib import aclosing
from pathlib import Path

from penstock.local.reload import changes, differences, take_snapshot


def test_added_changed_and_removed_files_differ(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "same.py").write_text("1")
    (tmp_path / "changed.py").write_text("1")
    (tmp_path / "removed.py").write_text("1")
    before = take_snapshot(tmp_path)
    (tmp_path / "changed.py").write_text("12")
    (tmp_path / "removed.py").unlink()
    (tmp_path / "package" / "added.py").write_text("")
    after = take_snapshot(tmp_path)
    assert differences(before, before) == []
    assert differences(before, after) == ["changed.py", "package/added.py", "removed.py"]


def test_a_change_that_keeps_the_size_is_seen_by_its_time(tmp_path: Path) -> None:
    file = tmp_path / "f.py"
    file.write_text("1")
    before = take_snapshot(tmp_path)
    file.write_text("2")
    assert differences(before, take_snapshot(tmp_path)) == ["f.py"]


def test_hidden_folders_and_those_of_tools_are_left_out(tmp_path: Path) -> None:
    for name in (".git", "__pycache__", "node_modules"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("")
    assert take_snapshot(tmp_path) == {}


def test_a_folder_that_is_not_there_holds_nothing(tmp_path: Path) -> None:
    assert take_snapshot(tmp_path / "gone") == {}


async def test_a_change_since_the_given_snapshot_is_told(tmp_path: Path) -> None:
    seen = take_snapshot(tmp_path)
    async with asyncio.timeout(10), aclosing(changes(tmp_path, seen)) as watching:
        (tmp_path / "a.py").write_text("")
        assert await anext(watching) == ["a.py"]
        (tmp_path / "a.py").unlink()
        assert await anext(watching) == ["a.py"]
