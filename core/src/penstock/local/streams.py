"""The streams of a run, made side by side: one that waits for a broker holds up no other."""

import asyncio
from collections.abc import Callable, Collection, Sequence

from penstock.local.gateways import Key, LocalGateways
from penstock.local.state import RunningStream
from penstock.resources.models import ConcreteGateway, Stream
from penstock.workload import StreamBinding


class LocalStreams:
    """Makes what manifests declare.

    Args:
        streams: Those of the manifests.
        gateways: Where they are made.

    Attributes:
        bindings: Where each stream is that is there by now, by namespace and name.
    """

    def __init__(self, streams: Sequence[Stream], gateways: LocalGateways) -> None:
        self.bindings: dict[Key, StreamBinding] = {}
        self._streams = streams
        self._gateways = gateways

    @property
    def running(self) -> tuple[RunningStream, ...]:
        """Those that are there by now, in the order of the manifests."""
        keys = [(one.metadata.namespace, one.metadata.name) for one in self._streams]
        found = [(key, self.bindings[key]) for key in keys if key in self.bindings]
        return tuple(
            RunningStream(*key, one.gateway, one.topic, one.content_type) for key, one in found
        )

    async def open(self, resources: Collection[ConcreteGateway], found: Callable[[], None]) -> None:
        """Open gateways and make the streams of each, until all are there.

        Args:
            resources: The gateways.
            found: Called after each stream.

        Raises:
            UsageError: A gateway refuses a stream; the rest is broken off.
        """
        try:
            async with asyncio.TaskGroup() as opening:
                for resource in resources:
                    opening.create_task(self._open(resource, found, opening))
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None

    async def _open(
        self, resource: ConcreteGateway, found: Callable[[], None], opening: asyncio.TaskGroup
    ) -> None:
        await self._gateways.open(resource)
        gateway = resource.metadata
        for stream in self._streams:
            wanted = (stream.metadata.namespace, stream.spec.gateway.name)
            if wanted == (gateway.namespace, gateway.name):
                opening.create_task(self._make(stream, found))

    async def _make(self, stream: Stream, found: Callable[[], None]) -> None:
        key = (stream.metadata.namespace, stream.metadata.name)
        self.bindings[key] = await self._gateways.provision(stream)
        found()
