"""Gateways of two kinds in one run."""

from pathlib import Path

from tests.command_line import Penstock
from tests.kafka_run.manifests import kafka_gateway, memory, stream, upper, write
from tests.kafka_run.payloads import payloads
from tests.servers.kafka import KafkaServer


def test_a_processor_reads_from_one_kind_and_writes_to_the_other(
    penstock: Penstock, kafka: KafkaServer, prefix: str, tmp_path: Path
) -> None:
    manifest = write(
        tmp_path / "app",
        memory(),
        kafka_gateway("franz", kafka.bootstrap_servers, topicPrefix=prefix),
        stream("stored-words", "franz"),
        stream("fleeting-shouts", "memory"),
        upper("to-memory", "stored-words", "fleeting-shouts"),
        stream("fleeting-words", "memory"),
        stream("stored-shouts", "franz"),
        upper("to-kafka", "fleeting-words", "stored-shouts"),
    )
    with penstock.run(manifest):
        penstock("publish", "stored-words", "--lines", stdin="one\ntwo\n")
        assert payloads(penstock, "fleeting-shouts", 2) == ["ONE", "TWO"]
        penstock("publish", "fleeting-words", "--lines", stdin="three\nfour\n")
        assert payloads(penstock, "stored-shouts", 2) == ["THREE", "FOUR"]
    with penstock.run(manifest):
        penstock("publish", "stored-words", "--lines", stdin="five\n")
        # What was in memory is gone; what was read from Kafka is read no second time.
        assert payloads(penstock, "fleeting-shouts", 1) == ["FIVE"]
        assert payloads(penstock, "stored-shouts", 2) == ["THREE", "FOUR"]
