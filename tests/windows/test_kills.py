"""The sidecar is killed in the middle of what it does with windows."""

from pathlib import Path
from typing import Any

import pytest

from tests.command_line import Penstock
from tests.kafka_run.manifests import memory, resource, stream, write
from tests.kafka_run.payloads import payloads
from tests.windows.test_poison import kill

# It says of no message that it is at fault; the log is what it was given, over all of its lives.
FUNCTION = """
import time
from collections.abc import Iterator
from pathlib import Path

GIVEN = Path(__file__).with_name("given")


def upper(words: Iterator[str]) -> Iterator[str]:
    for word in words:
        with GIVEN.open("a") as given:
            given.write(word + "\\n")
        time.sleep(0.05)
        if word == "poison":
            raise ValueError("no capitals for it")
        yield word.upper()
"""


@pytest.fixture
def penstock(tmp_path: Path) -> Penstock:
    """The command line, in a state folder of the test's."""
    return Penstock(tmp_path / "state")


def manifest(folder: Path, **spec: Any) -> Path:
    """From `words` to `shouts`, and to `oops` what the function cannot process."""
    processor = {
        "inputs": [{"stream": "words", "startOffset": "earliest"}],
        "outputs": [{"stream": "shouts"}],
        "template": {"spec": {"containers": [{"command": ["penstock-invoker", "function:upper"]}]}},
        **spec,
    }
    streams = [stream(one, "memory") for one in ("words", "shouts", "oops")]
    file = write(folder, memory(), *streams, resource("Processor", "upper", processor))
    (folder / "function.py").write_text(FUNCTION)
    return file


@pytest.mark.timeout(90)
@pytest.mark.parametrize("moment", ["in two parts", "goes to the dead letters"])
def test_a_kill_while_the_message_at_fault_is_found_loses_nothing(
    penstock: Penstock, tmp_path: Path, moment: str
) -> None:
    words = [f"word{number}" for number in range(8)]
    lines = [*words[:5], "poison", *words[5:]]
    app = manifest(
        tmp_path / "app",
        window={"type": "Count", "count": len(lines)},
        delivery={"maxDeliveries": 1, "deadLetter": {"stream": "oops"}},
    )
    with penstock.run(app) as running:
        penstock("publish", "words", "--lines", stdin="\n".join(lines) + "\n")
        running.shows(moment)
        kill(running, "penstock_sidecar")
        assert payloads(penstock, "oops", 1) == ["poison"]
        written: set[str] = set()
        count = len(words)
        while len(written) < len(words):
            written = set(payloads(penstock, "shouts", count))
            count += 1
        assert written == {word.upper() for word in words}


@pytest.mark.timeout(90)
def test_after_a_kill_nothing_is_given_twice_at_most_once(
    penstock: Penstock, tmp_path: Path
) -> None:
    words = [f"word{number}" for number in range(40)]
    app = manifest(
        tmp_path / "app",
        window={"type": "Count", "count": 5},
        delivery={"guarantee": "AtMostOnce"},
    )
    with penstock.run(app) as running:
        penstock("publish", "words", "--lines", stdin="\n".join(words) + "\n")
        payloads(penstock, "shouts", 8)
        kill(running, "penstock_sidecar")
        running.shows(r"\bready: words -> shouts\b", 2)
        more = [f"more{number}" for number in range(5)]
        penstock("publish", "words", "--lines", stdin="\n".join(more) + "\n")
        written: list[str] = []
        while "MORE4" not in written:
            written = payloads(penstock, "shouts", len(written) + 1)
    given = (tmp_path / "app" / "given").read_text().split()
    assert len(given) == len(set(given))
    assert len(written) == len(set(written))
    assert {one.upper() for one in more} <= set(written)
