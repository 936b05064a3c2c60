"""The server as a whole: what listens where, and how it starts and stops."""

import asyncio
import socket
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import grpc
import pytest
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest
from grpc_reflection.v1alpha.reflection_pb2_grpc import ServerReflectionStub

from penstock.plugin import (
    READ_BYTES,
    Edge,
    Group,
    PermanentError,
    Record,
    Start,
    StreamSettings,
    Subscription,
    SubscriptionEvent,
    UsageError,
)
from penstock.server import GatewayServer
from penstock.wire.remote import RemotePubSub
from penstock_inmemory import InMemoryGateway

if TYPE_CHECKING:
    from core.tests.server.conftest import RiffClient


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port on which somebody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


async def test_reflection_names_the_services(channel: grpc.aio.Channel) -> None:
    call = ServerReflectionStub(channel).ServerReflectionInfo(
        iter([ServerReflectionRequest(list_services="")])
    )
    response = await call.read()
    assert {one.name for one in response.list_services_response.service} == {
        "com.github.bsideup.liiklus.LiiklusService",
        "penstock.gateway.v1.BatchGateway",
        "externalscaler.ExternalScaler",
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
    }


async def test_a_service_that_is_not_here_is_unimplemented(
    channel: grpc.aio.Channel, riff: "RiffClient"
) -> None:
    call = channel.unary_unary("/a.Stranger/Call", bytes, bytes)
    code, _ = await riff.refused(call(b""))
    assert code == grpc.StatusCode.UNIMPLEMENTED


async def test_a_stream_it_provisions_has_its_address_and_its_content_type(
    server: GatewayServer, riff: "RiffClient"
) -> None:
    stream = StreamSettings("default", "numbers", content_type="application/json")
    topic, gateway, _ = await server.provision(stream)
    assert gateway == server.address
    code, _ = await riff.refused(riff.publish(topic, b"1", "text/plain"))
    assert code == grpc.StatusCode.INVALID_ARGUMENT


async def test_a_stream_with_a_content_type_that_is_none_is_refused(server: GatewayServer) -> None:
    with pytest.raises(PermanentError, match="'json' is not a media type"):
        await server.provision(StreamSettings("default", "numbers", content_type="json"))


@pytest.mark.parametrize(
    ("host", "advertised", "address"),
    [
        ("127.0.0.1", None, "127.0.0.1:{port}"),
        ("0.0.0.0", None, "127.0.0.1:{port}"),
        ("127.0.0.1", "gateway.default.svc", "gateway.default.svc:{port}"),
        ("127.0.0.1", "gateway.default.svc:6565", "gateway.default.svc:6565"),
    ],
)
async def test_its_address_is_the_one_that_clients_use(
    host: str, advertised: str | None, address: str
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    server = GatewayServer(
        InMemoryGateway(), host=host, port=port, provisioner_port=None, advertised=advertised
    )
    async with server:
        assert server.address == address.format(port=port)
        assert (await server.provision(StreamSettings("a", "b"))).gateway == server.address


async def test_an_ipv6_address_stands_in_brackets() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError as error:
        pytest.skip(f"no IPv6 here: {error}")
    async with GatewayServer(InMemoryGateway(), host="::1", port=0, provisioner_port=0) as server:
        assert server.address.startswith("[::1]:")
        async with grpc.aio.insecure_channel(server.address) as channel:
            await asyncio.wait_for(channel.channel_ready(), timeout=10)


async def test_without_a_provisioner_port_nothing_is_served_there() -> None:
    async with GatewayServer(InMemoryGateway(), port=0, provisioner_port=None) as server:
        assert server.provisioner_port is None


async def test_a_port_in_use_is_named_and_the_gateway_left_alone(taken_port: int) -> None:
    gateway = Recording()
    for ports in ((taken_port, 0), (0, taken_port)):
        with pytest.raises(UsageError, match=f"port {taken_port} .*is in use.*choose another"):
            async with GatewayServer(gateway, port=ports[0], provisioner_port=ports[1]):
                pass
    assert gateway.calls == []


@pytest.mark.parametrize(
    ("host", "port", "reason"),
    [
        ("127.0.0.1", 65536, "expected 0 to 65535"),
        ("127.0.0.1", -1, "expected 0 to 65535"),
        ("192.0.2.1", 0, "not to be had"),
        ("no.such.host.invalid", 0, "not known here"),
    ],
)
async def test_an_impossible_host_or_port_is_a_usage_error(
    host: str, port: int, reason: str
) -> None:
    with pytest.raises(UsageError, match=reason):
        async with GatewayServer(InMemoryGateway(), host=host, port=port, provisioner_port=None):
            pass


async def test_the_gateway_is_open_while_it_is_served_and_closed_once() -> None:
    gateway = Recording()
    async with GatewayServer(gateway, port=0, provisioner_port=0) as server:
        assert gateway.calls == ["open"]
        await server.stop()
        assert gateway.calls == ["open", "close"]
    assert gateway.calls == ["open", "close"]


class Slow(Subscription):
    """Takes a while to leave, and says when it has left."""

    def __init__(self, inner: Subscription, events: list[str]) -> None:
        self._inner = inner
        self._events = events
        self.leaving = asyncio.Event()

    async def next_event(self) -> SubscriptionEvent:
        return await self._inner.next_event()

    async def read(
        self, partition: int, max_records: int, max_bytes: int = READ_BYTES
    ) -> Sequence[Record]:
        return await self._inner.read(partition, max_records, max_bytes)

    async def release(self, partitions: Collection[int]) -> None:
        await self._inner.release(partitions)

    async def ack(self, positions: Mapping[int, int]) -> None:
        await self._inner.ack(positions)

    async def close(self) -> None:
        self.leaving.set()
        for _ in range(20):  # as many round trips as a broker may need
            await asyncio.sleep(0)
        await self._inner.close()
        self._events.append("the member has left")


class WithSlowMembers(InMemoryGateway):
    def __init__(self) -> None:
        super().__init__()
        self.events: list[str] = []
        self.members: list[Slow] = []

    async def subscribe(
        self, topic: str, group: Group, start: Start, member: str = ""
    ) -> Subscription:
        inner = await super().subscribe(topic, group, start, member)
        self.members.append(Slow(inner, self.events))
        return self.members[-1]

    async def close(self) -> None:
        self.events.append("the gateway is closed")
        await super().close()


@pytest.mark.parametrize("batches", [True, False], ids=["batch", "riff"])
@pytest.mark.parametrize("client_leaves_first", [True, False])
async def test_members_have_left_before_the_gateway_is_closed(
    *, batches: bool, client_leaves_first: bool
) -> None:
    gateway = WithSlowMembers()
    async with (
        asyncio.timeout(20),
        GatewayServer(gateway, port=0, provisioner_port=None) as server,
        RemotePubSub(server.address, batches=batches) as remote,
    ):
        subscription = await remote.subscribe("numbers", Group("readers"), Edge.EARLIEST)
        await subscription.next_event()
        [member] = gateway.members
        if client_leaves_first:
            leaving = asyncio.create_task(subscription.close())
            await member.leaving.wait()
            await server.stop()
            await leaving
        else:
            await server.stop()
            await subscription.close()
    assert gateway.events == ["the member has left", "the gateway is closed"]


async def test_it_serves_until_it_is_stopped() -> None:
    async with GatewayServer(InMemoryGateway(), port=0, provisioner_port=0) as server:
        serving = asyncio.create_task(server.serve_forever())
        await server.stop()
        async with asyncio.timeout(10):
            await serving
        for port in (int(server.address.rpartition(":")[2]), server.provisioner_port):
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", port)


async def test_who_waits_for_its_end_may_stop_waiting() -> None:
    async with GatewayServer(InMemoryGateway(), port=0, provisioner_port=None) as server:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(server.serve_forever(), timeout=0)
        async with grpc.aio.insecure_channel(server.address) as channel:
            await asyncio.wait_for(channel.channel_ready(), timeout=10)


class Recording(InMemoryGateway):
    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []

    async def open(self) -> None:
        self.calls.append("open")
        await super().open()

    async def close(self) -> None:
        self.calls.append("close")
        await super().close()
