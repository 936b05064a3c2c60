"""An application as its author declares it, and what the operator makes of it."""

from collections.abc import Mapping
from typing import Any

from tests.servers.kubernetes_api import KubernetesApi, Object, is_condition

API_VERSION = "streaming.projectriff.io/v1alpha1"

CHILDREN = (
    ("apps/v1", "Deployment"),
    ("v1", "ConfigMap"),
    ("v1", "Secret"),
    ("v1", "Service"),
    (API_VERSION, "Gateway"),
)
MANAGED = "?labelSelector=app.kubernetes.io/managed-by%3Dpenstock"


def resource(kind: str, namespace: str, name: str, spec: Mapping[str, Any] | None = None) -> Object:
    """A resource of penstock's group."""
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": API_VERSION, "kind": kind, "metadata": metadata, "spec": dict(spec or {})}


def stream(namespace: str, name: str, gateway: str = "franz", **spec: Any) -> Object:
    """A Stream of a gateway."""
    return resource("Stream", namespace, name, {"gateway": {"name": gateway}, **spec})


def processor(namespace: str, name: str, source: str, target: str = "") -> Object:
    """A Processor from a stream to another, if there is one."""
    containers = [{"name": "function", "image": "averager:1"}]
    spec: Object = {
        "inputs": [{"stream": source}],
        "outputs": [{"stream": target}] if target else [],
        "template": {"spec": {"containers": containers}},
    }
    return resource("Processor", namespace, name, spec)


def app(namespace: str) -> list[Object]:
    """A gateway, two streams and a processor between them, as the example has them."""
    return [
        resource("InMemoryGateway", namespace, "franz"),
        stream(namespace, "numbers", contentType="text/plain"),
        stream(namespace, "averages", contentType="application/json"),
        processor(namespace, "averager", "numbers", "averages"),
    ]


def becomes_ready(api: KubernetesApi, *objects: Object, seconds: float = 30.0) -> list[Object]:
    """The objects, once all say that they are ready."""
    return [becomes(api, one, "Ready", seconds=seconds) for one in objects]


def becomes(
    api: KubernetesApi,
    value: Object,
    type_: str,
    status: str = "True",
    reason: str = "",
    *,
    seconds: float = 30.0,
) -> Object:
    """An object, once a condition of it is so."""
    metadata = value["metadata"]
    return api.eventually(
        value["apiVersion"],
        value["kind"],
        metadata["namespace"],
        metadata["name"],
        is_condition(type_, status, reason),
        seconds=seconds,
    )


def children(api: KubernetesApi, namespace: str) -> dict[str, list[str]]:
    """What the operator has made, by kind and name, and the kinds of what it is of."""
    return {
        f"{kind} {one['metadata']['name']}": [
            owner["kind"] for owner in one["metadata"].get("ownerReferences", ())
        ]
        for api_version, kind in CHILDREN
        for one in api.all(api_version, kind, namespace, MANAGED)
    }
