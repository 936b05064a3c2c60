"""What is declared for a topic: by its stream, and by the gateway for what the stream leaves open.

Pure: nothing here asks a broker.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from penstock.plugin import DeletionPolicy, PermanentError, Retention, StreamSettings
from penstock_kafka.spec import KafkaGatewaySpec
from penstock_kafka.topic_fields import LARGEST_REPLICATION_FACTOR, REPLICATION_FACTOR
from penstock_kafka.topics.names import check_length, check_topic, topic_of

BROKERS_DEFAULT = -1
"""In place of a number when a topic is made: the broker decides."""

PARTITIONS = "partitions"

_LARGEST = 2**63 - 1  # Kafka's settings are signed

_GATEWAYS = "{} of the gateway"


@dataclass(frozen=True, slots=True)
class Declaration:
    """What is declared for one topic.

    Attributes:
        topic: Its name.
        namespace, stream: Whose topic it is; empty for one that somebody publishes or subscribes
            to without a stream.
        partitions, replication_factor: What the stream itself says; ``None`` where it does not.
        settings: Kafka's settings of topics by their names.
        new_partitions, new_replication_factor: For a topic that is made.
        deletion_policy: The stream's.
        fields: Where a person finds each setting, the partitions and the replication factor.
    """

    topic: str
    settings: Mapping[str, str]
    new_partitions: int
    new_replication_factor: int
    fields: Mapping[str, str]
    namespace: str = ""
    stream: str = ""
    partitions: int | None = None
    replication_factor: int | None = None
    deletion_policy: DeletionPolicy = DeletionPolicy.RETAIN


def gateways_declaration(topic: str, spec: KafkaGatewaySpec) -> Declaration:
    """What a gateway declares for a topic that has no stream."""
    fields = {name: _GATEWAYS.format(f"config.{name}") for name in spec.config}
    return Declaration(
        topic=topic,
        settings=spec.config,
        new_partitions=spec.partitions or BROKERS_DEFAULT,
        new_replication_factor=spec.replication_factor or BROKERS_DEFAULT,
        fields=fields
        | {
            PARTITIONS: _GATEWAYS.format(PARTITIONS),
            REPLICATION_FACTOR: _GATEWAYS.format("replicationFactor"),
        },
    )


def streams_declaration(stream: StreamSettings, spec: KafkaGatewaySpec) -> Declaration:
    """What a stream declares, and its gateway for the rest.

    Raises:
        PermanentError: No topic can be so; the text begins with the field.
    """
    topic = topic_of(stream, spec.topic_prefix)
    check_length(topic, spec.topic_prefix)
    check_topic(topic)
    if stream.partitions is not None and stream.partitions < 1:
        raise PermanentError(f"partitions: expected at least 1, got {stream.partitions}")
    settings, fields = _settings(stream)
    factor = _replication_factor(settings.pop(REPLICATION_FACTOR, None))
    gateways = gateways_declaration(topic, spec)
    if stream.partitions is not None:
        fields[PARTITIONS] = PARTITIONS
    return replace(
        gateways,
        namespace=stream.namespace,
        stream=stream.name,
        settings={**gateways.settings, **settings},
        fields={**gateways.fields, **fields},
        partitions=stream.partitions,
        new_partitions=stream.partitions or gateways.new_partitions,
        replication_factor=factor,
        new_replication_factor=factor or gateways.new_replication_factor,
        deletion_policy=stream.deletion_policy,
    )


def _settings(stream: StreamSettings) -> tuple[dict[str, str], dict[str, str]]:
    """The stream's settings, its retention among them, and the field of each."""
    settings = dict(stream.config)
    fields = {name: f"config.{name}" for name in settings}
    for name, (value, field) in _retention(stream.retention).items():
        if name in settings:
            raise PermanentError(f"{field}: config.{name} says the same, keep one of the two")
        settings[name] = value
        fields[name] = field
    return settings, fields


def _retention(retention: Retention) -> dict[str, tuple[str, str]]:
    """Kafka's settings for the bounds, each with its field."""
    _check_bound(retention.seconds, "seconds", _LARGEST // 1000)
    _check_bound(retention.bytes, "bytes", _LARGEST)
    if retention.messages is not None:
        raise PermanentError(
            "retention.messages: Kafka cannot count messages, bound the stream by time or bytes"
        )
    settings = {}
    if retention.seconds is not None:
        milliseconds = max(1, round(retention.seconds * 1000))
        settings["retention.ms"] = str(milliseconds), "retention.seconds"
    if retention.bytes is not None:
        settings["retention.bytes"] = str(retention.bytes), "retention.bytes"
    return settings


def _check_bound(bound: float | None, field: str, largest: int) -> None:
    if bound is not None and not 0 < bound <= largest:
        raise PermanentError(
            f"retention.{field}: expected more than 0 and at most {largest}, got {bound}"
        )


def _replication_factor(text: str | None) -> int | None:
    if text is None:
        return None
    factor = int(text) if text.isdecimal() and len(text) < 10 else 0
    if not 1 <= factor <= LARGEST_REPLICATION_FACTOR:
        raise PermanentError(
            f"config.{REPLICATION_FACTOR}: expected a whole number from 1 to "
            f"{LARGEST_REPLICATION_FACTOR}, got {text[:20]!r}"
        )
    return factor
