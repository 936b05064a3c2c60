"""Sources of Kafka: a gateway, the streams of topics, and a processor for who is sent them."""

from collections.abc import Iterator
from typing import Any

from penstock.adoption.entry import PLACEHOLDER, Entry, as_name, resource
from penstock.adoption.fields import Fields
from penstock.adoption.foreign import Foreign
from penstock.adoption.knative.channels import OF_CHANNELS
from penstock.adoption.knative.subscribers import Bindings, Destination, processor
from penstock.adoption.origin import Surroundings
from penstock.adoption.topic import stream_of, stream_of_topic

_LOGIN = ("spec", "auth")


def kafka_source(found: Foreign, surroundings: Surroundings) -> Iterator[Entry]:
    """A KafkaSource."""
    spec = found.spec
    spec.require("bootstrapServers", "the brokers, as [kafka:9092]")
    spec.require("topics", "the topics that are read, as [orders]")
    spec.require("sink", "who is sent what is read")
    addresses, topics = spec.texts("bootstrapServers"), spec.texts("topics")
    if not addresses or not topics:
        return
    name = as_name(addresses[0].partition(":")[0].partition(".")[0])
    if name in OF_CHANNELS:
        name = f"{name}-source"
    yield _gateway(found, surroundings, name, addresses, topics)
    streams = []
    for topic in topics:
        entry = stream_of_topic(topic, found.namespace, {"gateway": {"name": name}})
        entry.heading.append(f"a topic of {found.title}, {found.source}")
        streams.append(entry.document["metadata"]["name"])
        yield entry
    offset = spec.text("initialOffset", "latest")
    if offset not in ("earliest", "latest"):
        message = f'"{offset}" is not allowed: expected earliest or latest'
        spec.report("initialOffset", message)
    sink = Destination.of(spec.fields("sink"), found)
    if sink.stream:
        message = (
            f"passes records on to {sink}: let the processors of that read {', '.join(streams)} "
            "themselves"
        )
        surroundings.warn(found, message)
        remark = found.remark(message)
        remark.heading.extend(f"no equal: {one.text}" for one in found.fields.rest())
        yield remark
        return
    bindings = Bindings(name, [{"stream": one, "startOffset": offset} for one in streams])
    group = spec.text("consumerGroup")
    for entry in processor(found, surroundings, bindings, "sink"):
        if entry.document.get("kind") == "Processor" and group:
            name = entry.document["metadata"]["name"]
            text = f'its group was "{group}", and is "{name}", which begins at startOffset'
            entry.comment(("metadata", "name"), text)
        yield entry


def _gateway(
    found: Foreign,
    surroundings: Surroundings,
    name: str,
    addresses: list[str],
    topics: list[str],
) -> Entry:
    net = found.spec.fields("net")
    tls, sasl = net.fields("tls"), net.fields("sasl")
    spec: dict[str, Any] = {"bootstrapServers": ",".join(addresses)}
    entry = resource("KafkaGateway", name, found.namespace, spec)
    entry.heading.append(f"the Kafka of {found.title}, {found.source}")
    certificate, key = _secret(tls, "cert"), _secret(tls, "key")
    authority = _secret(tls, "caCert")
    if tls.flag("enable"):
        spec["tls"] = {"trustedCertificates": [authority]} if authority else {}
        if certificate and key:
            spec["auth"] = {"type": "tls", "certificate": certificate, "key": key}
    user, password, kind = (_secret(sasl, one) for one in ("user", "password", "type"))
    if sasl.flag("enable"):
        spec["auth"] = {
            "type": "scram-sha-512",
            "username": PLACEHOLDER,
            "passwordSecret": password or {"secretName": PLACEHOLDER, "key": "password"},
        }
        entry.comment((*_LOGIN, "type"), f"the type is in {_words(kind)}")
        entry.comment((*_LOGIN, "username"), f"the name is in {_words(user)}")
        message = "its login is in a Secret: put type and username into spec.auth of the gateway"
        surroundings.warn(found, message)
    if any(stream_of(one, found.home) for one in topics):
        spec["existingTopics"] = "Adopt"
    entry.document["spec"] = spec
    return entry


def _secret(fields: Fields, name: str) -> dict[str, str]:
    """The key of a Secret that a field refers to; empty where it does not."""
    reference = fields.fields(name).fields("secretKeyRef")
    secret, key = reference.text("name"), reference.text("key")
    return {"secretName": secret, "key": key} if secret and key else {}


def _words(secret: dict[str, str]) -> str:
    return f'key {secret["key"]} of Secret "{secret["secretName"]}"' if secret else "no Secret"
