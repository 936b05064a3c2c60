"""gRPC health: whether the gateway can serve now, for the server and for each of its services."""

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub, add_HealthServicer_to_server

from penstock.plugin import Health
from penstock.server import GatewayServer
from penstock.server.health import HealthReport
from penstock_inmemory import InMemoryGateway

SERVICES = [
    "",
    "com.github.bsideup.liiklus.LiiklusService",
    "penstock.gateway.v1.BatchGateway",
    "externalscaler.ExternalScaler",
]
SERVING, NOT_SERVING = HealthCheckResponse.SERVING, HealthCheckResponse.NOT_SERVING


class Moody(InMemoryGateway):
    """Says of itself what it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.mood: Health | Exception = Health(ready=True)

    async def check(self) -> Health:
        if isinstance(self.mood, Exception):
            raise self.mood
        return self.mood


@pytest.fixture
def gateway() -> Moody:
    return Moody()


async def statuses(
    channel: grpc.aio.Channel, service: str = ""
) -> AsyncIterator[HealthCheckResponse.ServingStatus.ValueType]:
    """The status of a service, and each that it changes to."""
    async with asyncio.timeout(10):
        async for response in HealthStub(channel).Watch(HealthCheckRequest(service=service)):
            yield response.status


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_is_serving_as_soon_as_the_server_is_there(
    channel: grpc.aio.Channel, service: str
) -> None:
    response = await HealthStub(channel).Check(HealthCheckRequest(service=service))
    assert response.status == SERVING


async def test_a_service_that_is_not_here_is_not_found(channel: grpc.aio.Channel) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await HealthStub(channel).Check(HealthCheckRequest(service="another"))
    assert failure.value.code() == grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize("service", SERVICES)
async def test_it_follows_what_the_gateway_says(
    channel: grpc.aio.Channel, gateway: Moody, service: str, caplog: pytest.LogCaptureFixture
) -> None:
    watch = statuses(channel, service)
    assert await anext(watch) == SERVING
    gateway.mood = Health(ready=False, message="no broker at 10.0.0.1:9092")
    assert await anext(watch) == NOT_SERVING
    gateway.mood = Health(ready=True)
    assert await anext(watch) == SERVING
    assert caplog.text.count("no broker at 10.0.0.1:9092") == 1


async def test_who_wants_to_know_is_told_of_each_change() -> None:
    told: asyncio.Queue[Health] = asyncio.Queue()
    gateway = Moody()
    changes = [
        Health(ready=False, message="no broker"),
        Health(ready=False, message="no login"),
        Health(ready=True),
    ]
    server = GatewayServer(
        gateway, port=0, provisioner_port=None, check_interval=0.001, tell_health=told.put_nowait
    )
    async with asyncio.timeout(10), server:
        for change in changes:
            gateway.mood = change
            assert await told.get() == change
    assert told.empty()


async def test_a_check_that_raises_means_not_serving(
    channel: grpc.aio.Channel, gateway: Moody
) -> None:
    watch = statuses(channel)
    assert await anext(watch) == SERVING
    gateway.mood = RuntimeError("a plugin that breaks its promise")
    assert await anext(watch) == NOT_SERVING
    gateway.mood = Health(ready=True)
    assert await anext(watch) == SERVING


async def test_a_gateway_that_does_not_answer_is_not_ready(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Silent(InMemoryGateway):
        async def check(self) -> Health:
            await asyncio.Event().wait()
            raise AssertionError

    report = HealthReport(Silent(), [], interval=60, patience=0.01)
    await report.start()
    await report.stop()
    assert "it did not answer within 0.01 s" in caplog.text


async def test_when_the_server_stops_nothing_is_serving() -> None:
    report = HealthReport(InMemoryGateway(), ["a.Service"], interval=60)
    server = grpc.aio.server()
    add_HealthServicer_to_server(report.servicer, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    await report.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        watch = statuses(channel, "a.Service")
        assert await anext(watch) == SERVING
        await report.stop()
        assert await anext(watch) == NOT_SERVING
    await server.stop(None)


async def test_a_server_whose_gateway_is_not_ready_starts_and_says_so() -> None:
    gateway = Moody()
    gateway.mood = Health(ready=False, message="no broker")
    async with (
        GatewayServer(gateway, port=0, provisioner_port=None) as server,
        grpc.aio.insecure_channel(server.address) as channel,
    ):
        response = await HealthStub(channel).Check(HealthCheckRequest())
    assert response.status == NOT_SERVING
