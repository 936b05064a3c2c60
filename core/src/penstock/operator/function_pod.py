"""The pods of a processor: the function, and the sidecar beside it with its bindings."""

from collections.abc import Iterator, Mapping
from typing import Any

from penstock.operator.deployment import CONTAINER_SECURITY, with_security
from penstock.operator.stream import metadata_name, secret_name
from penstock.resources.models import FUNCTION_CONTAINER, Processor
from penstock.workload import binding_folders, sidecar_environment

FUNCTION_PORT = 8081
SIDECAR_CONTAINER = "processor"
METRICS_PORT = 9090

_BINDINGS = "/var/penstock/bindings"
_BINDINGS_VOLUME = "penstock-bindings"
_GRACE_SECONDS = 20
"""What a sidecar has to settle what it holds; within the 30 s that a pod has by default."""


def pod_template(
    processor: Processor, template: Mapping[str, Any], *, image: str, sidecar_image: str
) -> Mapping[str, Any]:
    """The pod template of a processor's Deployment.

    Args:
        processor: The processor.
        template: Its own template as it was written, all fields of Kubernetes kept.
        image: The function's image.
        sidecar_image: The sidecar's.
    """
    pod = template.get("spec", {})
    containers = [_function(one, image) if _is_function(one) else one for one in _containers(pod)]
    volumes = [*pod.get("volumes", ()), _bindings_volume(processor)]
    spec = {
        **pod,
        "containers": [*containers, _sidecar(processor, sidecar_image)],
        "volumes": volumes,
    }
    return {**template, "spec": with_security(spec)}


def _containers(pod: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    containers = list(pod.get("containers", ()))
    return containers if any(map(_is_function, containers)) else [{}, *containers]


def _is_function(container: Mapping[str, Any]) -> bool:
    return container.get("name", "") in ("", FUNCTION_CONTAINER)


def _function(container: Mapping[str, Any], image: str) -> Mapping[str, Any]:
    # Variables with values are expanded by Kubernetes; the port is the sidecar's to know.
    env = [one for one in container.get("env", ()) if one["name"] != "GRPC_PORT"]
    ports = [one for one in container.get("ports", ()) if one["containerPort"] != FUNCTION_PORT]
    return {
        **container,
        "name": FUNCTION_CONTAINER,
        "image": image,
        "env": [*env, {"name": "GRPC_PORT", "value": str(FUNCTION_PORT)}],
        "ports": [*ports, {"containerPort": FUNCTION_PORT, "protocol": "TCP"}],
    }


def _sidecar(processor: Processor, image: str) -> Mapping[str, Any]:
    variables = {
        **sidecar_environment(processor, function=f"127.0.0.1:{FUNCTION_PORT}", bindings=_BINDINGS),
        "PENSTOCK_GRACE_SECONDS": str(_GRACE_SECONDS),
        "PENSTOCK_HOST": "0.0.0.0",
        "PENSTOCK_METRICS_PORT": str(METRICS_PORT),
    }
    probe = {"periodSeconds": 5, "timeoutSeconds": 5}
    return {
        "name": SIDECAR_CONTAINER,
        "image": image,
        "env": [
            *(_variable(name, value) for name, value in variables.items()),
            {
                "name": "PENSTOCK_MEMBER",
                "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}},
            },
        ],
        "ports": [{"name": "metrics", "containerPort": METRICS_PORT, "protocol": "TCP"}],
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": METRICS_PORT}, **probe},
        "securityContext": {**CONTAINER_SECURITY, "readOnlyRootFilesystem": True},
        "volumeMounts": [{"name": _BINDINGS_VOLUME, "mountPath": _BINDINGS, "readOnly": True}],
    }


def _variable(name: str, value: str) -> Mapping[str, str]:
    """A variable in whose value Kubernetes finds no others; it does not keep an empty value."""
    return {"name": name, "value": value.replace("$", "$$")} if value else {"name": name}


def _bindings_volume(processor: Processor) -> Mapping[str, Any]:
    return {"name": _BINDINGS_VOLUME, "projected": {"sources": list(_sources(processor))}}


def _sources(processor: Processor) -> Iterator[Mapping[str, Any]]:
    for folder, stream in binding_folders(processor):
        metadata, secret = f"{folder}/metadata", f"{folder}/secret"
        yield {
            "configMap": {
                "name": metadata_name(stream),
                "items": _items(metadata, ("contentType", "stream")),
            }
        }
        yield {
            "secret": {"name": secret_name(stream), "items": _items(secret, ("gateway", "topic"))}
        }


def _items(folder: str, keys: tuple[str, ...]) -> list[Mapping[str, str]]:
    return [{"key": key, "path": f"{folder}/{key}"} for key in keys]
