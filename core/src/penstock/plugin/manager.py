"""Finds the installed plugins and asks each for what it adds.

A plugin that is broken is set aside with its reason, in one line, and stops nobody else.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import pluggy

from penstock.plugin.gateway import Gateway
from penstock.plugin.hooks import (
    PROJECT,
    GatewayFactory,
    ProvisioningHooks,
    PubSubFactory,
    PubSubHooks,
)
from penstock.plugin.kind import GatewayKind

ENTRY_POINT_GROUP = "penstock.gateways"


@dataclass(frozen=True, slots=True)
class Plugin:
    """An installed gateway plugin that works.

    Attributes:
        name: The entry point's name, such as `kafka`.
        distribution, version: Where it came from.
        kind: What it describes itself as.
        gateway: Makes a gateway from a validated spec.
        pubsub: Reaches the messaging system from a sidecar's process, where the plugin can.
    """

    name: str
    distribution: str
    version: str
    kind: GatewayKind
    gateway: GatewayFactory
    pubsub: PubSubFactory | None

    def make_gateway(self, spec: Mapping[str, Any]) -> Gateway:
        """Make a gateway, not yet open, from a resource's `spec`.

        Raises:
            pydantic.ValidationError: The spec does not fit the kind's model.
        """
        return self.gateway(self.kind.spec.model_validate(spec))


@dataclass(frozen=True, slots=True)
class BrokenPlugin:
    """A plugin that was found and cannot be used; `reason` is one line for a person."""

    name: str
    distribution: str
    version: str
    reason: str


@dataclass(frozen=True, slots=True)
class Plugins:
    """What was found: the plugins that work, by kind, and those that do not."""

    by_kind: Mapping[str, Plugin]
    broken: tuple[BrokenPlugin, ...] = ()

    def by_type(self, type_: str) -> Plugin | None:
        """The plugin of a type's word: `kafka` for the kind `KafkaGateway`."""
        return next((p for p in self.by_kind.values() if p.kind.type == type_), None)


class _Refused(Exception):
    """Why a plugin is set aside."""


def load_plugins() -> Plugins:
    """Load every plugin of the entry point group, in the order of their names."""
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(ProvisioningHooks)
    manager.add_hookspecs(PubSubHooks)
    working: dict[str, Plugin] = {}
    broken: list[BrokenPlugin] = []
    for entry in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda entry: entry.name):
        distribution = entry.dist.name if entry.dist else "?"
        version = entry.dist.version if entry.dist else "?"
        try:
            plugin = _load(manager, entry, distribution, version)
            if taken := working.get(plugin.kind.name):
                raise _Refused(f"kind {plugin.kind.name} is already that of plugin {taken.name}")
            working[plugin.kind.name] = plugin
        except _Refused as refusal:
            broken.append(BrokenPlugin(entry.name, distribution, version, str(refusal)))
    return Plugins(working, tuple(broken))


def _load(
    manager: pluggy.PluginManager, entry: EntryPoint, distribution: str, version: str
) -> Plugin:
    try:
        module = entry.load()
    # A plugin is somebody else's code: whatever it raises on import, sys.exit() included, is its
    # own failure.
    except (Exception, SystemExit) as error:
        raise _Refused(f"importing {entry.value} raised {_one_line(error)}") from error
    try:
        manager.register(module, entry.name)
        manager.check_pending()
    except (pluggy.PluginValidationError, ValueError) as error:
        manager.unregister(module)
        raise _Refused(_misspelt(str(error)) or _one_line(error)) from error
    kind = _call(manager, module, "penstock_gateway_kind")
    if not isinstance(kind, GatewayKind):
        raise _Refused(f"penstock_gateway_kind gave {kind!r}, expected a GatewayKind")
    gateway = _call(manager, module, "penstock_gateway_factory")
    if not callable(gateway):
        raise _Refused(f"penstock_gateway_factory gave {gateway!r}, expected a callable")
    pubsub = _call(manager, module, "penstock_pubsub_factory")
    if pubsub is not None and not callable(pubsub):
        raise _Refused(f"penstock_pubsub_factory gave {pubsub!r}, expected a callable")
    return Plugin(entry.name, distribution, version, kind, gateway, pubsub)


def _call(manager: pluggy.PluginManager, module: object, hook: str) -> Any:
    """What one plugin answers to one hook; ``None`` where it does not implement it."""
    for implementation in getattr(manager.hook, hook).get_hookimpls():
        if implementation.plugin is module:
            try:
                return implementation.function()
            # As on import: the plugin's own failure, whatever it is.
            except (Exception, SystemExit) as error:
                raise _Refused(f"{hook} raised {_one_line(error)}") from error
    return None


def _misspelt(text: str) -> str:
    """What to say of a hook that there is not, from pluggy's words; empty: it is something else."""
    match = re.search(r"unknown hook '(\w+)'", text)
    if match is None:
        return ""
    hooks = sorted(n for s in (ProvisioningHooks, PubSubHooks) for n in vars(s) if n[0] != "_")
    near = get_close_matches(match[1], hooks, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"there is no hook {match[1]} (there are: {', '.join(hooks)}){hint}"


def _one_line(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
