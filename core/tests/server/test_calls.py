"""What holds for every call: here, when the server begins to stop and its port is still open."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

import grpc
import pytest
from grpc_health.v1.health import aio as health
from grpc_health.v1.health_pb2 import HealthCheckRequest
from grpc_health.v1.health_pb2_grpc import HealthStub, add_HealthServicer_to_server

from penstock.server.calls import Calls
from penstock.server.catalog import StreamCatalog
from penstock.server.liiklus_service import LiiklusService
from penstock.wire.channel import open_channel
from penstock.wire.protocol.liiklus_pb2 import SubscribeRequest
from penstock.wire.protocol.liiklus_pb2_grpc import add_LiiklusServiceServicer_to_server
from penstock_inmemory import InMemoryGateway

if TYPE_CHECKING:
    from core.tests.server.conftest import RiffClient

STOPPING = (grpc.StatusCode.UNAVAILABLE, "the gateway is stopping: call again")


@pytest.fixture
def calls() -> Calls:
    return Calls()


@pytest.fixture
async def channel(calls: Calls) -> AsyncIterator[grpc.aio.Channel]:
    """To a server that has no more than a service and what holds for its calls."""
    server = grpc.aio.server(interceptors=[calls])
    service = LiiklusService(InMemoryGateway(), StreamCatalog())
    add_LiiklusServiceServicer_to_server(service, server)
    add_HealthServicer_to_server(health.HealthServicer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with open_channel(f"127.0.0.1:{port}") as channel:
        yield channel
    await server.stop(None)


async def test_open_streams_end(calls: Calls, riff: "RiffClient") -> None:
    subscribing = await riff.subscribe("numbers")
    await riff.assignments(subscribing)
    calls.end_streams()
    assert await riff.refused(subscribing.read()) == STOPPING


async def test_a_stream_whose_handler_writes_by_itself_ends_too(
    calls: Calls, riff: "RiffClient", channel: grpc.aio.Channel
) -> None:
    watching = HealthStub(channel).Watch(HealthCheckRequest())
    await watching.read()
    calls.end_streams()
    assert await riff.refused(watching.read()) == STOPPING


async def test_new_streams_are_refused(calls: Calls, riff: "RiffClient") -> None:
    calls.end_streams()
    request = SubscribeRequest(topic="numbers", group="readers")
    assert await riff.refused(riff.stub.Subscribe(request).read()) == STOPPING


async def test_single_requests_are_still_answered(calls: Calls, riff: "RiffClient") -> None:
    calls.end_streams()
    assert (await riff.publish("numbers", b"1")).offset == 0
