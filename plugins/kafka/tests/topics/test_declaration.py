import pytest

from penstock.plugin import DeletionPolicy, PermanentError, Retention, StreamSettings
from penstock_kafka import KafkaGatewaySpec
from penstock_kafka.topic_fields import REPLICATION_FACTOR
from penstock_kafka.topics.declaration import (
    BROKERS_DEFAULT,
    PARTITIONS,
    gateways_declaration,
    streams_declaration,
)

PLAIN = KafkaGatewaySpec(bootstrap_servers="localhost:9092")
DEFAULTS = KafkaGatewaySpec(
    bootstrap_servers="localhost:9092",
    topic_prefix="eu.",
    partitions=3,
    replication_factor=2,
    config={"retention.ms": "1000", "segment.ms": "500"},
)


def test_what_nobody_says_is_left_to_the_broker() -> None:
    declared = streams_declaration(StreamSettings("space", "stream"), PLAIN)
    assert declared.topic == "space_stream"
    assert (declared.namespace, declared.stream) == ("space", "stream")
    assert declared.new_partitions == declared.new_replication_factor == BROKERS_DEFAULT
    assert (declared.partitions, declared.replication_factor) == (None, None)
    assert declared.settings == {}
    assert declared.deletion_policy is DeletionPolicy.RETAIN


def test_the_gateway_says_what_the_stream_leaves_open() -> None:
    declared = streams_declaration(StreamSettings("space", "stream"), DEFAULTS)
    assert declared.topic == "eu.space_stream"
    assert (declared.new_partitions, declared.new_replication_factor) == (3, 2)
    assert (declared.partitions, declared.replication_factor) == (None, None), "it did not say"
    assert declared.settings == {"retention.ms": "1000", "segment.ms": "500"}
    assert declared.fields["segment.ms"] == "config.segment.ms of the gateway"
    assert declared.fields[PARTITIONS] == "partitions of the gateway"
    assert declared.fields[REPLICATION_FACTOR] == "replicationFactor of the gateway"


def test_what_the_stream_says_wins() -> None:
    stream = StreamSettings(
        "space",
        "stream",
        partitions=6,
        retention=Retention(seconds=1.5, bytes=4096),
        config={"segment.ms": "9", "replication.factor": "1", "cleanup.policy": "compact"},
        deletion_policy=DeletionPolicy.DELETE,
    )
    declared = streams_declaration(stream, DEFAULTS)
    assert declared.partitions == declared.new_partitions == 6
    assert declared.replication_factor == declared.new_replication_factor == 1
    assert declared.settings == {
        "retention.ms": "1500",
        "retention.bytes": "4096",
        "segment.ms": "9",
        "cleanup.policy": "compact",
    }
    assert declared.fields == {
        PARTITIONS: "partitions",
        REPLICATION_FACTOR: "config.replication.factor",
        "retention.ms": "retention.seconds",
        "retention.bytes": "retention.bytes",
        "segment.ms": "config.segment.ms",
        "cleanup.policy": "config.cleanup.policy",
    }
    assert declared.deletion_policy is DeletionPolicy.DELETE


def test_a_retention_below_a_millisecond_is_not_none() -> None:
    stream = StreamSettings("space", "stream", retention=Retention(seconds=0.0001))
    assert streams_declaration(stream, PLAIN).settings == {"retention.ms": "1"}


def test_a_topic_without_a_stream_gets_what_the_gateway_says() -> None:
    declared = gateways_declaration("anything", DEFAULTS)
    assert declared.topic == "anything"
    assert (declared.namespace, declared.stream) == ("", "")
    assert (declared.new_partitions, declared.new_replication_factor) == (3, 2)
    assert declared.settings == DEFAULTS.config


@pytest.mark.parametrize(
    ("stream", "message"),
    [
        (StreamSettings("n", "s", partitions=0), "partitions: expected at least 1, got 0"),
        (StreamSettings("n", "s", partitions=-1), "partitions: expected at least 1, got -1"),
        (
            StreamSettings("n", "s", retention=Retention(seconds=0)),
            "retention.seconds: expected more than 0 and at most 9223372036854775, got 0",
        ),
        (
            StreamSettings("n", "s", retention=Retention(seconds=float("inf"))),
            "retention.seconds: expected more than 0 and at most 9223372036854775, got inf",
        ),
        (
            StreamSettings("n", "s", retention=Retention(bytes=-1)),
            "retention.bytes: expected more than 0 and at most 9223372036854775807, got -1",
        ),
        (
            StreamSettings("n", "s", retention=Retention(seconds=1e306)),
            "retention.seconds: expected more than 0",
        ),
        (
            StreamSettings("n", "s", retention=Retention(bytes=2**63)),
            "retention.bytes: expected more than 0",
        ),
        (
            StreamSettings("n", "s", config={"replication.factor": "9" * 5000}),
            "config.replication.factor: expected a whole number",
        ),
        (
            StreamSettings("n", "s", retention=Retention(messages=5)),
            "retention.messages: Kafka cannot count messages",
        ),
        (
            StreamSettings("n", "s", config={"replication.factor": "x"}),
            "config.replication.factor: expected a whole number from 1 to 32767, got 'x'",
        ),
        (
            StreamSettings("n", "s", config={"replication.factor": "0"}),
            "config.replication.factor: expected a whole number from 1 to 32767, got '0'",
        ),
        (
            StreamSettings("n", "s", config={"replication.factor": "32768"}),
            "config.replication.factor: expected a whole number from 1 to 32767, got '32768'",
        ),
        (
            StreamSettings(
                "n", "s", retention=Retention(seconds=5), config={"retention.ms": "5000"}
            ),
            "retention.seconds: config.retention.ms says the same, keep one",
        ),
        (StreamSettings("n", "s" * 250), "name: topic 'n_s"),
        (StreamSettings("n", "s/s"), "topic 'n_s/s': expected"),
    ],
)
def test_what_no_topic_can_be_is_refused_by_its_field(stream: StreamSettings, message: str) -> None:
    with pytest.raises(PermanentError) as refused:
        streams_declaration(stream, PLAIN)
    assert str(refused.value).startswith(message)
