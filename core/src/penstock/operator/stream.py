"""A Stream: its gateway makes it, and a ConfigMap and a Secret say where it is."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from penstock.operator.conditions import Verdict, events_of, observed_status, status_of
from penstock.operator.desired import Desired, Event, KubernetesObject
from penstock.operator.labels import STREAM
from penstock.operator.ownership import child_metadata, is_foreign, is_owned
from penstock.operator.provisioning import PROVISION_FAILED, ProvisionRequest, provision_request
from penstock.operator.reading import Refused, read
from penstock.plugin import Address, PenstockError, PermanentError
from penstock.resources.models import GROUP, Stream

RESOURCE_AVAILABLE = "ResourceAvailable"
BINDING_READY = "BindingReady"
BINDING_FAILED = "BindingFailed"


@dataclass(frozen=True, slots=True)
class ObservedStream:
    """A Stream, and what is there under the names of its children."""

    stream: KubernetesObject
    config_map: KubernetesObject | None = None
    secret: KubernetesObject | None = None


def metadata_name(stream: str) -> str:
    """The name of the ConfigMap that says what a stream is."""
    return f"{stream}-stream-binding-metadata"


def secret_name(stream: str) -> str:
    """The name of the Secret that says where a stream is."""
    return f"{stream}-stream-binding-secret"


def request_of(
    resource: KubernetesObject, gateway: KubernetesObject | None
) -> ProvisionRequest | Verdict:
    """What to ask the Gateway of a Stream before `reconcile`, or why nobody can be asked."""
    stream = read(resource, Stream)
    if isinstance(stream, Refused):
        return Verdict.fails("InvalidSpec", stream.message, stalled=True)
    return provision_request(stream, gateway)


def reconcile(
    observed: ObservedStream, answer: Address | PenstockError | Verdict, now: str
) -> Desired:
    """Decide what a Stream needs.

    What was made stays as it is while its gateway is away: processors go on with it.

    Args:
        observed: What is there.
        answer: What the gateway said to the request of `request_of`, or why none was made.
        now: The time, as RFC 3339 writes it.
    """
    stream = observed.stream
    taken = [one for one in (observed.config_map, observed.secret) if is_foreign(one, stream)]
    wanted = isinstance(answer, Address) and not taken
    children = _children(stream, answer) if isinstance(answer, Address) and not taken else ()
    verdicts = {
        RESOURCE_AVAILABLE: _availability(answer),
        BINDING_READY: _binding_verdict(observed, wanted=wanted),
    }
    status: dict[str, Any] = {**status_of(stream, verdicts, now)}
    if wanted or _is_bound(observed):
        name = stream["metadata"]["name"]
        status["binding"] = {
            "metadataRef": {"name": metadata_name(name)},
            "secretRef": {"name": secret_name(name)},
        }
    drift = _drift(stream, answer)
    return Desired(status, children, (*events_of(stream, status), *drift))


def observed_binding(stream: KubernetesObject) -> Mapping[str, Any]:
    """What a Stream's status says of its binding."""
    binding = observed_status(stream).get("binding")
    return {"binding": binding} if binding else {}


def _availability(answer: Address | PenstockError | Verdict) -> Verdict:
    if isinstance(answer, Verdict):
        return answer
    if isinstance(answer, PenstockError):
        stalled = isinstance(answer, PermanentError)
        return Verdict.fails(PROVISION_FAILED, str(answer), stalled=stalled)
    return Verdict.holds(message="; ".join(answer.drift))


def _drift(
    stream: KubernetesObject, answer: Address | PenstockError | Verdict
) -> tuple[Event, ...]:
    """What exists and is not as declared, said once."""
    if not isinstance(answer, Address) or not answer.drift:
        return ()
    text = "; ".join(answer.drift)
    said = {one.get("message") for one in observed_status(stream).get("conditions", ())}
    return () if text in said else (Event("Warning", "Drift", text),)


def _is_bound(observed: ObservedStream) -> bool:
    children = (observed.config_map, observed.secret)
    return all(one is not None and is_owned(one, observed.stream) for one in children)


def _binding_verdict(observed: ObservedStream, *, wanted: bool) -> Verdict:
    for kind, child in (("ConfigMap", observed.config_map), ("Secret", observed.secret)):
        if child is not None and not is_owned(child, observed.stream):
            name = child["metadata"]["name"]
            message = f'there is a {kind} "{name}" that is not of this Stream: delete or rename it'
            return Verdict.fails(BINDING_FAILED, message, stalled=True)
    if _is_bound(observed):
        return Verdict.holds()
    if wanted:
        return Verdict.unknown("BindingCreating", "ConfigMap and Secret are being made")
    return Verdict.unknown("WaitingForResource", "the stream is not provisioned yet")


def _children(stream: KubernetesObject, address: Address) -> tuple[KubernetesObject, ...]:
    name = stream["metadata"]["name"]
    labels = {STREAM: name}
    content_type = stream["spec"].get("contentType") or "application/octet-stream"
    metadata = {
        "kind": f"Stream.{GROUP}",
        # As the specification of bindings asks, and as riff's readers know it.
        "provider": "riff Streaming",
        "tags": "",
        "stream": name,
        "contentType": content_type,
    }
    secret = {"gateway": address.gateway, "topic": address.topic}
    return (
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": child_metadata(stream, metadata_name(name), labels),
            "data": metadata,
        },
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": child_metadata(stream, secret_name(name), labels),
            "type": "Opaque",
            "data": encoded(secret),
        },
    )


def encoded(values: Mapping[str, str]) -> Mapping[str, str]:
    """The data of a Secret as the API server has it."""
    return {key: b64encode(value.encode()).decode() for key, value in values.items()}
