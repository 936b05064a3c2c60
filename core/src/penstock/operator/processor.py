"""A Processor: a Deployment of its function and its sidecar, once its streams are there."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from penstock.operator.conditions import (
    READY,
    Verdict,
    condition,
    events_of,
    is_ready,
    observed_status,
    status_of,
)
from penstock.operator.deployment import DEPLOYMENT_READY, deployment, deployment_verdict
from penstock.operator.desired import Desired, KubernetesObject
from penstock.operator.function_pod import pod_template
from penstock.operator.labels import PROCESSOR, child_name
from penstock.operator.ownership import is_foreign
from penstock.operator.reading import Refused, read
from penstock.resources.models import GROUP, Processor

STREAMS_READY = "StreamsReady"
STREAM_NOT_READY = "StreamNotReady"
SCALED_OBJECT_READY = "ScaledObjectReady"
BINDINGS_DIGEST = f"{GROUP}/bindings-digest"
"""An annotation of the pods: a sidecar reads its bindings once, so others make other pods."""

_NOT_SCALED = Verdict.unknown(
    "NotScaled", "nothing scales it: the replicas of its Deployment are yours to set"
)


@dataclass(frozen=True, slots=True)
class ObservedStreamBinding:
    """A Stream that a processor names, and what its binding holds."""

    stream: KubernetesObject | None = None
    config_map: KubernetesObject | None = None
    secret: KubernetesObject | None = None


@dataclass(frozen=True, slots=True)
class ObservedProcessor:
    """A Processor and what it depends on.

    Attributes:
        processor: The processor.
        streams: Its streams, by name.
        build: What its `build` names, where that is there.
        deployment: What is there under the name of its Deployment.
    """

    processor: KubernetesObject
    streams: Mapping[str, ObservedStreamBinding] = field(default_factory=dict)
    build: KubernetesObject | None = None
    deployment: KubernetesObject | None = None


def deployment_name(processor: str) -> str:
    """The name of a processor's Deployment."""
    return child_name(processor, "processor")


def reconcile(observed: ObservedProcessor, *, sidecar_image: str, now: str) -> Desired:
    """Decide what a Processor needs.

    A Deployment that is there stays while a stream is not ready or a build is gone.

    Args:
        observed: What is there.
        sidecar_image: The image of the sidecar.
        now: The time, as RFC 3339 writes it.
    """
    resource = observed.processor
    processor = read(resource, Processor)
    if isinstance(processor, Refused):
        verdict = Verdict.fails("InvalidSpec", processor.message, stalled=True)
        status = status_of(resource, {DEPLOYMENT_READY: verdict}, now)
        return Desired({**observed_references(resource), **status}, (), events_of(resource, status))
    image = _image(observed, processor)
    streams = _streams_verdict(observed, processor)
    name = deployment_name(processor.metadata.name)
    children = []
    foreign = is_foreign(observed.deployment, resource)
    if image and not foreign and _all_bound(observed, processor):
        children.append(_deployment(observed, processor, image, sidecar_image))
    verdicts = {STREAMS_READY: streams, DEPLOYMENT_READY: _pods(observed, processor, image)}
    status = {
        **status_of(resource, verdicts, now, beside={SCALED_OBJECT_READY: _NOT_SCALED}),
        "latestImage": image,
    }
    if children or (observed.deployment is not None and not foreign):
        status["deploymentRef"] = {"apiGroup": "apps", "kind": "Deployment", "name": name}
    return Desired(status, children, events_of(resource, status))


def observed_references(resource: KubernetesObject) -> Mapping[str, Any]:
    """What a status says beside conditions: it stays while a spec cannot be read."""
    status = observed_status(resource)
    return {k: v for k, v in status.items() if k not in ("conditions", "observedGeneration")}


def _image(observed: ObservedProcessor, processor: Processor) -> str:
    """The function's image; empty: there is none yet."""
    build = processor.spec.build
    if build and (build.function_ref or build.container_ref):
        latest = observed_status(observed.build or {}).get("latestImage")
        return str(latest or observed_status(observed.processor).get("latestImage", ""))
    container = processor.spec.function_container
    return container.image if container else ""


def _streams_verdict(observed: ObservedProcessor, processor: Processor) -> Verdict:
    problems = []
    for name in dict.fromkeys(processor.spec.streams):
        stream = observed.streams.get(name, ObservedStreamBinding()).stream
        if stream is None:
            namespace = processor.metadata.namespace
            problems.append(f'there is no stream "{name}" in namespace "{namespace}"')
        elif not is_ready(stream):
            why = condition(stream, READY).get("message", "")
            problems.append(f'stream "{name}" is not ready' + (f": {why}" if why else ""))
    if problems:
        return Verdict.fails(STREAM_NOT_READY, "; ".join(problems))
    return Verdict.holds()


def _all_bound(observed: ObservedProcessor, processor: Processor) -> bool:
    found = [observed.streams.get(name) for name in processor.spec.streams]
    return all(one and one.stream and one.config_map and one.secret for one in found)


def _pods(observed: ObservedProcessor, processor: Processor, image: str) -> Verdict:
    if observed.deployment is None and not image:
        build = processor.spec.build
        assert build, "without a build there is an image: the model asks for one of them"
        kind = "Function" if build.function_ref else "Container"
        name = build.function_ref or build.container_ref
        if observed.build is None:
            namespace = processor.metadata.namespace
            message = f'there is no {kind} "{name}" in namespace "{namespace}"'
            return Verdict.fails("BuildNotFound", message)
        return Verdict.unknown("ImageMissing", f'{kind} "{name}" has no latestImage yet')
    if observed.deployment is None and not _all_bound(observed, processor):
        return Verdict.unknown("WaitingForStreams", "it is made when the streams are there")
    return deployment_verdict(observed.deployment, observed.processor)


def _deployment(
    observed: ObservedProcessor, processor: Processor, image: str, sidecar_image: str
) -> KubernetesObject:
    resource = observed.processor
    written = resource["spec"].get("template", {})
    template = pod_template(processor, written, image=image, sidecar_image=sidecar_image)
    metadata = template.get("metadata", {})
    annotations = {**metadata.get("annotations", {}), BINDINGS_DIGEST: _digest(observed)}
    labels = {PROCESSOR: processor.metadata.name}
    name = deployment_name(processor.metadata.name)
    template = {**template, "metadata": {**metadata, "annotations": annotations}}
    return deployment(resource, name, labels, template)


def _digest(observed: ObservedProcessor) -> str:
    """Of what the sidecar reads; it is not turned back into that."""
    content = {
        name: [(one or {}).get("data") for one in (binding.config_map, binding.secret)]
        for name, binding in observed.streams.items()
    }
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
