"""The README's console sessions are run, and print what it says."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from penstock.cli.root import penstock
from tests.servers.kafka import KafkaServer

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
YAML = re.compile(r"```yaml\n(.*?)```", re.DOTALL)
PAGES_WITH_MANIFESTS = ["README.md", "plugins/kafka/README.md"]
SESSIONS = re.findall(r"```console\n(.*?)```", README, re.DOTALL)
ON_KAFKA = [session for session in SESSIONS if "kafka.yaml" in session]
WITHOUT_BROKER = [session for session in SESSIONS if session not in ON_KAFKA]
READY = "ready in"


def name(session: str) -> str:
    """What a test calls a session."""
    return session.splitlines()[-2][:40]


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


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where somebody has cloned the repository."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    if (ROOT / ".venv").exists():
        (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    return tmp_path


def check(session: str, folder: Path) -> None:
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PENSTOCK_STATE_DIR": str(folder / "state"),
    }
    done = subprocess.run(
        ["bash", "-c", script(session)],
        cwd=folder,
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


@pytest.mark.parametrize("session", WITHOUT_BROKER, ids=name)
def test_a_session_of_the_readme_prints_what_it_says(session: str, folder: Path) -> None:
    check(session, folder)


@pytest.mark.parametrize("session", ON_KAFKA, ids=name)
def test_a_session_on_kafka_prints_what_the_readme_says(
    session: str, folder: Path, kafka: KafkaServer
) -> None:
    manifest = folder / "examples" / "time-averager" / "kafka.yaml"
    manifest.write_text(manifest.read_text().replace("localhost:9092", kafka.bootstrap_servers))
    check(session, folder)


@pytest.mark.parametrize("page", PAGES_WITH_MANIFESTS)
def test_the_manifests_of_a_page_are_sound(page: str, tmp_path: Path) -> None:
    shown = YAML.findall((ROOT / page).read_text())
    assert shown
    for number, manifest in enumerate(shown):
        file = tmp_path / f"{number}.yaml"
        file.write_text(manifest)
        done = CliRunner().invoke(penstock, ["lint", "--cluster", str(file)])
        assert done.exit_code == 0, done.output


def test_the_manifests_of_the_readme_are_those_of_examples() -> None:
    shown = YAML.findall(README)
    examples = [file.read_text() for file in (ROOT / "examples").glob("*/*.yaml")]
    assert shown
    for manifest in shown:
        assert any(manifest in example for example in examples), manifest
