"""riff's streaming runtime: its manifests apply as they are, and here they are tidied.

Before version 0.5, gateways were called providers, and streams named the provisioner of one.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from penstock.adoption.entry import Entry, resource
from penstock.adoption.foreign import Foreign
from penstock.adoption.origin import Origin, Surroundings
from penstock.resources.kinds import DISTRIBUTIONS
from penstock.resources.models import GROUP, Model, ProcessorSpec, StreamSpec

_PROVIDERS = {
    "KafkaProvider": ("KafkaGateway", "-kafka-provisioner"),
    "InMemoryProvider": ("InMemoryGateway", "-inmemory-provisioner"),
    "PulsarProvider": ("PulsarGateway", "-pulsar-provisioner"),
}
"""The kind that took a provider's place, and how the name of its provisioner ends."""

_BUILDS = ("functionRef", "containerRef")
_MEANS_NOTHING_EMPTY = frozenset({"metadata", "resources", "build", "outputs"})
_MAY_BE_EMPTY = frozenset({"annotations", "config", "labels", "matchLabels", "nodeSelector"})


def _gateway(found: Foreign, _: Surroundings) -> Iterator[Entry]:
    kind = _PROVIDERS[found.kind][0] if found.kind in _PROVIDERS else found.kind
    spec = tidied(found.spec.everything())
    entry = resource(kind, found.name, found.namespace, spec, found.labels(GROUP))
    if kind != found.kind:
        entry.comment(("kind",), f"called {found.kind} before riff 0.5")
    yield found.explain(entry)


def _abstract_gateway(found: Foreign, _: Surroundings) -> Iterator[Entry]:
    owners = found.fields.fields("metadata").each("ownerReferences")
    kinds = [one.text("kind") for one in owners if one.flag("controller")]
    if kinds:
        yield found.remark(f"is left out: the controller of its {kinds[0]} makes it anew")
        return
    spec = tidied(found.spec.everything())
    labels = found.labels(GROUP)
    yield found.explain(resource("Gateway", found.name, found.namespace, spec, labels))


def _stream(found: Foreign, _: Surroundings) -> Iterator[Entry]:
    given = found.spec
    spec: dict[str, Any] = {}
    provider = given.text("provider")
    if provider and "gateway" not in given:
        name = provider
        for provided in _PROVIDERS.values():
            name = name.removesuffix(provided[1])
        spec["gateway"] = {"name": name}
    spec |= _known(found, StreamSpec)
    entry = resource("Stream", found.name, found.namespace, spec, found.labels(GROUP))
    if provider:
        place = ("spec", "gateway", "name")
        entry.comment(place, f'the provider "{provider}", which is a provisioner of riff')
    yield found.explain(entry)


def _processor(found: Foreign, _: Surroundings) -> Iterator[Entry]:
    given = found.spec
    spec: dict[str, Any] = {}
    build = {name: given.text(name) for name in _BUILDS if name in given}
    if build:
        spec["build"] = build
    spec |= _known(found, ProcessorSpec)
    for side in ("inputs", "outputs"):
        if isinstance(spec.get(side), list):
            # Before 0.5 they were names of streams.
            spec[side] = [{"stream": one} if isinstance(one, str) else one for one in spec[side]]
    # In the order of the documentation.
    spec = {one: spec[one] for one in _names(ProcessorSpec) if one in spec}
    template = spec.get("template")
    entry = resource("Processor", found.name, found.namespace, spec, found.labels(GROUP))
    if isinstance(template, dict) and "containers" in template:
        entry.document["spec"]["template"] = {"spec": template}
    yield found.explain(entry)


def _known(found: Foreign, model: type[Model]) -> dict[str, Any]:
    """What a spec says in fields that penstock has; what it says in others gets a comment."""
    given = {name: found.spec.whole(name) for name in _names(model) if name in found.spec}
    return dict(tidied(given))


def _names(model: type[Model]) -> list[str]:
    return [one.alias or name for name, one in model.model_fields.items()]


def tidied(value: Any) -> Any:
    """A value without what riff's command line, and Go, write for what was not given."""
    if isinstance(value, list):
        return [tidied(one) for one in value]
    if not isinstance(value, Mapping):
        return value
    result = {}
    for name, inner in value.items():
        if name in _MAY_BE_EMPTY:
            kept = inner
        else:
            kept = tidied(inner)
            if kept == "" or (name in _MEANS_NOTHING_EMPTY and kept in ({}, [])):
                continue
        if kept is not None:
            result[name] = kept
    return result


_FOR_BUILDS = "stays as it is: a processor's build refers to it"
_NOT_STREAMING = "is left out: penstock runs functions on streams, and serves none by HTTP"

ORIGIN = Origin(
    "riff",
    kinds={
        **{(GROUP, kind): _gateway for kind in (*_PROVIDERS, *DISTRIBUTIONS)},
        (GROUP, "Gateway"): _abstract_gateway,
        (GROUP, "Stream"): _stream,
        (GROUP, "Processor"): _processor,
    },
    remarks={
        ("build.projectriff.io", "Application"): _FOR_BUILDS,
        ("build.projectriff.io", "Container"): _FOR_BUILDS,
        ("build.projectriff.io", "Function"): _FOR_BUILDS,
    },
    refusals={
        ("core.projectriff.io", "Deployer"): _NOT_STREAMING,
        ("knative.projectriff.io", "Adapter"): _NOT_STREAMING,
        ("knative.projectriff.io", "Deployer"): _NOT_STREAMING,
    },
)
"""Manifests of `streaming.projectriff.io`."""
