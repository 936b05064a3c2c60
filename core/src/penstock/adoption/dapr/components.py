"""Components that carry messages, as gateways."""

from collections.abc import Iterator
from typing import Any

from penstock.adoption.dapr.settings import Settings
from penstock.adoption.entry import PLACEHOLDER, Entry, as_name, resource
from penstock.adoption.foreign import Foreign
from penstock.adoption.origin import Surroundings
from penstock.adoption.topic import stream_of

KAFKA, MEMORY = "pubsub.kafka", "pubsub.in-memory"
_OWN = ("dapr.io/",)
_MECHANISMS = {"SHA-256": "scram-sha-256", "SHA-512": "scram-sha-512"}
_COMPRESSIONS = ("none", "gzip", "snappy", "lz4", "zstd")
_CERTIFICATES = ("certificate", "mtls")
_AUTH = ("spec", "auth")


def component(found: Foreign, surroundings: Surroundings) -> Iterator[Entry]:
    """A Component."""
    kind = found.spec.text("type")
    found.spec.require("type", f"what it is, as {KAFKA}")
    found.spec.pass_over("version")
    if kind == MEMORY:
        entry = resource("InMemoryGateway", found.name, found.namespace, {}, found.labels(*_OWN))
        Settings(found).tell_rest(entry)
    elif kind == KAFKA:
        entry = _kafka(found, surroundings)
    else:
        message = f"is left out: it is of type {kind}, and only {KAFKA} and {MEMORY} have an equal"
        if kind == "pubsub.pulsar":
            message = "is left out: write a PulsarGateway, once a plugin of that kind is installed"
        surroundings.warn(found, message)
        yield found.remark(message)
        return
    if scopes := found.fields.texts("scopes"):
        text = f"scopes: it was for {', '.join(scopes)} alone; here it is for its namespace"
        entry.comment(("metadata",), text)
    yield found.explain(entry)


def _kafka(found: Foreign, surroundings: Surroundings) -> Entry:
    settings = Settings(found)
    brokers = settings.text("brokers")
    if not brokers:
        message = "has no brokers, which are required: a setting of that name, as kafka:9092"
        found.spec.report("metadata", message)
    spec: dict[str, Any] = {"bootstrapServers": brokers}
    entry = resource("KafkaGateway", found.name, found.namespace, spec, found.labels(*_OWN))
    entry.document["spec"] = spec
    _guard(found, settings, entry, surroundings)
    if compression := settings.text("compression"):
        if compression in _COMPRESSIONS:
            spec["compression"] = compression
        else:
            expected = " or ".join(_COMPRESSIONS)
            settings.report("compression", f"is not allowed: expected {expected}")
    # That of the subscriptions' processors.
    settings.text("initialOffset")
    if any(stream_of(one, found.home) for one in _topics(found, surroundings)):
        spec["existingTopics"] = "Adopt"
    for name in ("consumerGroup", "consumerID"):
        if group := settings.text(name):
            text = f'{name} was "{group}"; here the group is the name of the processor'
            entry.comment(("spec",), text)
    settings.tell_rest(entry)
    return entry


def _guard(found: Foreign, settings: Settings, entry: Entry, surroundings: Surroundings) -> None:
    """Put into a gateway how it connects and logs in."""
    spec = entry.document["spec"]
    login = settings.text("authType").lower()
    if not login:
        login = "password" if settings.flag("authRequired") else "none"
    is_open = settings.flag("disableTls")
    if login in _CERTIFICATES or (login != "none" and not is_open):
        authority = settings.secret("caCert", entry, ("spec", "tls", "trustedCertificates"))
        spec["tls"] = {"trustedCertificates": [authority]} if authority else {}
    if auth := _auth(login, settings, entry):
        spec["auth"] = auth
        if PLACEHOLDER in str(auth):
            message = f"spec.auth of the gateway has a field to fill in: {PLACEHOLDER}"
            surroundings.warn(found, message)
    elif login != "none":
        message = f"authType {login} has no equal: fill in spec.auth"
        surroundings.warn(found, message)
        entry.comment(_AUTH, message)
    if settings.flag("skipVerify"):
        message = "skipVerify has no equal: a broker's certificate is always checked"
        surroundings.warn(found, message)
        entry.comment(("spec", "tls"), message)
    store = found.fields.fields("auth").text("secretStore", "kubernetes")
    if store != "kubernetes" and settings.refers:
        message = f'its secrets are in the store "{store}": put them into Secrets of Kubernetes'
        surroundings.warn(found, message)
        entry.comment(_AUTH, message)
    for name in settings.written_out:
        message = (
            f"{name} is written out in it: put the value into the key {name} of a Secret "
            f'"{as_name(found.name)}"'
        )
        surroundings.warn(found, message)
        entry.comment(_AUTH, message)


def _topics(found: Foreign, surroundings: Surroundings) -> Iterator[str]:
    for one in surroundings.of_kind("Subscription", found.home):
        if one.spec.peek("pubsubname") == found.name:
            yield from (one.spec.text("topic"), one.spec.text("deadLetterTopic"))


def _auth(login: str, settings: Settings, entry: Entry) -> dict[str, Any]:
    """How the gateway logs in; empty where the way has no equal, or is none."""
    if login == "password":
        kind = _MECHANISMS.get(settings.text("saslMechanism").upper(), "plain")
        user = settings.text("saslUsername")
        if not user:
            place = (*_AUTH, "username")
            named = settings.secret("saslUsername", entry, place)
            where = f': it is in the Secret "{named["secretName"]}"' if named else ""
            entry.comment(place, f"the name has to stand here itself{where}")
        password = settings.secret("saslPassword", entry, (*_AUTH, "passwordSecret"))
        return {
            "type": kind,
            "username": user or PLACEHOLDER,
            "passwordSecret": password or {"secretName": PLACEHOLDER, "key": "password"},
        }
    if login in _CERTIFICATES:
        certificate = settings.secret("clientCert", entry, (*_AUTH, "certificate"))
        key = settings.secret("clientKey", entry, (*_AUTH, "key"))
        unknown = {"secretName": PLACEHOLDER, "key": PLACEHOLDER}
        return {"type": "tls", "certificate": certificate or unknown, "key": key or unknown}
    if login == "oidc":
        secret = settings.secret("oidcClientSecret", entry, (*_AUTH, "clientSecret"))
        auth = {
            "type": "oauth",
            "tokenEndpointUri": settings.text("oidcTokenEndpoint") or f"https://{PLACEHOLDER}",
            "clientId": settings.text("oidcClientID") or PLACEHOLDER,
            "clientSecret": secret or {"secretName": PLACEHOLDER, "key": PLACEHOLDER},
        }
        if scopes := settings.text("oidcScopes"):
            auth["scope"] = scopes.replace(",", " ")
        return auth
    return {}
