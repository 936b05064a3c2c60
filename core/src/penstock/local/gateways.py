"""The gateways and streams of a run: opened in this process, served on free ports."""

import asyncio
from contextlib import AsyncExitStack
from functools import partial
from typing import TYPE_CHECKING

from penstock.local.output import Output
from penstock.local.summary import display_name
from penstock.plugin import Address, Health, PermanentError, Plugins, TemporaryError, UsageError
from penstock.resources.models import ConcreteGateway, Stream
from penstock.server import GatewayServer
from penstock.workload import Connection, StreamBinding

if TYPE_CHECKING:
    from penstock.observability.tracing import Tracer
    from penstock.server.metrics import GatewayMetrics

RETRY_SECONDS = 1.0
"""Between two tries to provision a stream, where the gateway does not say."""

Key = tuple[str, str]
"""A resource's namespace and name."""


class LocalGateways:
    """Opens what manifests declare; each gateway is closed with the stack.

    Args:
        plugins: What the gateways are made by.
        stack: What closes them.
        output: Told of each.
        metrics: Where they are counted; ``None``: nowhere.
        tracer: What makes spans of sampled messages; ``None``: nothing does.
    """

    def __init__(
        self,
        plugins: Plugins,
        stack: AsyncExitStack,
        output: Output,
        metrics: "GatewayMetrics | None" = None,
        tracer: "Tracer | None" = None,
    ) -> None:
        self._plugins = plugins
        self._stack = stack
        self._output = output
        self._metrics = metrics
        self._tracer = tracer
        self._servers: dict[Key, GatewayServer] = {}
        self._connections: dict[Key, Connection | None] = {}
        self._faults: dict[Key, str] = {}

    async def open(self, resource: ConcreteGateway) -> None:
        """Open a gateway and serve it, whether it is ready or not."""
        key = (resource.metadata.namespace, resource.metadata.name)
        plugin = self._plugins.by_kind[resource.kind]
        server = GatewayServer(
            plugin.gateway(resource.spec),
            port=0,
            provisioner_port=None,
            tell_health=partial(self._tell_health, key, resource.title),
            name=display_name(resource.metadata),
            metrics=self._metrics,
            tracer=self._tracer,
        )
        self._servers[key] = await self._stack.enter_async_context(server)
        self._connections[key] = (
            Connection(resource.kind, resource.spec.model_dump(mode="json", by_alias=True))
            if plugin.pubsub
            else None
        )
        self._output.event(f"{resource.title} serves {server.address}")

    async def provision(self, stream: Stream) -> StreamBinding:
        """Make a stream, however long its gateway takes to be ready.

        Raises:
            UsageError: The gateway refuses it.
        """
        key = (stream.metadata.namespace, stream.spec.gateway.name)
        address = await self._ask(stream, key)
        for sentence in address.drift:
            self._output.warning(f"{stream.title}: {sentence}")
        return StreamBinding(
            gateway=address.gateway,
            topic=address.topic,
            content_type=stream.spec.content_type,
            connection=self._connections[key],
        )

    async def _ask(self, stream: Stream, gateway: Key) -> Address:
        said = ""
        while True:
            try:
                return await self._servers[gateway].provision(stream.settings())
            except PermanentError as error:
                raise UsageError(f"{stream.source}: {stream.title}: {error}") from error
            except TemporaryError as error:
                # What is wrong with the gateway itself is said once, and not by each stream.
                if str(error) not in (said, self._faults.get(gateway)):
                    said = str(error)
                    self._output.warning(f"{stream.title} is not ready: {said}; trying again")
                await asyncio.sleep(error.retry_after or RETRY_SECONDS)

    def _tell_health(self, gateway: Key, title: str, health: Health) -> None:
        self._faults[gateway] = health.message
        if health.ready:
            self._output.event(f"{title} is ready")
        else:
            self._output.warning(f"{title} is not ready: {health.message}; trying again")
