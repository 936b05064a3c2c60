"""What a Stream's gateway is asked over HTTP: `PUT` or `DELETE <address>/<namespace>/<stream>`."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from penstock.operator.conditions import READY, Verdict, condition, is_ready, observed_status
from penstock.operator.dependents import gateway_name
from penstock.operator.desired import KubernetesObject
from penstock.plugin import DeletionPolicy
from penstock.resources.models import Stream

PROVISION_FAILED = "ProvisionFailed"


@dataclass(frozen=True, slots=True)
class ProvisionRequest:
    """A question to a gateway; the same question has the same answer while `since` is the same.

    Attributes:
        gateway: The gateway's name.
        url: Where it is asked.
        body: The stream's settings as JSON; empty when it is to be removed.
        since: Since when which gateway is ready: one that was away may have lost the stream.
    """

    gateway: str
    url: str
    body: str
    since: str


def provision_request(
    stream: Stream, gateway: KubernetesObject | None
) -> ProvisionRequest | Verdict:
    """What to ask for a stream, or why nobody can be asked.

    Args:
        stream: The stream.
        gateway: The Gateway that it names, where there is one.
    """
    return _request(
        stream.metadata.namespace,
        stream.metadata.name,
        stream.spec.gateway.name,
        gateway,
        json.dumps(_settings(stream)),
    )


def deprovision_request(
    stream: KubernetesObject, gateway: KubernetesObject | None
) -> ProvisionRequest | Verdict:
    """What to ask to have a stream removed, or why nobody can be asked.

    Args:
        stream: The stream; its spec may be unsound by now.
        gateway: The Gateway that it names, where there is one.
    """
    metadata = stream["metadata"]
    named = gateway_name(stream)
    return _request(metadata["namespace"], metadata["name"], named, gateway, "")


def _request(
    namespace: str, stream: str, name: str, gateway: KubernetesObject | None, body: str
) -> ProvisionRequest | Verdict:
    if gateway is None:
        return _failed(f'there is no gateway "{name}" in namespace "{namespace}"')
    if not is_ready(gateway):
        why = condition(gateway, READY).get("message", "")
        return _failed(f'gateway "{name}" is not ready' + (f": {why}" if why else ""))
    address = (observed_status(gateway).get("address") or {}).get("url", "")
    if not address:
        return _failed(f'gateway "{name}" is ready and has no status.address.url')
    since = f"{gateway['metadata']['uid']} {condition(gateway, READY).get('lastTransitionTime')}"
    url = f"{address.rstrip('/')}/{namespace}/{stream}"
    return ProvisionRequest(name, url, body, since)


def _failed(message: str) -> Verdict:
    return Verdict.fails(PROVISION_FAILED, message)


def _settings(stream: Stream) -> Mapping[str, Any]:
    """What the provisioner reads; what nobody said is left to the gateway."""
    settings = stream.settings()
    retention = settings.retention
    bounds = {
        "seconds": retention.seconds,
        "bytes": retention.bytes,
        "messages": retention.messages,
    }
    optional = {
        "partitions": settings.partitions,
        "retention": {name: bound for name, bound in bounds.items() if bound is not None},
        "config": dict(settings.config),
        "deletionPolicy": (
            None
            if settings.deletion_policy is DeletionPolicy.RETAIN
            else settings.deletion_policy.value
        ),
    }
    given = {name: value for name, value in optional.items() if value}
    return {"contentType": settings.content_type, **given}
