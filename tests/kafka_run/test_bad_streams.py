"""Streams, messages and groups that Kafka cannot have: each refused with its field, and alone."""

from pathlib import Path
from typing import Any

import pytest

from penstock.plugin import Edge, Group, Message, PermanentError
from penstock.wire.remote import RemotePubSub
from tests.command_line import Penstock
from tests.kafka_run.manifests import Resource, kafka_gateway, resource, stream, write
from tests.kafka_run.payloads import payloads
from tests.kafka_run.server import Server
from tests.servers.kafka import KafkaServer


@pytest.fixture
def gateway() -> dict[str, Any]:
    """More of the gateway's spec."""
    return {}


@pytest.fixture
def franz(kafka: KafkaServer, prefix: str, gateway: dict[str, Any]) -> Resource:
    """A gateway on the shared broker, with a prefix of the test's."""
    return kafka_gateway("franz", kafka.bootstrap_servers, topicPrefix=prefix, **gateway)


@pytest.mark.parametrize(
    ("gateway", "fields", "said"),
    [
        ({"bootstrapServers": ""}, {}, "spec.bootstrapServers: is empty, and required"),
        ({"bootstrapServers": "kafka:nine"}, {}, 'spec.bootstrapServers: "kafka:nine" has no port'),
        ({"bootstrapServers": "ssl://kafka"}, {}, "begins with a protocol"),
        ({"partitions": 0}, {}, "spec.partitions: expected at least 1, got 0"),
        ({"replicationFactor": 0}, {}, "spec.replicationFactor: expected at least 1, got 0"),
        ({"topicPrefix": "europe"}, {}, 'spec.topicPrefix: "europe" is no prefix: expected'),
        ({"topicPrefix": 121 * "."}, {}, "spec.topicPrefix: expected at most 120 characters"),
        ({"bootstrapServer": "kafka"}, {}, 'no such field; did you mean "bootstrapServers"?'),
        ({"auth": {"type": "kerberos"}}, {}, 'spec.auth.type: "kerberos" is not allowed'),
        (
            {"auth": {"type": "plain", "username": "a", "passwordSecret": "said-aloud"}},
            {},
            "spec.auth.passwordSecret: a secret value does not belong in a manifest",
        ),
        ({}, {"partitions": 0}, "spec.partitions: expected at least 1, got 0"),
        ({}, {"config": {"retention.ms": 5}}, 'spec.config["retention.ms"]: expected a text'),
    ],
)
def test_what_no_broker_needs_to_say_is_said_by_lint_and_before_a_run(
    penstock: Penstock, tmp_path: Path, gateway: dict[str, Any], fields: dict[str, Any], said: str
) -> None:
    known = {"bootstrapServers": "localhost:9092"} if "bootstrapServer" not in gateway else {}
    bad = resource("KafkaGateway", "bad", {**known, **gateway})
    manifest = write(tmp_path / "app", bad, stream("words", "bad", **fields))
    found = penstock("lint", str(manifest), code=2)
    assert said in found.stdout
    assert f"{manifest}:" in found.stdout
    assert "said-aloud" not in found.stdout
    assert said in penstock.fails("run", str(manifest))
    assert not penstock.state.exists()


@pytest.mark.parametrize(
    ("gateway", "fields", "said"),
    [
        (
            {},
            {"config": {"retention.msec": "5"}},
            "config.retention.msec: Kafka has no setting retention.msec of topics; did you mean",
        ),
        ({}, {"config": {"cleanup.policy": "shrink"}}, "config.cleanup.policy: "),
        ({}, {"config": {"replication.factor": "3"}}, "config.replication.factor: "),
        ({"replicationFactor": 3}, {}, "replicationFactor of the gateway: "),
        ({}, {"retention": {"messages": 9}}, "retention.messages: Kafka cannot count messages"),
    ],
)
def test_what_the_broker_refuses_ends_a_run_with_the_field(
    franz: Resource,
    penstock: Penstock,
    tmp_path: Path,
    fields: dict[str, Any],
    said: str,
) -> None:
    manifest = write(tmp_path / "app", franz, stream("words", "franz", **fields))
    line = manifest.read_text().splitlines().index('  "kind": "Stream",') - 1
    done = penstock("run", str(manifest), code=2)
    assert done.stderr.startswith(f'Error: {manifest}:{line}: Stream "words": {said}')
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"config": {"retention.msec": "5"}}, "config.retention.msec: Kafka has no setting"),
        ({"config": {"replication.factor": "3"}}, "config.replication.factor: "),
        ({"partitions": 0}, "partitions: "),
    ],
)
def test_a_server_answers_with_the_field_and_goes_on(
    server: Server, words: str, body: dict[str, Any], said: str
) -> None:
    status, text = server.provision(words, body)
    assert (status, text[: len(said)]) == (400, said)
    assert server.provision(words)[0] == 201


@pytest.mark.parametrize("topic", [250 * "a", "a/b", "größe", "__consumer_offsets"])
def test_a_topic_that_cannot_be_is_refused_and_why(
    penstock: Penstock, server: Server, topic: str
) -> None:
    to = ("--gateway", server.address, "--topic", topic)
    text = ("--content-type", "text/plain")
    for command in (("publish", *to, *text, "--payload", "one"), ("subscribe", *to)):
        said = penstock(*command, code=1).stderr
        assert said.startswith("Error: ")
        assert topic[:40] in said
        assert "249" in said or "Kafka's own" in said


def test_only_the_message_above_the_limit_is_refused_by_its_line(
    penstock: Penstock, franz: Resource, tmp_path: Path
) -> None:
    words_of_2000 = stream("words", "franz", config={"max.message.bytes": "2000"})
    manifest = write(tmp_path / "app", franz, words_of_2000)
    words = ["one", "two", 3000 * "x", "four", 5000 * "y"]
    with penstock.run(manifest):
        said = penstock("publish", "words", "--lines", stdin="\n".join(words), code=1).stderr
        third, fifth, summary = said.splitlines()
        for line, number in ((third, 3), (fifth, 5)):
            assert line.startswith(f"line {number}: a message of ")
            assert "max.message.bytes" in line
        assert summary == 'published 3 messages to stream "words"; 2 refused'
        assert payloads(penstock, "words", 3) == ["one", "two", "four"]
        said = penstock("publish", "words", "--payload", words[2], code=1).stderr
        assert "max.message.bytes" in said


@pytest.mark.parametrize("name", ["größe/ö ✓", "a b", "-", "%00", "line\nbreak", 300 * "x"])
async def test_a_group_may_have_any_name_that_kafka_takes(
    server: Server, words: str, name: str
) -> None:
    async with RemotePubSub(server.address) as gateway:
        await gateway.publish(words, [Message(b"one"), Message(b"two")])
        async with await gateway.subscribe(words, Group(name), Edge.EARLIEST) as subscription:
            await subscription.next_event()
            assert [record.offset for record in await subscription.read(0, 2)] == [0, 1]
            await subscription.ack({0: 0})
        assert await gateway.positions(words, name) == {0: {0: 0}}


@pytest.mark.parametrize("name", ["", 40_000 * "x", 20_000 * "é"])
async def test_a_group_name_that_cannot_be_is_refused_and_others_go_on(
    server: Server, words: str, name: str
) -> None:
    async with RemotePubSub(server.address) as gateway:
        with pytest.raises(PermanentError, match="group") as refusal:
            await gateway.subscribe(words, Group(name), Edge.EARLIEST)
        assert len(str(refusal.value)) < 300
        with pytest.raises(PermanentError, match="group"):
            await gateway.ack(words, Group(name), {0: 0})
        async with await gateway.subscribe(words, Group("fine"), Edge.EARLIEST) as subscription:
            await subscription.next_event()
