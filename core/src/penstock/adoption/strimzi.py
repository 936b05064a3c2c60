"""Strimzi: clusters of Kafka become gateways, topics become streams."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from penstock.adoption.entry import PLACEHOLDER, Entry, as_name, resource
from penstock.adoption.fields import Fields
from penstock.adoption.foreign import Foreign
from penstock.adoption.origin import Origin, Surroundings
from penstock.adoption.topic import stream_of, stream_of_topic, stream_settings

_GROUP = "kafka.strimzi.io"
_CLUSTER = "strimzi.io/cluster"
_OWN = ("strimzi.io/",)
_LOGINS = ("scram-sha-512", "tls")
_EXTERNAL = ("ingress", "loadbalancer", "nodeport", "route", "tlsroute")
_OLD_PORTS = {"plain": 9092, "tls": 9093}


class _Listener(NamedTuple):
    """Where brokers are reached.

    Attributes:
        name, type, port: As given.
        tls: Whether it is encrypted.
        login: The type of its authentication; empty: there is none.
        fields: What is said of it.
    """

    name: str
    type: str
    port: int
    tls: bool
    login: str
    fields: Fields

    def address(self, cluster: Foreign) -> str:
        """Host and port within the Kubernetes cluster."""
        middle = f"kafka-{self.name}" if self.type == "cluster-ip" else "kafka"
        return f"{cluster.name}-{middle}-bootstrap.{cluster.home}:{self.port}"


def _kafka(found: Foreign, surroundings: Surroundings) -> Iterator[Entry]:
    kafka = found.spec.fields("kafka")
    listeners = list(_listeners(kafka))
    users = [
        one
        for one in surroundings.of_kind("KafkaUser", found.home)
        if one.label(_CLUSTER) == found.name
    ]
    inside = [one for one in listeners if one.type not in _EXTERNAL]
    chosen = max(inside, key=lambda one: _preference(one, users), default=None)
    spec: dict[str, Any] = {"bootstrapServers": f"{found.name}-kafka-bootstrap.{found.home}:9092"}
    if chosen:
        spec["bootstrapServers"] = chosen.address(found)
        if chosen.tls:
            ca = {"secretName": f"{found.name}-cluster-ca-cert", "key": "ca.crt"}
            spec["tls"] = {"trustedCertificates": [ca]}
        if chosen.login:
            spec["auth"] = _auth(chosen, users)
    if any(_is_as_it_was(one) for one in _topics(found.name, found.home, surroundings)):
        spec["existingTopics"] = "Adopt"
    entry = resource("KafkaGateway", found.name, found.namespace, spec, found.labels(*_OWN))
    if not listeners:
        surroundings.warn(found, "has no listeners: bootstrapServers is a guess")
    elif not chosen:
        surroundings.warn(found, "has no listener for the inside: bootstrapServers is a guess")
    elif chosen.login:
        _tell_of_login(entry, chosen, users, found, surroundings)
    for one in listeners:
        if one is not chosen:
            text = f'not used: the listener "{one.name}" ({_words(one)})'
            entry.comment(("spec", "bootstrapServers"), text)
    if "existingTopics" in spec:
        entry.comment(("spec", "existingTopics"), "some streams below have topics that are there")
    yield found.explain(entry)


def _listeners(kafka: Fields) -> Iterator[_Listener]:
    if isinstance(kafka.peek("listeners"), dict):
        # Before v1beta2 it was a mapping, the ports being fixed.
        old = kafka.fields("listeners")
        for name, port in _OLD_PORTS.items():
            if old.peek(name) is not None:
                one = old.fields(name)
                login = one.fields("authentication").text("type")
                yield _Listener(name, "internal", port, name == "tls", login, one)
        return
    for one in kafka.each("listeners"):
        one.require("port", "a number, as 9092")
        yield _Listener(
            one.text("name"),
            one.text("type", "internal"),
            one.number("port") or 0,
            bool(one.flag("tls")),
            one.fields("authentication").text("type"),
            one,
        )


def _preference(listener: _Listener, users: Sequence[Foreign]) -> tuple[int, bool]:
    """What the files say how to log in to comes first, and what is better guarded."""
    if not listener.login:
        return 1, listener.tls
    known = any(_login(one) == listener.login for one in users)
    return (2 if known else 0), listener.tls


def _words(listener: _Listener) -> str:
    encrypted = "with TLS" if listener.tls else "without TLS"
    login = f"authentication {listener.login}" if listener.login else "no authentication"
    return f"{listener.type}, port {listener.port}, {encrypted}, {login}"


def _login(user: Foreign) -> str:
    kind = user.spec.fields("authentication").text("type")
    return "tls" if kind == "tls-external" else kind


def _auth(listener: _Listener, users: Sequence[Foreign]) -> dict[str, Any]:
    """How a gateway logs in as the first user that can, by the Secret that Strimzi makes."""
    name = next((one.name for one in users if _login(one) == listener.login), PLACEHOLDER)
    if listener.login == "tls":
        return {
            "type": "tls",
            "certificate": {"secretName": name, "key": "user.crt"},
            "key": {"secretName": name, "key": "user.key"},
        }
    secret = {"secretName": name, "key": "password"}
    return {"type": "scram-sha-512", "username": name, "passwordSecret": secret}


def _tell_of_login(
    entry: Entry,
    listener: _Listener,
    users: Sequence[Foreign],
    found: Foreign,
    surroundings: Surroundings,
) -> None:
    place = ("spec", "auth")
    if listener.login not in _LOGINS:
        message = (
            f'listener "{listener.name}" has authentication of type {listener.login}, of which '
            "the files do not say how a client logs in: fill in spec.auth"
        )
    elif not any(_login(one) == listener.login for one in users):
        message = (
            f'listener "{listener.name}" wants a user, and no KafkaUser of type {listener.login} '
            f"is in the files: put one in the place of {PLACEHOLDER}"
        )
    else:
        text = "the gateway logs in as this KafkaUser; its Secret has to be in this namespace"
        entry.comment(place, text)
        return
    surroundings.warn(found, message)
    entry.comment(place, message)


def _topics(cluster: str, home: str, surroundings: Surroundings) -> Iterator[Foreign]:
    for one in surroundings.of_kind("KafkaTopic", home):
        if one.label(_CLUSTER) == cluster:
            yield one


def _topic_name(found: Foreign) -> str:
    return found.spec.text("topicName") or found.name


def _is_as_it_was(topic: Foreign) -> bool:
    return stream_of(_topic_name(topic), topic.home) is not None


def _topic(found: Foreign, surroundings: Surroundings) -> Iterator[Entry]:
    cluster = found.label(_CLUSTER)
    if not cluster:
        metadata = found.fields.fields("metadata")
        metadata.fields("labels").report(
            _CLUSTER, "is missing, and required: the Kafka whose topic it is"
        )
        return
    absent = surroundings.find("Kafka", cluster, found.home) is None
    if absent and surroundings.makes("KafkaGateway", cluster, found.home):
        yield _guessed(cluster, found, surroundings)
    topic = _topic_name(found)
    spec: dict[str, Any] = {"gateway": {"name": as_name(cluster)}, **stream_settings(found.spec)}
    labels = found.labels(*_OWN)
    entry = stream_of_topic(topic, found.namespace, spec, labels, name=found.name)
    yield found.explain(entry)


def _guessed(cluster: str, topic: Foreign, surroundings: Surroundings) -> Entry:
    """The gateway of a cluster that is in no file."""
    spec = {"bootstrapServers": f"{cluster}-kafka-bootstrap.{topic.home}:9092"}
    if any(_is_as_it_was(one) for one in _topics(cluster, topic.home, surroundings)):
        spec["existingTopics"] = "Adopt"
    entry = resource("KafkaGateway", cluster, topic.namespace, spec)
    message = f'Kafka "{cluster}" is not in the files: its address is a guess'
    surroundings.warn(topic, message)
    entry.comment(("spec", "bootstrapServers"), message)
    return entry


def _user(found: Foreign, _: Surroundings) -> Iterator[Entry]:
    login = _login(found) or "no authentication"
    cluster = found.label(_CLUSTER)
    entry = found.remark(
        f'stays as it is; a gateway can log in to "{cluster}" as this user ({login}), which needs '
        "the rights that the plugin's documentation lists"
    )
    rest = [f"no equal: {one.text}" for one in found.fields.rest()]
    entry.heading.extend(rest)
    yield entry


_STAYS = "stays as it is, with the cluster"

ORIGIN = Origin(
    "strimzi",
    kinds={
        (_GROUP, "Kafka"): _kafka,
        (_GROUP, "KafkaTopic"): _topic,
        (_GROUP, "KafkaUser"): _user,
    },
    remarks={
        (_GROUP, kind): _STAYS
        for kind in (
            "KafkaBridge",
            "KafkaConnect",
            "KafkaConnector",
            "KafkaMirrorMaker",
            "KafkaMirrorMaker2",
            "KafkaNodePool",
            "KafkaRebalance",
            "StrimziPodSet",
        )
    },
)
"""Manifests of `kafka.strimzi.io`. The cluster stays; what its Kafka says of brokers is told."""
