"""The ways in which a gateway is reached; all of them promise the same."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum

from penstock.plugin import Gateway, PubSub
from penstock.server.gateway_server import GatewayServer
from penstock.testing.backend import Backend
from penstock.wire.remote import RemotePubSub


class Way(StrEnum):
    """How publishers and subscribers reach a gateway."""

    DIRECT = "direct"
    """The plugin in their own process, as in a sidecar that has it installed."""
    BATCH = "batch"
    """Through the gateway server, over penstock's batch protocol."""
    RIFF = "riff"
    """Through the gateway server, over riff's protocol alone."""


@dataclass(frozen=True)
class Reached:
    """A gateway that is open.

    Attributes:
        gateway: The gateway itself.
        pubsub: What publishers and subscribers use.
        address: `host:port` of its server; empty where there is none.
    """

    gateway: Gateway
    pubsub: PubSub
    address: str = ""


@asynccontextmanager
async def reach(backend: Backend, way: Way) -> AsyncIterator[Reached]:
    """Open a gateway of the backend's spec; it is closed again at the end."""
    plugin = backend.find()
    gateway = plugin.make_gateway(backend.spec)
    async with AsyncExitStack() as opened:
        if way is not Way.DIRECT:
            server = GatewayServer(gateway, port=0, provisioner_port=0)
            await opened.enter_async_context(server)
            remote = RemotePubSub(server.address, batches=way is Way.BATCH)
            yield Reached(gateway, await opened.enter_async_context(remote), server.address)
            return
        await opened.enter_async_context(gateway)
        pubsub: PubSub = gateway
        if plugin.pubsub is not None:  # what a sidecar opens, which provisions nothing
            pubsub = plugin.pubsub(plugin.kind.spec.model_validate(backend.spec))
            await opened.enter_async_context(pubsub)
        yield Reached(gateway, pubsub)
