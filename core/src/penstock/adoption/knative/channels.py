"""Channels and brokers as streams, and the gateways that carry them."""

from collections.abc import Iterator
from typing import Any

from penstock.adoption.entry import PLACEHOLDER, Entry, as_name, resource
from penstock.adoption.fields import Fields
from penstock.adoption.foreign import Foreign
from penstock.adoption.knative.delivery import iso_seconds
from penstock.adoption.origin import Surroundings
from penstock.duration import format_duration

OWN_LABELS = ("eventing.knative.dev/", "messaging.knative.dev/", "serving.knative.dev/")
CHANNELS = ("Channel", "InMemoryChannel", "KafkaChannel")
_BROKER_CLASS = "eventing.knative.dev/broker.class"
_CONFIGURATIONS = ("kafka-channel-config", "config-kafka", "kafka-broker-config")
_ADDRESSES = ("bootstrap.servers", "bootstrapServers")
_KAFKA, _MEMORY = OF_CHANNELS = ("kafka", "in-memory")
"""The names of the gateways that carry channels and brokers."""


def stream_name(kind: str, name: str) -> str:
    """The name of the stream in the place of a channel or a broker."""
    return as_name(f"{name}-broker" if kind == "Broker" else name)


def carrier(kind: str, name: str, home: str, surroundings: Surroundings) -> str:
    """The gateway of the stream in the place of a channel or a broker."""
    found = surroundings.find(kind, name, home)
    if found and kind == "Broker":
        return _KAFKA if found.annotation(_BROKER_CLASS).startswith("Kafka") else _MEMORY
    if found and kind == "Channel":
        kind = found.spec.fields("channelTemplate").text("kind")
    return _KAFKA if kind == "KafkaChannel" else _MEMORY


def missing(kind: str, name: str, found: Foreign, surroundings: Surroundings) -> Iterator[Entry]:
    """The stream in the place of a channel or a broker that is in no file.

    Args:
        kind: What it is.
        name: Its name.
        found: What refers to it.
        surroundings: What stands beside that.
    """
    stream = stream_name(kind, name)
    there = surroundings.find(kind, name, found.home)
    if there or not surroundings.makes("Stream", stream, found.home):
        return
    gateway = carrier(kind, name, found.home, surroundings)
    yield from _gateway(found, surroundings, is_kafka=gateway == _KAFKA)
    message = f'{kind} "{name}" is in no file: its stream is carried by the gateway "{gateway}"'
    surroundings.warn(found, message)
    entry = resource("Stream", stream, found.namespace, {"gateway": {"name": gateway}})
    entry.heading.append(message)
    yield entry


def channel(found: Foreign, surroundings: Surroundings) -> Iterator[Entry]:
    """A Channel, InMemoryChannel or KafkaChannel."""
    kind, settings = found.kind, found.spec
    if kind == "Channel":
        template = found.spec.fields("channelTemplate")
        kind, settings = template.text("kind", "InMemoryChannel"), template.fields("spec")
        template.text("apiVersion")
    is_kafka = kind == "KafkaChannel"
    yield from _gateway(found, surroundings, is_kafka=is_kafka)
    spec = {"gateway": {"name": _KAFKA if is_kafka else _MEMORY}, **_settings(settings)}
    name = stream_name(found.kind, found.name)
    entry = resource("Stream", name, found.namespace, spec, found.labels(*OWN_LABELS))
    _tell_of_delivery(found, entry)
    if kind not in CHANNELS:
        message = f"a {kind} has no equal: the stream is carried in memory"
        surroundings.warn(found, message)
        entry.comment(("spec", "gateway", "name"), message)
    yield found.explain(entry)


def broker(found: Foreign, surroundings: Surroundings) -> Iterator[Entry]:
    """A Broker."""
    is_kafka = found.annotation(_BROKER_CLASS).startswith("Kafka")
    reference = found.spec.fields("config")
    reference.pass_over("apiVersion", "kind", "namespace")
    config = reference.text("name")
    yield from _gateway(found, surroundings, is_kafka=is_kafka, config=config)
    spec: dict[str, Any] = {"gateway": {"name": _KAFKA if is_kafka else _MEMORY}}
    name = stream_name("Broker", found.name)
    entry = resource("Stream", name, found.namespace, spec, found.labels(*OWN_LABELS))
    if is_kafka and (data := _configuration(surroundings, config)):
        partitions = data.scalar("default.topic.partitions")
        if partitions.isdecimal():
            spec["partitions"] = int(partitions)
        if factor := data.scalar("default.topic.replication.factor"):
            spec["config"] = {"replication.factor": factor}
        entry.document["spec"] = spec
    _tell_of_delivery(found, entry)
    if config:
        entry.comment(("spec", "config"), f'its settings were those of the ConfigMap "{config}"')
    yield found.explain(entry)


def _tell_of_delivery(found: Foreign, entry: Entry) -> None:
    if found.spec.peek("delivery"):
        found.spec.pass_over("delivery")
        text = "its delivery is that of the processors which have none of their own"
        entry.comment(("spec", "delivery"), text)


def _settings(fields: Fields) -> dict[str, Any]:
    result: dict[str, Any] = {}
    if (partitions := fields.number("numPartitions")) is not None:
        result["partitions"] = partitions
    if age := iso_seconds(fields, "retentionDuration"):
        result["retention"] = {"time": format_duration(age)}
    if (replicas := fields.number("replicationFactor")) is not None:
        result["config"] = {"replication.factor": str(replicas)}
    return result


def _gateway(
    found: Foreign, surroundings: Surroundings, *, is_kafka: bool, config: str = ""
) -> Iterator[Entry]:
    """The gateway of a namespace, the first time that it is needed there."""
    name = _KAFKA if is_kafka else _MEMORY
    if not surroundings.makes("Gateway", name, found.home):
        return
    if not is_kafka:
        entry = resource("InMemoryGateway", name, found.namespace, {})
        entry.heading.append("for what is kept in memory: a restart of the gateway forgets it")
        yield entry
        return
    data = _configuration(surroundings, config)
    addresses = next((data.scalar(one) for one in _ADDRESSES if one in data), "") if data else ""
    spec = {"bootstrapServers": addresses or f"{PLACEHOLDER}:9092"}
    entry = resource("KafkaGateway", name, found.namespace, spec)
    entry.heading.append("for what is kept in Kafka")
    if not addresses:
        message = (
            "no file says where Kafka is: give the ConfigMap "
            f"{config or _CONFIGURATIONS[0]} as well, or put the address in the place of "
            f"{PLACEHOLDER}"
        )
        surroundings.warn(found, message)
        entry.comment(("spec", "bootstrapServers"), message)
    elif data and (secret := data.scalar("auth.secret.ref.name")):
        message = f'how to log in is said by the Secret "{secret}": fill in spec.auth and spec.tls'
        surroundings.warn(found, message)
        entry.comment(("spec", "auth"), message)
    yield entry


def _configuration(surroundings: Surroundings, config: str) -> Fields | None:
    names = (config, *_CONFIGURATIONS) if config else _CONFIGURATIONS
    for one in surroundings.resources:
        if one.kind == "ConfigMap" and one.name in names:
            return one.fields.fields("data")
    return None
