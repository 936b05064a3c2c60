"""Which field a broker's refusal is about; the refusals of real brokers are in test_refused."""

import pytest
from aiokafka.errors import (
    InvalidConfigurationError,
    InvalidPartitionsError,
    InvalidReplicationFactorError,
    KafkaError,
    NodeNotReadyError,
    PolicyViolationError,
    TopicAuthorizationFailedError,
)

from penstock.plugin import PermanentError, Retention, StreamSettings, TemporaryError
from penstock_kafka import KafkaGatewaySpec
from penstock_kafka.topics.declaration import Declaration, streams_declaration
from penstock_kafka.topics.refusal import refusal

KNOWN = ["retention.ms", "delete.retention.ms", "segment.ms"]


def declared(**config: str) -> Declaration:
    stream = StreamSettings(
        "n",
        "s",
        partitions=2,
        retention=Retention(seconds=1),
        config={name.replace("_", "."): value for name, value in config.items()},
    )
    return streams_declaration(stream, KafkaGatewaySpec(bootstrap_servers="localhost:9092"))


@pytest.mark.parametrize(
    ("error", "field"),
    [
        (InvalidPartitionsError("too many"), "partitions: "),
        (InvalidReplicationFactorError("larger"), "replicationFactor of the gateway: "),
        (InvalidConfigurationError("1000 for retention.ms"), "retention.seconds: "),
        (InvalidConfigurationError("5 for delete.retention.ms"), "config.delete.retention.ms: "),
        (PolicyViolationError("at most 5 partitions"), "partitions: "),
        (PolicyViolationError("Replicas: 3"), "replicationFactor of the gateway: "),
        (PolicyViolationError("retention.ms is too long"), "retention.seconds: "),
        (PolicyViolationError("not on Fridays"), ""),
    ],
)
def test_the_field_is_named(error: KafkaError, field: str) -> None:
    told = refusal(error, "making topic n_s", declared(delete_retention_ms="5"), KNOWN)
    assert isinstance(told, PermanentError)
    assert str(told).startswith(f"{field}making topic n_s")
    assert str(error.args[0]) in str(told)


def test_a_setting_that_there_is_not_is_named_with_the_nearest() -> None:
    error = InvalidConfigurationError("Unknown topic config name: retentin.ms")
    told = refusal(error, "making topic n_s", declared(retentin_ms="5"), KNOWN)
    assert str(told) == (
        "config.retentin.ms: Kafka has no setting retentin.ms of topics; did you mean retention.ms?"
    )
    told = refusal(error, "making topic n_s", declared(retentin_ms="5"), known=())
    assert str(told).startswith("config.retentin.ms: making topic n_s"), "by the broker's words"


@pytest.mark.parametrize(
    "error", [NodeNotReadyError(), TopicAuthorizationFailedError("partitions")]
)
def test_what_is_not_the_declarations_fault_names_no_field(error: KafkaError) -> None:
    told = refusal(error, "making topic n_s", declared(), KNOWN)
    assert isinstance(told, TemporaryError)
    assert str(told).startswith("making topic n_s: ")
