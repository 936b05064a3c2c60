"""One gateway in memory, served in this process or in one of its own."""

import asyncio
import signal
import sys
from collections import Counter
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Coroutine,
    Mapping,
    Sequence,
)
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from penstock.plugin import (
    READ_BYTES,
    Group,
    PubSub,
    Record,
    Start,
    Subscription,
    SubscriptionEvent,
)
from penstock.server.batch_service import BatchGatewayService
from penstock.server.calls import Calls
from penstock.server.catalog import StreamCatalog
from penstock.server.liiklus_service import LiiklusService
from penstock.wire.channel import SERVER_OPTIONS
from penstock.wire.protocol.gateway_pb2_grpc import add_BatchGatewayServicer_to_server
from penstock.wire.protocol.liiklus_pb2_grpc import add_LiiklusServiceServicer_to_server
from penstock_inmemory import InMemoryGateway

if TYPE_CHECKING:
    Handler = grpc.RpcMethodHandler[Any, Any] | None

PATIENCE = 20.0  # seconds for what happens at once where it is right

Serve = Callable[..., Coroutine[Any, Any, "Served"]]
Launch = Callable[..., Coroutine[Any, Any, "Launched"]]


class Counted(Subscription):
    """A subscription of the gateway whose reads are counted."""

    def __init__(self, subscription: Subscription, group: str, fetched: Counter[str]) -> None:
        self._subscription = subscription
        self._group = group
        self._fetched = fetched

    async def next_event(self) -> SubscriptionEvent:
        return await self._subscription.next_event()

    async def read(
        self, partition: int, max_records: int, max_bytes: int = READ_BYTES
    ) -> Sequence[Record]:
        records = await self._subscription.read(partition, max_records, max_bytes)
        self._fetched[self._group] += len(records)
        return records

    async def release(self, partitions: Collection[int]) -> None:
        await self._subscription.release(partitions)

    async def ack(self, positions: Mapping[int, int]) -> None:
        await self._subscription.ack(positions)

    async def close(self) -> None:
        await self._subscription.close()


class CountingGateway(InMemoryGateway):
    """Counts the records that are read, by the name of the group."""

    def __init__(self, fetched: Counter[str]) -> None:
        super().__init__()
        self._fetched = fetched

    async def subscribe(
        self, topic: str, group: Group, start: Start, member: str = ""
    ) -> Subscription:
        subscription = await super().subscribe(topic, group, start, member)
        return Counted(subscription, group.name, self._fetched)


@pytest.fixture
def fetched() -> Counter[str]:
    """Records that were read from the gateway, by the name of the group."""
    return Counter()


@pytest.fixture
async def gateway(fetched: Counter[str]) -> AsyncIterator[InMemoryGateway]:
    async with CountingGateway(fetched) as gateway:
        yield gateway


@pytest.fixture
def catalog() -> StreamCatalog:
    return StreamCatalog()


class Log(grpc.aio.ServerInterceptor):
    """Writes down which methods are called, whether they are there or not."""

    def __init__(self) -> None:
        self.methods: list[str] = []

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable["Handler"]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "Handler":
        self.methods.append(handler_call_details.method.rpartition(".")[2])
        return await continuation(handler_call_details)


@pytest.fixture
def log() -> Log:
    return Log()


class Served:
    """A server of this process."""

    def __init__(self, port: int, server: grpc.aio.Server) -> None:
        self.port = port
        self.address = f"127.0.0.1:{port}"
        self._server = server

    async def stop(self) -> None:
        """Cut every call off."""
        await self._server.stop(0)


class Launched:
    """A server in a process of its own, which can be treated badly."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self.port = port
        self.address = f"127.0.0.1:{port}"
        self._process = process

    async def kill(self) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    def pause(self) -> None:
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._process.send_signal(signal.SIGCONT)


@pytest.fixture
async def launch() -> AsyncIterator[Launch]:
    """Starts processes that serve a gateway in memory over the protocols that are asked for."""
    async with AsyncExitStack() as processes:

        async def start(*protocols: str, port: int = 0) -> Launched:
            script = Path(__file__).with_name("gateway_process.py")
            process = await asyncio.create_subprocess_exec(
                sys.executable, script, str(port), *protocols, stdout=asyncio.subprocess.PIPE
            )
            assert process.stdout
            async with asyncio.timeout(PATIENCE):
                launched = Launched(process, int(await process.stdout.readline()))
            processes.push_async_callback(launched.kill)
            return launched

        yield start


@pytest.fixture
async def serve(gateway: PubSub, catalog: StreamCatalog, log: Log) -> AsyncIterator[Serve]:
    """Serves the gateway over the protocols that are asked for."""
    async with AsyncExitStack() as servers:

        async def start(*, batch: bool, riff: bool, port: int = 0) -> Served:
            server = grpc.aio.server(interceptors=[log, Calls()], options=SERVER_OPTIONS)
            if batch:
                add_BatchGatewayServicer_to_server(BatchGatewayService(gateway, catalog), server)
            if riff:
                add_LiiklusServiceServicer_to_server(LiiklusService(gateway, catalog), server)
            taken = server.add_insecure_port(f"127.0.0.1:{port}")
            await server.start()
            servers.push_async_callback(server.stop, 0)
            return Served(taken, server)

        yield start
