"""What stands in front of a gateway and passes everything on."""

from penstock.observability.forwarding import ForwardingPubSub
from penstock.plugin import Address, Gateway, Health, StreamName, StreamSettings


class ForwardingGateway(ForwardingPubSub, Gateway):
    """Passes on to another."""

    _inner: Gateway

    def __init__(self, inner: Gateway) -> None:
        super().__init__(inner)

    async def check(self) -> Health:
        """Pass it on."""
        return await self._inner.check()

    async def provision(self, stream: StreamSettings) -> Address:
        """Pass it on."""
        return await self._inner.provision(stream)

    async def deprovision(self, stream: StreamSettings) -> None:
        """Pass it on."""
        await self._inner.deprovision(stream)

    def stream_of(self, topic: str) -> StreamName | None:
        """Pass it on."""
        return self._inner.stream_of(topic)
