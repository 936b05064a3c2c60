"""A gateway on Kafka that is served by itself, and what commands say of the kind."""

import json
from pathlib import Path

import pytest

from tests.command_line import Penstock
from tests.kafka_run.server import SERVERS_PREFIX, Server

EXAMPLE = Path(__file__).parents[2] / "examples" / "time-averager" / "kafka.yaml"


def test_it_is_published_to_and_subscribed_to_by_its_address(
    penstock: Penstock, server: Server, words: str
) -> None:
    status, answer = server.provision(words, {"contentType": "text/plain", "partitions": 2})
    topic = f"{SERVERS_PREFIX}default_{words}"
    assert (status, json.loads(answer)) == (201, {"topic": topic, "gateway": server.address})
    options = ("--gateway", server.address, "--topic", topic)
    text = ("--content-type", "text/plain")
    penstock("publish", *options, *text, "--key", "k", "--lines", stdin="one\ntwo\n")
    done = penstock("subscribe", *options, "--from-beginning", "--count", "2")
    assert [json.loads(line)["payload"] for line in done.stdout.splitlines()] == ["one", "two"]
    json_one = ("--content-type", "application/json", "--payload", "1")
    said = penstock("publish", *options, *json_one, code=1)
    assert said.stderr == "Error: expected text/plain got application/json\n"
    status, answer = server.provision(words, {"contentType": "text/plain", "partitions": 1})
    (drift,) = json.loads(answer)["drift"]
    assert (status, drift) == (
        200,
        f"partitions: 1 declared, topic {topic} has 2: Kafka takes no partitions away",
    )


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ((), "spec.bootstrapServers: is missing, and required: brokers to begin with"),
        (("bootstrapServers=kafka:nine",), '"kafka:nine" has no port from 1 to 65535'),
        (("bootstrapServers=kafka", "partitions=0"), "spec.partitions: expected at least 1, got 0"),
        (("bootstrapServers=kafka", "partitons=3"), 'did you mean "partitions"?'),
        (("bootstrapServers=kafka", "auth.type=tls"), "spec.auth.certificate: is missing"),
        (
            ("bootstrapServers=kafka", "auth.type=plain", "auth.passwordSecret=said-aloud"),
            "spec.auth.passwordSecret: a secret value does not belong in a manifest",
        ),
    ],
)
def test_a_spec_that_cannot_be_is_wrong_use(
    penstock: Penstock, settings: tuple[str, ...], said: str
) -> None:
    flags = [flag for one in settings for flag in ("--set", one)]
    printed = penstock.fails("gateway", "serve", "kafka", "--port", "0", *flags)
    assert said in printed
    assert "said-aloud" not in printed


def test_the_kind_is_listed_with_what_it_promises(penstock: Penstock) -> None:
    (kafka,) = [
        one
        for one in json.loads(penstock("plugin", "list", "--output", "json").stdout)
        if one["name"] == "kafka"
    ]
    assert (kafka["kind"], kafka["distribution"]) == ("KafkaGateway", "penstock-kafka")
    assert {"durable", "ordered", "partitions", "seek"} <= set(kafka["capabilities"])


def test_lint_needs_no_broker(penstock: Penstock) -> None:
    done = penstock("lint", str(EXAMPLE))
    assert done.stderr == "1 gateway, 2 streams, 1 processor: 0 errors, 0 warnings\n"
