"""The contract, held by KafkaGateway on a real broker in every way in which it is reached."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from penstock.plugin import Message
from penstock.testing import Backend, Fault, GatewayConformance
from tests.servers.installation import Installation
from tests.servers.kafka import KafkaServer
from tests.servers.kafka_properties import Listener
from tests.servers.ports import free_port
from tests.servers.proxy import TcpProxy

SESSION_SECONDS = 10.0
# Retention is looked at often, and what it lets go is gone at once.
EAGER_RETENTION = {
    "log.retention.check.interval.ms": "500",
    "log.segment.delete.delay.ms": "100",
}
SMALLEST_SEGMENTS = {"segment.bytes": str(1024 * 1024), "segment.ms": "500"}
TOO_LARGE = Message(b"x" * 2_000_000)


class KafkaFault(Fault):
    """A broker behind a network that can fail."""

    def __init__(self, server: KafkaServer, proxy: TcpProxy) -> None:
        self._server = server
        self._proxy = proxy

    async def bounce(self) -> None:
        await asyncio.to_thread(self._server.kill)
        await asyncio.to_thread(self._server.start)

    async def freeze(self) -> None:
        self._server.freeze()

    async def thaw(self) -> None:
        self._server.thaw()

    async def cut(self) -> None:
        await self._proxy.cut()

    async def slow(self) -> None:
        self._proxy.slow(delay=0.1)

    async def restore(self) -> None:
        await self._proxy.restore()


@pytest.fixture(scope="module")
def proxy_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def server(kafka_installation: Installation, proxy_port: int) -> Iterator[KafkaServer]:
    """A broker that tells its clients to reach it through a proxy."""
    proxied = Listener("PROXIED", advertised_port=proxy_port)
    with KafkaServer(
        EAGER_RETENTION, listeners=[proxied], installation=kafka_installation
    ) as server:
        yield server


class TestKafkaGateway(GatewayConformance):
    @pytest.fixture
    async def backend(self, server: KafkaServer, proxy_port: int) -> AsyncIterator[Backend]:
        async with TcpProxy(server.address("PROXIED"), proxy_port) as proxy:
            yield Backend(
                "kafka",
                spec={"bootstrapServers": proxy.address},
                fault=KafkaFault(server, proxy),
                config=SMALLEST_SEGMENTS,
                refused=TOO_LARGE,
                session=SESSION_SECONDS,
                outage=SESSION_SECONDS + 2,
            )
