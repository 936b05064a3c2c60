"""Who has to be looked at anew when an object changed."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from penstock.operator.desired import KubernetesObject
from penstock.resources.models import API_VERSION

BUILD_API_VERSION = "build.projectriff.io/v1alpha1"

_BUILD_FIELDS = {"Function": "functionRef", "Container": "containerRef"}


class Key(NamedTuple):
    """What tells an object from all others."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f'{self.kind} "{self.name}" in namespace "{self.namespace}"'


def key_of(value: KubernetesObject) -> Key:
    """The key of an object."""
    metadata = value["metadata"]
    return Key(value["kind"], metadata["namespace"], metadata["name"])


def dependents(
    changed: KubernetesObject,
    streams: Iterable[KubernetesObject],
    processors: Iterable[KubernetesObject],
) -> Iterator[Key]:
    """The resources that an object matters to, itself among them; some may not be there.

    Args:
        changed: The object as it is now, or was before it went.
        streams: The Streams of its namespace.
        processors: The Processors of its namespace.
    """
    key = key_of(changed)
    if changed["apiVersion"] == API_VERSION:
        yield key
    for owner in changed["metadata"].get("ownerReferences", ()):
        if owner.get("controller") and owner["apiVersion"] == API_VERSION:
            yield Key(owner["kind"], key.namespace, owner["name"])
            if owner["kind"] == "Stream":
                yield from _of_stream(owner["name"], processors)
    match changed["apiVersion"], key.kind:
        case (str(version), "Gateway") if version == API_VERSION:
            for stream in streams:
                if gateway_name(stream) == key.name:
                    yield key_of(stream)
        case (str(version), "Stream") if version == API_VERSION:
            yield from _of_stream(key.name, processors)
            if gateway := gateway_name(changed):
                yield Key("Gateway", key.namespace, gateway)
        case (str(version), "Function" | "Container") if version == BUILD_API_VERSION:
            field = _BUILD_FIELDS[key.kind]
            for processor in processors:
                if (processor["spec"].get("build") or {}).get(field) == key.name:
                    yield key_of(processor)


def gateway_name(stream: KubernetesObject) -> str:
    """The gateway that a stream names; empty if its spec cannot be read."""
    return str((stream["spec"].get("gateway") or {}).get("name") or "")


def stream_names(processor: KubernetesObject) -> Iterable[str]:
    """The streams that a processor names, as far as its spec can be read."""
    spec: Mapping[str, Any] = processor.get("spec", {})
    names = [one.get("stream") for side in ("inputs", "outputs") for one in spec.get(side) or ()]
    dead_letter = (spec.get("delivery") or {}).get("deadLetter") or {}
    return dict.fromkeys(filter(None, [*names, dead_letter.get("stream")]))


def _of_stream(name: str, processors: Iterable[KubernetesObject]) -> Iterator[Key]:
    for processor in processors:
        if name in stream_names(processor):
            yield key_of(processor)
