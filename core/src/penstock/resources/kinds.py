"""Which kinds there are, and of which kind a document is."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple

from penstock.plugin import Plugins
from penstock.resources.kubernetes_secret import Secret
from penstock.resources.models import (
    API_VERSION,
    GROUP,
    Gateway,
    Processor,
    Resource,
    Stream,
    concrete_gateway,
)
from penstock.resources.sentence import shown
from penstock.resources.suggestion import closest, did_you_mean, listing

DISTRIBUTIONS = {
    "InMemoryGateway": "penstock-inmemory",
    "KafkaGateway": "penstock-kafka",
    "PulsarGateway": "penstock-pulsar",
}
"""Where the plugin of a kind comes from, for kinds that are known also when it is not installed."""


class Identified(NamedTuple):
    """What kind a document is of.

    Attributes:
        kind: The kind, or what it seems to be; empty: it is nothing of penstock's.
        field: The field that is wrong; empty: nothing is.
        message: What is wrong with it.
    """

    kind: str
    field: str = ""
    message: str = ""


def resource_models(plugins: Plugins) -> dict[str, type[Resource]]:
    """The model of each kind: the core's three, and one for each plugin that works."""
    concrete = {name: concrete_gateway(one.kind) for name, one in plugins.by_kind.items()}
    return {"Gateway": Gateway, "Processor": Processor, "Stream": Stream, **concrete}


def identify(document: Mapping[str, Any], plugins: Plugins) -> Identified:
    """Tell a document's kind, from its `apiVersion` and `kind`."""
    kind, api_version = document.get("kind"), document.get("apiVersion")
    known = {"Gateway", "Processor", "Stream", *DISTRIBUTIONS, *plugins.by_kind}
    if not isinstance(kind, str) or not kind:
        return Identified("", "kind", f"{_absent(kind)}: expected one of {listing(known)}")
    if not isinstance(api_version, str) or not api_version:
        expected = Secret.api_version if kind == Secret.kind else API_VERSION
        return Identified(kind, "apiVersion", f"{_absent(api_version)}: expected {expected}")
    if api_version != API_VERSION:
        group = api_version.rpartition("/")[0]
        if get_close_matches(group, [GROUP], cutoff=0.85) or (not group and kind in known):
            message = f'"{api_version}" is not the API of a {kind}: expected {API_VERSION}'
            return Identified(kind, "apiVersion", message)
        is_secret = (kind, api_version) == (Secret.kind, Secret.api_version)
        return Identified(kind if is_secret else "")
    if kind in plugins.by_kind or kind in ("Gateway", "Processor", "Stream"):
        return Identified(kind)
    return _without_model(kind, known, plugins)


def _without_model(kind: str, known: set[str], plugins: Plugins) -> Identified:
    type_, distribution = kind.removesuffix("Gateway").lower(), DISTRIBUTIONS.get(kind)
    for broken in plugins.broken:
        if broken.distribution == distribution or broken.name == type_:
            message = f"plugin {broken.name} ({broken.distribution} {broken.version}) of this kind"
            return Identified(kind, "kind", f"{message} cannot be used: {broken.reason}")
    if distribution:
        message = f"the plugin of {kind} is not installed: pip install {distribution}"
        return Identified(kind, "kind", message)
    near = closest(kind, known)
    message = f'there is no kind "{kind}" in {API_VERSION}' + did_you_mean(kind, known)
    if kind.endswith("Gateway"):
        message += (
            f"; if a plugin adds it, install that (now there are: {listing(plugins.by_kind)})"
        )
    elif not near:
        message += f"; there are: {listing(known)}"
    return Identified(near or kind, "kind", message)


def _absent(value: object) -> str:
    return "is missing" if value in (None, "") else f"{shown(value)} is not a text"
