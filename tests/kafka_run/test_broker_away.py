"""A broker that is not there when a run starts, or goes while it is under way."""

import re
from pathlib import Path

from tests.command_line import Penstock
from tests.kafka_run.manifests import kafka_gateway, memory, stream, upper, write
from tests.kafka_run.payloads import payloads
from tests.servers.fixtures import OwnKafka

AWAY = r'\| KafkaGateway "franz" is not ready: cannot connect to Kafka: (127.0.0.1:\d+): nothing '
AWAY += r"listens there; trying again$"


def test_a_run_says_so_in_one_line_waits_and_works_once_the_broker_is_there(
    penstock: Penstock, own_kafka: OwnKafka, tmp_path: Path
) -> None:
    broker = own_kafka()
    broker.stop()
    manifest = write(
        tmp_path / "app",
        kafka_gateway("franz", broker.bootstrap_servers),
        stream("words", "franz"),
        stream("shouts", "franz"),
        upper("loud", "words", "shouts"),
        memory(),
        stream("memory-words", "memory"),
        stream("memory-shouts", "memory"),
        upper("memory-loud", "memory-words", "memory-shouts"),
    )
    with penstock.start("run", str(manifest)) as session:
        assert session.shows(AWAY) == [broker.bootstrap_servers]
        session.shows('sidecar of "memory-loud" is ready')
        penstock("publish", "memory-words", "--payload", "meanwhile")
        assert payloads(penstock, "memory-shouts", 1) == ["MEANWHILE"]
        said = penstock("publish", "words", "--payload", "one", code=1).stderr
        assert 'is not ready, and has no stream "words" as yet' in said
        broker.start()
        session.shows('KafkaGateway "franz" is ready')
        session.shows("ready in ")
        penstock("publish", "words", "--payload", "one")
        assert payloads(penstock, "shouts", 1) == ["ONE"]
        assert session.interrupt() == 0
    complaints = [line for line in session.lines if re.search("not ready|aiokafka|WARN|ERR", line)]
    assert len(complaints) == 1, complaints


def test_what_is_published_in_an_outage_comes_through_and_only_penstock_speaks_of_it(
    penstock: Penstock, own_kafka: OwnKafka, tmp_path: Path
) -> None:
    broker = own_kafka()
    manifest = write(
        tmp_path / "app",
        kafka_gateway("franz", broker.bootstrap_servers),
        stream("words", "franz"),
        stream("shouts", "franz"),
        upper("loud", "words", "shouts"),
    )
    with penstock.run(manifest) as session:
        penstock("publish", "words", "--payload", "one")
        assert payloads(penstock, "shouts", 1) == ["ONE"]
        broker.kill()
        session.shows(AWAY)
        with penstock.start("publish", "words", "--payload", "two") as publishing:
            broker.start()
            session.shows('KafkaGateway "franz" is ready')
            assert publishing.ends() == 0
        assert payloads(penstock, "shouts", 2) == ["ONE", "TWO"]
        assert session.interrupt() == 0
    ours = re.compile(r"(penstock|loud( \(sidecar\))?) +\| ")
    assert not [line for line in session.lines if not ours.match(line)]
    assert not [line for line in session.lines if "aiokafka" in line or "Traceback" in line]
