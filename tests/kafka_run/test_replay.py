"""`penstock replay` with streams on Kafka, where the sidecar goes past the gateway."""

from collections import Counter
from pathlib import Path

import pytest

from tests.command_line import Penstock
from tests.kafka_run.manifests import kafka_gateway, stream, upper, write
from tests.kafka_run.payloads import payloads
from tests.servers.kafka import KafkaServer

WORDS = [f"w{number}" for number in range(300)]


def outputs(penstock: Penstock, count: int) -> Counter[str]:
    """How often each output is there, once so many are."""
    return Counter(payloads(penstock, "shouts", count))


def publish(penstock: Penstock, *words: str) -> None:
    penstock("publish", "words", "--lines", stdin="".join(f"{word}\n" for word in words))


def manifest(folder: Path, kafka: KafkaServer, prefix: str) -> Path:
    # The name of a processor is its group's, and all tests share the broker.
    name = f"upper-{prefix.rstrip('.')}"
    return write(
        folder,
        kafka_gateway("kafka", kafka.bootstrap_servers, topicPrefix=prefix),
        stream("words", "kafka", partitions=2),
        stream("shouts", "kafka", partitions=1),
        upper(name, "words", "shouts"),
    )


@pytest.mark.timeout(120)
def test_a_processor_goes_back_and_a_range_is_processed_beside_it(
    penstock: Penstock, kafka: KafkaServer, prefix: str, tmp_path: Path
) -> None:
    name = f"upper-{prefix.rstrip('.')}"
    app = manifest(tmp_path / "app", kafka, prefix)
    with penstock.run(app):
        publish(penstock, *WORDS)
        outputs(penstock, 300)

        moved = penstock("replay", name, "--from", "earliest", "--yes").stdout
        assert f'moved: "{name}" begins there when it starts' in moved
        counts = outputs(penstock, 600)
        assert counts == dict.fromkeys([word.upper() for word in WORDS], 2)

        penstock("replay", name, "--from", "1h", "--to", "9", "--yes")
        publish(penstock, "new")
        counts = outputs(penstock, 621)
        assert counts["NEW"] == 1
        assert Counter(counts.values()) == {1: 1, 2: 280, 3: 20}

        nothing = penstock("replay", name, "--from", "latest", "--dry-run").stdout
        assert " 0         0" in nothing
