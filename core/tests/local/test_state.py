"""How a run is found by other commands, and that there is one at a time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.local.state import (
    Run,
    RunningProcessor,
    RunningStream,
    RunState,
    find_run,
    state_folder,
)
from penstock.plugin import UsageError

NUMBERS = RunningStream("default", "numbers", "127.0.0.1:6565", "default_numbers", "text/plain")


def test_a_run_is_found_as_it_described_itself(tmp_path: Path) -> None:
    with RunState.claim(tmp_path / "state") as state:
        assert find_run(tmp_path / "state") == Run(os.getpid())
        state.describe(Run(os.getpid(), ready=True, streams=(NUMBERS,)))
        found = find_run(tmp_path / "state")
    assert found == Run(os.getpid(), ready=True, streams=(NUMBERS,))
    assert found.stream("default", "numbers") == NUMBERS
    assert found.stream("other", "numbers") is None


def test_the_file_says_what_others_rely_on(tmp_path: Path) -> None:
    with RunState.claim(tmp_path) as state:
        state.describe(Run(7, ready=True, streams=(NUMBERS,)))
        text = (tmp_path / "run.json").read_text()
    assert '"pid": 7' in text
    assert '"ready": true' in text
    assert '"contentType": "text/plain"' in text


def test_a_run_that_ended_is_not_found_and_leaves_nothing(tmp_path: Path) -> None:
    assert find_run(tmp_path) is None
    with RunState.claim(tmp_path) as state:
        (state.work / "secret").write_text("")
        assert state.work.stat().st_mode & 0o077 == 0
    assert find_run(tmp_path) is None
    assert [path.name for path in tmp_path.iterdir()] == ["run.lock"]


def test_a_second_run_is_refused_with_the_pid_of_the_first(tmp_path: Path) -> None:
    with RunState.claim(tmp_path), pytest.raises(UsageError) as refusal, RunState.claim(tmp_path):
        pass
    assert f"(pid {os.getpid()})" in str(refusal.value)
    assert "PENSTOCK_STATE_DIR" in str(refusal.value)


def test_what_a_killed_run_left_counts_for_nothing(tmp_path: Path) -> None:
    code = (
        "import os; from pathlib import Path; from penstock.local.state import RunState\n"
        f"with RunState.claim(Path({str(tmp_path)!r})) as state:\n"
        "    (state.work / 'left').write_text('')\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=False)
    assert (tmp_path / "run.json").exists()
    assert find_run(tmp_path) is None
    with RunState.claim(tmp_path) as state:
        assert not (state.work / "left").exists()
        assert find_run(tmp_path) == Run(os.getpid())


def test_a_folder_that_cannot_be_written_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(UsageError, match="set PENSTOCK_STATE_DIR"),
        RunState.claim(tmp_path / "file"),
    ):
        pass
    with pytest.raises(UsageError, match="cannot be read: Not a directory; set PENSTOCK_STATE_DIR"):
        find_run(tmp_path / "file")


def test_the_folder_is_chosen_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    monkeypatch.delenv("PENSTOCK_STATE_DIR", raising=False)
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    assert state_folder() == Path("/home/someone/.local/state/penstock")
    monkeypatch.setenv("XDG_STATE_HOME", "/states")
    assert state_folder() == Path("/states/penstock")
    monkeypatch.setenv("PENSTOCK_STATE_DIR", "/mine")
    assert state_folder() == Path("/mine")


def test_a_processor_is_found_with_what_another_sidecar_would_have_to_know(tmp_path: Path) -> None:
    upper = RunningProcessor(
        "default", "upper", (("in", "words"), ("more", "words")), {"GROUP": "upper"}
    )
    with RunState.claim(tmp_path) as state:
        state.describe(Run(7, processors=(upper,), control="/run/control"))
        found = find_run(tmp_path)
    assert found == Run(7, processors=(upper,), control="/run/control")
    assert found.processor("default", "upper") == upper
    assert found.processor("other", "upper") is None
