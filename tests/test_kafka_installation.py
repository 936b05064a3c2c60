"""Kafka is fetched once, found again, and its absence is said plainly."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.servers.installation import Installation, version
from tests.servers.requirement import Unavailable, skip

ROOT = Path(__file__).parents[1]
TOOLS = ("bash", "dirname", "grep", "mktemp", "mkdir", "mv", "rm", "sed")
PATIENCE = 50.0

fetches = pytest.mark.skipif(
    shutil.which("mvn") is None or "KAFKA_HOME" in os.environ,
    reason="Kafka is not fetched here: there is no mvn, or KAFKA_HOME names an installation",
)


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Variables with which nothing has been fetched, and nothing is required."""
    for name in ("KAFKA_HOME", "PENSTOCK_REQUIRE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return dict(os.environ)


def with_tools(folder: Path, *names: str) -> str:
    """A search path on which there are these programs and no others."""
    folder.mkdir()
    for name in names:
        if found := shutil.which(name):
            (folder / name).symlink_to(found)
    return str(folder)


def start_script(environment: dict[str, str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [ROOT / "scripts" / "kafka.sh"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def run_script(environment: dict[str, str]) -> tuple[int, str]:
    """The exit code of the script, and what it prints."""
    with start_script(environment) as script:
        printed, _ = script.communicate(timeout=PATIENCE)
        return script.returncode, printed


@pytest.mark.parametrize(
    ("tools", "advice"),
    [
        (TOOLS, "There is no java: install a Java runtime, version 17 or newer"),
        ((*TOOLS, "java"), "There is no mvn, with which Apache Kafka is fetched: install Maven"),
    ],
)
def test_what_is_missing_is_named_and_fails_only_where_it_is_required(
    environment: dict[str, str], tmp_path: Path, tools: tuple[str, ...], advice: str
) -> None:
    environment = {**environment, "PATH": with_tools(tmp_path / "tools", *tools)}
    environment.pop("JAVA_HOME", None)
    code, printed = run_script(environment)
    assert (code, advice in printed) == (0, True)
    code, printed = run_script({**environment, "PENSTOCK_REQUIRE": "all"})
    assert (code, advice in printed) == (1, True)


@pytest.mark.usefixtures("environment")
def test_an_installation_of_ones_own_is_used(
    kafka_installation: Installation,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "libs").symlink_to(kafka_installation.libraries)
    monkeypatch.setenv("KAFKA_HOME", str(tmp_path))
    assert run_script(dict(os.environ)) == (0, "")
    found = Installation.find()
    assert (found.libraries, found.archive) == (tmp_path / "libs", None)
    assert not (tmp_path / "cache").exists()


@pytest.mark.usefixtures("environment")
def test_an_installation_that_is_none_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KAFKA_HOME", str(tmp_path))
    code, printed = run_script({**os.environ, "PENSTOCK_REQUIRE": "all"})
    assert (code, f"KAFKA_HOME is {tmp_path}, and no Kafka" in printed) == (1, True)
    with pytest.raises(Unavailable, match=r"there is no Apache Kafka in .*/libs"):
        Installation.find()


@fetches
def test_two_that_fetch_at_once_leave_one_whole_folder(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with start_script(environment) as one, start_script(environment) as other:
        for script in (one, other):
            printed, _ = script.communicate(timeout=PATIENCE)
            assert script.returncode == 0, printed
            assert f"Fetching Apache Kafka {version()}, once" in printed
    [kept] = (tmp_path / "cache" / "penstock" / f"kafka-{version()}").iterdir()
    assert Installation.find().libraries == kept
    assert [file for file in kept.iterdir() if file.suffix != ".jar"] == []
    assert run_script(environment) == (0, "")


@fetches
def test_a_fetch_that_fails_leaves_nothing_and_says_so(
    environment: dict[str, str], tmp_path: Path
) -> None:
    no_folder = tmp_path / "file"
    no_folder.touch()
    code, printed = run_script({**environment, "MAVEN_OPTS": f"-Dmaven.repo.local={no_folder}"})
    assert (code, "Maven could not fetch Apache Kafka" in printed) == (0, True)
    assert not list((tmp_path / "cache" / "penstock" / f"kafka-{version()}").iterdir())
    with pytest.raises(Unavailable, match=r"fetch it with scripts/kafka\.sh"):
        Installation.find()


def test_what_needs_a_server_is_skipped_unless_it_is_required(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reason = Unavailable("there is no java")
    monkeypatch.delenv("PENSTOCK_REQUIRE", raising=False)
    with pytest.raises(pytest.skip.Exception, match="there is no java"):
        skip(reason)
    monkeypatch.setenv("PENSTOCK_REQUIRE", "all")
    with pytest.raises(pytest.fail.Exception, match="there is no java"):
        skip(reason)
