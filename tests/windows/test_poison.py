"""A message that a function cannot process, and processes that are killed while it fails."""

from pathlib import Path
from typing import Any

import pytest

from tests.command_line import Penstock, Session
from tests.kafka_run.manifests import Resource, kafka_gateway, memory, resource, stream, write
from tests.kafka_run.payloads import payloads
from tests.servers.kafka import KafkaServer

FUNCTION = """
def upper(word: str) -> str:
    if word == "poison":
        raise ValueError("no capitals for it")
    return word.upper()
"""
WORDS = ["one", "two", "poison", "three", "four"]
RESTS = r"WARNING the function failed with .* again in "


@pytest.fixture
def penstock(tmp_path: Path) -> Penstock:
    """The command line, in a state folder of the test's."""
    return Penstock(tmp_path / "state")


@pytest.fixture(params=["memory", "kafka"])
def gateway(request: pytest.FixtureRequest, tmp_path: Path) -> Resource:
    """The gateway that the streams are of."""
    if request.param == "memory":
        return memory()
    server: KafkaServer = request.getfixturevalue("kafka")
    return kafka_gateway("kafka", server.bootstrap_servers, topicPrefix=f"{tmp_path.name}.")


def manifest(folder: Path, gateway: Resource, dead_letters: str = "oops") -> Path:
    name = gateway["metadata"]["name"]
    spec: dict[str, Any] = {
        "inputs": [{"stream": "words", "startOffset": "earliest"}],
        "outputs": [{"stream": "shouts"}],
        "delivery": {
            "maxDeliveries": 2,
            "backoff": {"initial": "1s", "jitter": 0},
            "deadLetter": {"stream": dead_letters},
        },
        "template": {"spec": {"containers": [{"command": ["penstock-invoker", "function:upper"]}]}},
    }
    streams = [stream(one, name) for one in ("words", "shouts", "oops")]
    # The name of a processor is its group's, and all tests share the broker.
    processor = resource("Processor", f"upper-{folder.parent.name.replace('_', '-')}", spec)
    file = write(folder, gateway, *streams, processor)
    (folder / "function.py").write_text(FUNCTION)
    return file


def kill(session: Session, module: str) -> None:
    """Kill -9 the process that runs a module."""
    [process] = [
        child
        for child in session.children()
        if any(module in argument for argument in child.cmdline())
    ]
    process.kill()


@pytest.mark.timeout(90)
@pytest.mark.parametrize("module", ["penstock_sidecar", "penstock-invoker"])
def test_who_is_killed_while_a_retry_rests_loses_nothing(
    penstock: Penstock, gateway: Resource, tmp_path: Path, module: str
) -> None:
    with penstock.run(manifest(tmp_path / "app", gateway)) as running:
        penstock("publish", "words", "--lines", stdin="\n".join(WORDS) + "\n")
        running.shows(RESTS)
        kill(running, module)

        written = payloads(penstock, "shouts", 4, "--deduplicate")
        assert written == ["ONE", "TWO", "THREE", "FOUR"]
        assert payloads(penstock, "oops", 1) == ["poison"]
        listed = penstock("deadletter", "list", "oops").stdout
        assert "words[0]/2" in listed
        shown = penstock("deadletter", "show", "oops", "0/0").stdout
        assert "no capitals for it" in shown

        app = tmp_path / "app" / "function.py"
        app.write_text("def upper(word: str) -> str:\n    return word.upper()\n")
        kill(running, "penstock-invoker")
        penstock("deadletter", "replay", "oops", "--all", "--yes")
        assert payloads(penstock, "shouts", 5, "--deduplicate")[4] == "POISON"
        left = penstock("deadletter", "list", "oops").stdout
        assert "holds no open dead letters" in left


def test_dead_letters_to_an_input_are_refused(penstock: Penstock, tmp_path: Path) -> None:
    said = penstock.fails("run", str(manifest(tmp_path / "app", memory(), "words")))
    assert "deadLetter" in said
    assert "words" in said
