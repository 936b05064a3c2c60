"""InMemoryGateway: streams in the memory of one process.

What makes this package a plugin is here: an entry point of the group `penstock.gateways` names
this module (see `pyproject.toml`), and the module implements two hooks. There is no
`penstock_pubsub_factory`: memory is of one process, others reach it through the gateway protocol.
"""

from penstock.plugin import Capability, GatewayFactory, GatewayKind, hookimpl
from penstock_inmemory.gateway import InMemoryGateway
from penstock_inmemory.spec import InMemoryGatewaySpec

__all__ = ["InMemoryGateway", "InMemoryGatewaySpec"]

KIND = GatewayKind(
    name="InMemoryGateway",
    spec=InMemoryGatewaySpec,
    capabilities=frozenset(Capability) - {Capability.DURABLE},
    summary="Keeps streams in the memory of one process, for development and tests.",
)


@hookimpl
def penstock_gateway_kind() -> GatewayKind:
    """Describe the kind: its name, its spec, what it promises."""
    return KIND


@hookimpl
def penstock_gateway_factory() -> GatewayFactory:
    """Hand over what makes a gateway of a spec."""
    return InMemoryGateway
