"""What a stream may ask for here, and what it gets."""

import re

from penstock.plugin import PermanentError, Retention, StreamSettings
from penstock_inmemory.spec import MAX_PARTITIONS, RetentionDefaults

# Kafka's rule, so that what works in memory works on Kafka.
_POSSIBLE_TOPIC = re.compile(r"(?!\.{1,2}$)[a-zA-Z0-9._-]{1,249}")


def topic_of(stream: StreamSettings) -> str:
    """The topic of a stream; no two streams share one, for neither name has an underscore."""
    return f"{stream.namespace}_{stream.name}"


def check_topic(name: str) -> None:
    """Refuse a name that no topic can have.

    Raises:
        PermanentError: It is such a name.
    """
    if not _POSSIBLE_TOPIC.fullmatch(name):
        raise PermanentError(
            f"topic {name!r}: expected 1 to 249 letters, digits, dots, underscores or hyphens"
        )


def check_stream(stream: StreamSettings) -> None:
    """Refuse settings that no stream can have here.

    Raises:
        PermanentError: One of them is such; the text begins with its field.
    """
    if stream.partitions is not None and not 1 <= stream.partitions <= MAX_PARTITIONS:
        raise PermanentError(f"partitions: expected 1 to {MAX_PARTITIONS}, got {stream.partitions}")
    for field in ("seconds", "bytes", "messages"):
        bound = getattr(stream.retention, field)
        if bound is not None and not bound > 0:
            raise PermanentError(f"retention.{field}: expected more than 0, got {bound}")
    if stream.config:
        raise PermanentError(
            f"config: an InMemoryGateway has no settings, got {', '.join(sorted(stream.config))}; "
            "remove them"
        )


def drift_of(stream: StreamSettings, partitions: int) -> tuple[str, ...]:
    """What people are told of a stream whose topic has so many partitions."""
    if stream.partitions is None or stream.partitions == partitions:
        return ()
    return (f"partitions: {partitions} are there, {stream.partitions} wanted; none is taken away",)


def bounds(wanted: Retention, default: RetentionDefaults) -> Retention:
    """The bounds of a stream: those that it sets, and for the others the gateway's."""
    return Retention(
        seconds=wanted.seconds or default.time,
        bytes=wanted.bytes or default.bytes,
        messages=wanted.messages or default.messages,
    )
