"""What becomes of real-looking manifests: the texts in manifests/*/expected.

To write one anew, in the folder of its origin: penstock import ORIGIN FILE > expected/FILE
2> expected/FILE.problems, and read what has changed.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

MANIFESTS = Path(__file__).parent / "manifests"
FILES = sorted(MANIFESTS.glob("*/*.yaml"))

Run = Callable[..., Result]


@pytest.fixture(params=FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def file(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A manifest; its folder is the working directory."""
    path: Path = request.param
    monkeypatch.chdir(path.parent)
    return path


def test_there_are_manifests_of_each_origin() -> None:
    assert {one.parent.name for one in FILES} == {"dapr", "knative", "riff", "strimzi"}


def test_a_manifest_becomes_what_is_expected(file: Path, run: Run) -> None:
    done = run("import", file.parent.name, file.name)
    assert done.stdout == (file.parent / "expected" / file.name).read_text()
    assert done.stderr == (file.parent / "expected" / f"{file.name}.problems").read_text()
    assert done.exit_code == 0


def test_what_it_becomes_has_no_errors(file: Path, run: Run) -> None:
    done = run("lint", "--cluster", f"expected/{file.name}")
    if "PulsarGateway" in file.read_text():
        assert "pip install penstock-pulsar" in done.stdout
        assert "1 error, 0 warnings" in done.stderr
    else:
        assert (done.stdout, done.exit_code) == ("", 0)
        assert "0 errors, 0 warnings" in done.stderr


def test_what_it_becomes_stays_as_it_is(file: Path, run: Run) -> None:
    """Importing it again drops the comments and changes nothing."""
    once = run("import", "riff", f"expected/{file.name}").stdout
    assert without_comments(once) == without_comments(
        (file.parent / "expected" / file.name).read_text()
    )


def without_comments(text: str) -> list[str]:
    return [one for one in text.splitlines() if one and not one.lstrip().startswith("#")]


@pytest.mark.parametrize("name", ["cluster", "streaming"])
def test_what_riff_had_needs_no_import(name: str, run: Run) -> None:
    done = run("lint", "--cluster", str(MANIFESTS / "riff" / f"{name}.yaml"))
    assert (done.stdout, done.exit_code) == ("", 0)


def test_several_files_are_read_as_one(run: Run) -> None:
    """A topic finds its cluster in another file."""
    folder = MANIFESTS / "strimzi"
    whole = run("import", "strimzi", str(folder / "cluster.yaml"), str(folder / "topics.yaml"))
    alone = run("import", "strimzi", str(folder / "topics.yaml"))
    assert "is not in the files" in alone.stderr
    assert "0 errors, 0 warnings" in whole.stderr
    assert whole.stdout.count("kind: KafkaGateway") == 1


def test_standard_input_is_read(run: Run) -> None:
    text = (MANIFESTS / "riff" / "streaming.yaml").read_text()
    done = run("import", "riff", "-", stdin=text)
    assert 'from KafkaGateway "franz", standard input:3' in done.stdout
    assert done.exit_code == 0
