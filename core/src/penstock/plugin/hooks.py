"""The hooks that a plugin may implement, by name.

They are called once, at start-up, and hand over descriptions and factories; no hook is called
for a message. Core calls those for provisioning. The hook for publish and subscribe is the
sidecar's; it is specified here with the others so that every host knows all the names and a
misspelt one is refused everywhere (`docs/decisions/0002-hooks.md`).
"""

from collections.abc import Callable
from typing import Any

import pluggy

from penstock.plugin.gateway import Gateway, PubSub
from penstock.plugin.kind import GatewayKind

PROJECT = "penstock"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
"""Marks a function of a plugin as the implementation of the hook of its name."""

GatewayFactory = Callable[[Any], Gateway]
"""Makes a gateway, not yet open, from a validated spec: an instance of the kind's model."""

PubSubFactory = Callable[[Any], PubSub]
"""Makes what publishes and subscribes, not yet open, from a validated spec of the kind."""


class ProvisioningHooks:
    """Hooks of the core: the gateway server, the controllers and the local runtime call them."""

    @hookspec
    def penstock_gateway_kind(self) -> GatewayKind:  # type: ignore[empty-body]
        """Describe the kind of gateway that this plugin adds."""

    @hookspec
    def penstock_gateway_factory(self) -> GatewayFactory:  # type: ignore[empty-body]
        """Hand over what makes a gateway of that kind from its spec."""


class PubSubHooks:
    """Hooks of the sidecar's side."""

    @hookspec
    def penstock_pubsub_factory(self) -> PubSubFactory:  # type: ignore[empty-body]
        """Hand over what reaches the messaging system from a sidecar's own process.

        Left out by gateways that live in one process: a sidecar reaches those through the
        gateway protocol.
        """
