"""The time-averager, its streams on Kafka."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.command_line import Penstock, Session, wait_for_end
from tests.kafka_run.payloads import payloads
from tests.servers.kafka import KafkaServer

EXAMPLE = Path(__file__).parents[2] / "examples" / "time-averager"
OWN_LINE = re.compile(r"(penstock|time-averager( \(sidecar\))?) +\| ")


def resources(file: Path) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(file.read_text()))


def example(folder: Path, kafka: KafkaServer, prefix: str) -> Path:
    """The example as somebody has it who has a broker elsewhere, shared with others."""
    shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns("__pycache__"))
    file = folder / "kafka.yaml"
    gateway, *others = resources(file)
    gateway["spec"] = {"bootstrapServers": kafka.bootstrap_servers, "topicPrefix": prefix}
    file.write_text(yaml.safe_dump_all([gateway, *others]))
    return file


def publish(penstock: Penstock, *numbers: int) -> None:
    lines = "".join(f"{number}\n" for number in numbers)
    done = penstock("publish", "numbers", "--lines", stdin=lines)
    assert done.stderr == f'published {len(numbers)} messages to stream "numbers"\n'


@pytest.fixture
def manifest(tmp_path: Path, kafka: KafkaServer, prefix: str) -> Path:
    return example(tmp_path / "app", kafka, prefix)


def check_quiet(session: Session) -> None:
    """Every line is an event of penstock or a line of a process, and none of them a complaint."""
    assert not [line for line in session.lines if not OWN_LINE.match(line)]
    complaint = re.compile("warning|error|traceback|aiokafka|exception", re.IGNORECASE)
    assert not [line for line in session.lines if complaint.search(line)]


def test_the_example_differs_from_the_one_in_memory_by_its_gateway_alone() -> None:
    in_memory, *others = resources(EXAMPLE / "app.yaml")
    on_kafka, *same_others = resources(EXAMPLE / "kafka.yaml")
    assert same_others == others
    assert on_kafka["metadata"] == in_memory["metadata"]
    assert (in_memory["kind"], on_kafka["kind"]) == ("InMemoryGateway", "KafkaGateway")
    assert on_kafka["spec"] == {"bootstrapServers": "localhost:9092"}


def test_it_averages_as_it_does_in_memory_quietly_and_leaves_no_process(
    penstock: Penstock, manifest: Path, prefix: str
) -> None:
    with penstock.run(manifest) as session:
        publish(penstock, *range(10, 101, 10))
        first = penstock("subscribe", "averages", "--from-beginning", "--count", "1").stdout
        assert first == '{"payload":"55.0","contentType":"application/json","headers":{}}\n'
        publish(penstock, 1, 2, 3)
        assert payloads(penstock, "averages", 2) == ["55.0", "2.0"]
        assert session.shows(rf" \| numbers +application/json +127.* +({prefix}default_numbers)$")
        processes = [one.pid for one in session.children()]
        assert len(processes) >= 3
        assert session.interrupt() == 0
    wait_for_end(*processes)
    check_quiet(session)


def test_a_run_that_starts_again_goes_on_where_it_was(penstock: Penstock, manifest: Path) -> None:
    with penstock.run(manifest) as session:
        publish(penstock, *range(10, 101, 10))
        assert payloads(penstock, "averages", 1) == ["55.0"]
        assert session.interrupt() == 0
    gateway, numbers, *_ = resources(manifest)
    without_processor = manifest.with_name("streams.yaml")
    without_processor.write_text(yaml.safe_dump_all([gateway, numbers]))
    with penstock.run(without_processor):
        publish(penstock, 1, 2, 3)
    with penstock.run(manifest):
        assert payloads(penstock, "averages", 2) == ["55.0", "2.0"]
        publish(penstock, 7, 8)
        assert payloads(penstock, "averages", 3) == ["55.0", "2.0", "7.5"]


def test_two_gateways_on_one_broker_do_not_disturb_each_other(
    penstock: Penstock, manifest: Path, prefix: str, kafka: KafkaServer, tmp_path: Path
) -> None:
    neighbour = Penstock(tmp_path / "neighbour-state")
    neighbours_manifest = example(tmp_path / "neighbour", kafka, f"neighbour-{prefix}")
    with penstock.run(manifest), neighbour.run(neighbours_manifest) as other:
        publish(penstock, 10, 20, 30)
        publish(neighbour, 1, 2, 3)
        assert payloads(penstock, "averages", 1) == ["20.0"]
        assert payloads(neighbour, "averages", 1) == ["2.0"]
        # Both processors have the same name, and so the same group: one of them leaves it.
        assert other.interrupt() == 0
        publish(penstock, 4, 5)
        assert payloads(penstock, "averages", 2) == ["20.0", "4.5"]
