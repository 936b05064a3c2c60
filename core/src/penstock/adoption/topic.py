"""Topics of Kafka as streams."""

from collections.abc import Mapping
from typing import Any

from penstock.adoption.entry import Entry, resource
from penstock.adoption.fields import Fields
from penstock.duration import format_duration
from penstock.name import check_name
from penstock.resources.models import DEFAULT_NAMESPACE

_REPLICATION_FACTOR = "replication.factor"


def stream_of(topic: str, namespace: str) -> str | None:
    """The stream of a namespace whose topic this is, where there is one."""
    prefix = f"{namespace}_"
    if not topic.startswith(prefix):
        return None
    try:
        return check_name(topic.removeprefix(prefix))
    except ValueError:
        return None


def stream_of_topic(
    topic: str,
    namespace: str,
    spec: Mapping[str, Any],
    labels: Mapping[str, str] | None = None,
    name: str = "",
) -> Entry:
    """A Stream in the place of a topic; a comment tells where it is another topic.

    Args:
        topic: The topic's name.
        namespace: Of the stream; empty: none is given.
        spec: Of the stream.
        labels: Of the stream.
        name: What the stream is called where the topic does not say; by default like the topic.
    """
    home = namespace or DEFAULT_NAMESPACE
    same = stream_of(topic, home)
    entry = resource("Stream", same or name or topic, namespace, spec, labels)
    if same is None:
        own = f"{home}_{entry.document['metadata']['name']}"
        text = (
            f'the topic was "{topic}", and that of this stream is "{own}", a new one: the records '
            "of the old one, and whoever writes to it, stay there"
        )
        entry.comment(("metadata", "name"), text)
    return entry


def stream_settings(spec: Fields) -> dict[str, Any]:
    """What the spec of a KafkaTopic says, as that of a Stream does."""
    result: dict[str, Any] = {}
    if (partitions := spec.number("partitions")) is not None:
        result["partitions"] = partitions
    config = spec.fields("config").all_scalars()
    retention: dict[str, Any] = {}
    if (milliseconds := _positive(config.get("retention.ms"))) is not None:
        retention["time"] = format_duration(milliseconds / 1000)
        del config["retention.ms"]
    if (size := _positive(config.get("retention.bytes"))) is not None:
        retention["bytes"] = size
        del config["retention.bytes"]
    if retention:
        result["retention"] = retention
    if (replicas := spec.number("replicas")) is not None:
        config = {_REPLICATION_FACTOR: str(replicas), **config}
    if config:
        result["config"] = config
    return result


def _positive(text: str | None) -> int | None:
    """A whole number above 0; anything else, as -1 for no end, stays a setting of Kafka."""
    return int(text) if text is not None and text.isdecimal() and int(text) > 0 else None
