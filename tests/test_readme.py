"""The README's console sessions are run, and print what it says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SESSIONS = re.findall(r"```console\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
READY = "ready in"


def script(session: str) -> str:
    """A bash script that runs a session's commands; after one in the background it waits."""
    lines = ["set -m"]
    for line in session.splitlines():
        if not line.startswith("$ "):
            continue
        command = line.removeprefix("$ ")
        if command.startswith("penstock run"):
            lines.append(f"{command.removesuffix('&')} > run.log &")
            lines.append(f"until grep -q '{READY}' run.log; do kill -0 %1 && sleep 0.05; done")
            lines.append("cat run.log")
        else:
            lines.append(command)
    return "\n".join([*lines, "wait"])


def expected(session: str) -> list[re.Pattern[str]]:
    """A pattern for each line of output that the README shows; … stands for anything."""
    shown = [line for line in session.splitlines() if not line.startswith("$ ")]
    return [re.compile(".*".join(re.escape(part) for part in line.split("…"))) for line in shown]


@pytest.mark.parametrize("session", SESSIONS, ids=lambda session: session.splitlines()[-2][:40])
def test_a_session_of_the_readme_prints_what_it_says(session: str, tmp_path: Path) -> None:
    for name in ("examples", ".venv"):
        if (ROOT / name).exists():
            (tmp_path / name).symlink_to(ROOT / name)
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PENSTOCK_STATE_DIR": str(tmp_path / "state"),
    }
    done = subprocess.run(
        ["bash", "-c", script(session)],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    printed = iter(done.stdout.splitlines())
    for pattern in expected(session):
        assert any(pattern.search(line) for line in printed), (
            f"{pattern.pattern!r} is missing in:\n{done.stdout}\n{done.stderr}"
        )
