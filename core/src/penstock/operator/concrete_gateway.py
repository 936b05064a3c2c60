"""A gateway of a plugin's kind: a `Gateway` of the same name whose pods serve the plugin."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from pydantic import BaseModel

from penstock.operator.conditions import READY, Verdict, condition, events_of, is_ready, status_of
from penstock.operator.deployment import CONTAINER_SECURITY, POD_SECURITY
from penstock.operator.desired import Desired, KubernetesObject
from penstock.operator.gateway import (
    GATEWAY_PORT,
    PORTS,
    PROVISIONER_TARGET_PORT,
    host_of_gateway,
)
from penstock.operator.labels import GATEWAY, GATEWAY_TYPE, child_name, of_concrete_gateway
from penstock.operator.ownership import child_metadata, is_foreign, is_owned
from penstock.operator.reading import Refused, read
from penstock.plugin import GatewayKind
from penstock.resources.models import API_VERSION, GROUP, ConcreteGateway, concrete_gateway
from penstock.resources.secrets import secrets_of

SPEC_FOLDER = "/etc/penstock"
SPEC_FILE = "spec.yaml"
SECRETS_FOLDER = "/var/run/secrets/penstock"
SPEC_DIGEST = f"{GROUP}/spec-digest"
"""An annotation of the pods: a spec that is another makes other pods."""

GATEWAY_READY = "GatewayReady"


@dataclass(frozen=True, slots=True)
class ObservedConcreteGateway:
    """A gateway of a concrete kind, and what is there under the names of its children."""

    resource: KubernetesObject
    gateway: KubernetesObject | None = None
    config_map: KubernetesObject | None = None


def config_map_name(name: str, kind: GatewayKind) -> str:
    """The name of the ConfigMap that holds a gateway's spec for its pods."""
    return child_name(name, f"{kind.type}-gateway")


def reconcile(
    observed: ObservedConcreteGateway, kind: GatewayKind, *, image: str, now: str
) -> Desired:
    """Decide what a gateway of a concrete kind needs.

    Args:
        observed: What is there.
        kind: Its kind.
        image: The image whose `penstock gateway serve` serves the kind.
        now: The time, as RFC 3339 writes it.
    """
    resource = observed.resource
    read_resource = read(resource, concrete_gateway(kind))
    verdict = _verdict(observed, kind, read_resource)
    status: dict[str, Any] = {**status_of(resource, {GATEWAY_READY: verdict}, now)}
    gateway = observed.gateway
    name = resource["metadata"]["name"]
    if gateway is not None and is_owned(gateway, resource):
        status["gatewayRef"] = {"apiGroup": GROUP, "kind": "Gateway", "name": name}
        if address := (gateway.get("status") or {}).get("address"):
            status["address"] = address
    if isinstance(read_resource, Refused) or _taken(observed):
        return Desired(status, (), events_of(resource, status))
    assert isinstance(read_resource, ConcreteGateway)
    status |= {"gatewayImage": image, "provisionerImage": image}
    children = _children(resource, read_resource.spec, kind, image)
    return Desired(status, children, events_of(resource, status))


def _taken(observed: ObservedConcreteGateway) -> KubernetesObject | None:
    """A child's name that is somebody else's."""
    for child in (observed.gateway, observed.config_map):
        if is_foreign(child, observed.resource):
            return child
    return None


def _verdict(
    observed: ObservedConcreteGateway, kind: GatewayKind, resource: BaseModel | Refused
) -> Verdict:
    if taken := _taken(observed):
        name = taken["metadata"]["name"]
        message = f'there is a {taken.get("kind", "Gateway")} "{name}" that is not of this'
        return Verdict.fails(
            "NotOwned", f"{message} {kind.name}: delete or rename it", stalled=True
        )
    if isinstance(resource, Refused):
        return Verdict.fails("InvalidSpec", resource.message, stalled=True)
    gateway = observed.gateway
    if gateway is None:
        return Verdict.unknown("GatewayCreating", "the Gateway is being made")
    if is_ready(gateway):
        return Verdict.holds()
    found = condition(gateway, READY)
    if not found or found["status"] == "True":
        return Verdict.unknown("GatewayCreating", "nobody has looked at the Gateway yet")
    stalled = bool(condition(gateway, "Stalled"))
    return Verdict(found["status"], found.get("reason", ""), found.get("message", ""), stalled)


def _children(
    resource: KubernetesObject, spec: BaseModel, kind: GatewayKind, image: str
) -> list[KubernetesObject]:
    name = resource["metadata"]["name"]
    labels = {of_concrete_gateway(kind.type): name}
    text = json.dumps(spec.model_dump(mode="json", by_alias=True, exclude_unset=True), indent=1)
    config_map = config_map_name(name, kind)
    return [
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": child_metadata(resource, config_map, labels),
            "data": {SPEC_FILE: text},
        },
        {
            "apiVersion": API_VERSION,
            "kind": "Gateway",
            "metadata": child_metadata(resource, name, {**labels, GATEWAY_TYPE: kind.type}),
            "spec": {
                "ports": list(PORTS),
                "template": {
                    "metadata": {
                        "labels": {GATEWAY: name, GATEWAY_TYPE: kind.type, **labels},
                        "annotations": {SPEC_DIGEST: sha256(text.encode()).hexdigest()[:16]},
                    },
                    "spec": _pod(resource, spec, kind, image),
                },
            },
        },
    ]


def _pod(
    resource: KubernetesObject, spec: BaseModel, kind: GatewayKind, image: str
) -> Mapping[str, Any]:
    name, namespace = resource["metadata"]["name"], resource["metadata"]["namespace"]
    secrets = sorted(secrets_of(spec))
    probe = {"periodSeconds": 5, "timeoutSeconds": 5}
    container = {
        "name": "gateway",
        "image": image,
        "command": ["penstock", "gateway", "serve", kind.type],
        "args": [
            "--host=0.0.0.0",
            f"--port={GATEWAY_PORT}",
            f"--provisioner-port={PROVISIONER_TARGET_PORT}",
            f"--advertised={host_of_gateway(name, namespace)}:{GATEWAY_PORT}",
            f"--name={namespace}/{name}",
            f"--spec={SPEC_FOLDER}/{SPEC_FILE}",
            f"--secrets={SECRETS_FOLDER}",
        ],
        "ports": [
            {"name": one["name"], "containerPort": one["targetPort"], "protocol": "TCP"}
            for one in PORTS
        ],
        # It is not ready while its messaging system is away; that is no reason to start it anew.
        "readinessProbe": {"grpc": {"port": GATEWAY_PORT, "service": ""}, **probe},
        "livenessProbe": {"tcpSocket": {"port": GATEWAY_PORT}, **probe},
        "securityContext": {**CONTAINER_SECURITY, "readOnlyRootFilesystem": True},
        "volumeMounts": [
            {"name": "spec", "mountPath": SPEC_FOLDER, "readOnly": True},
            *(
                {
                    "name": f"secret-{number}",
                    "mountPath": f"{SECRETS_FOLDER}/{secret}",
                    "readOnly": True,
                }
                for number, secret in enumerate(secrets)
            ),
        ],
    }
    return {
        "automountServiceAccountToken": False,
        "securityContext": dict(POD_SECURITY),
        "containers": [container],
        "volumes": [
            {"name": "spec", "configMap": {"name": config_map_name(name, kind)}},
            *(
                # A Secret may come after its gateway.
                {
                    "name": f"secret-{number}",
                    "secret": {"secretName": secret, "optional": True},
                }
                for number, secret in enumerate(secrets)
            ),
        ],
    }
