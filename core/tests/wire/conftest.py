"""One gateway in memory, reached in each of the three ways that there are."""

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
    Assigned,
    Edge,
    Group,
    PositionExpired,
    PubSub,
    Record,
    Revoked,
    Start,
    StreamSettings,
    Subscription,
    SubscriptionEvent,
    TemporaryError,
)
from penstock.server.batch_service import BatchGatewayService
from penstock.server.calls import Calls
from penstock.server.catalog import StreamCatalog
from penstock.server.liiklus_service import LiiklusService
from penstock.wire.channel import SERVER_OPTIONS
from penstock.wire.protocol.gateway_pb2_grpc import add_BatchGatewayServicer_to_server
from penstock.wire.protocol.liiklus_pb2_grpc import add_LiiklusServiceServicer_to_server
from penstock.wire.remote import RemotePubSub
from penstock_inmemory import InMemoryGateway

if TYPE_CHECKING:
    Handler = grpc.RpcMethodHandler[Any, Any] | None

PATIENCE = 20.0  # seconds for what happens at once where it is right

READERS = Group("readers")

Serve = Callable[..., Coroutine[Any, Any, "Served"]]
Launch = Callable[..., Coroutine[Any, Any, "Launched"]]
Join = Callable[..., Coroutine[Any, Any, "Member"]]
MakeTopic = Callable[..., Coroutine[Any, Any, str]]


class Member:
    """A subscription used as a host does it: one task on the events, one for each partition.

    Attributes:
        records: What was read, by partition.
        gaps: What could not be read any more.
        revocations: In their order.
        holds: Partitions that are not read for as long as they are in it.
        lost: Why the membership ended, if it did.
    """

    def __init__(self, subscription: Subscription, holds: set[int], *, releases: bool) -> None:
        self.subscription = subscription
        self.records: dict[int, list[Record]] = {}
        self.partitions: set[int] = set()
        self.gaps: list[PositionExpired] = []
        self.revocations: list[Revoked] = []
        self.holds = holds
        self.lost: TemporaryError | None = None
        self._releases = releases
        self._changed = asyncio.Event()
        self._tasks = {asyncio.create_task(self._follow())}

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for what its attributes will say."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    async def until_read(self, count: int) -> list[Record]:
        """Wait for so many records, and give them partition by partition."""
        await self.until(lambda: self.count >= count)
        assert self.count == count
        return [record for _, records in sorted(self.records.items()) for record in records]

    @property
    def count(self) -> int:
        return sum(map(len, self.records.values()))

    def resume(self, partition: int) -> None:
        """Read a partition that was held."""
        self.holds.discard(partition)
        self._tasks.add(asyncio.create_task(self._read(partition)))

    async def ack_all(self) -> None:
        positions = {at: records[-1].offset for at, records in self.records.items()}
        await self.subscription.ack(positions)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.subscription.close()

    async def _follow(self) -> None:
        while True:
            try:
                event = await self.subscription.next_event()
            except TemporaryError as error:
                self.lost = error
                self._changed.set()
                return
            match event:
                case Assigned(partitions):
                    self.partitions |= partitions
                    for partition in partitions - self.holds:
                        self._tasks.add(asyncio.create_task(self._read(partition)))
                case Revoked(partitions):
                    self.partitions -= partitions
                    self.revocations.append(event)
                    if self._releases:
                        await self.subscription.release(partitions)
            self._changed.set()

    async def _read(self, partition: int) -> None:
        while True:
            try:
                records = await self.subscription.read(partition, 1000)
            except PositionExpired as gap:
                self.gaps.append(gap)
            else:
                if not records:
                    return
                self.records.setdefault(partition, []).extend(records)
            self._changed.set()


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


@pytest.fixture(params=["direct", "batch", "riff"])
def way(request: pytest.FixtureRequest) -> str:
    """How the gateway is reached: in this process, over our protocol, over riff's alone."""
    return str(request.param)


@pytest.fixture
async def pubsub(way: str, gateway: InMemoryGateway, serve: Serve) -> AsyncIterator[PubSub]:
    if way == "direct":
        yield gateway
    else:
        served = await serve(batch=way == "batch", riff=True)
        async with RemotePubSub(served.address) as remote:
            yield remote


@pytest.fixture
def make_topic(gateway: InMemoryGateway) -> MakeTopic:
    """Makes a topic of so many partitions, with bounds if need be."""

    async def make(partitions: int = 1, **settings: object) -> str:
        stream = StreamSettings("default", "numbers", partitions=partitions, **settings)  # type: ignore[arg-type]
        return (await gateway.provision(stream)).topic

    return make


@pytest.fixture
async def join(pubsub: PubSub) -> AsyncIterator[Join]:
    """Adds a member to a group; whoever is left at the end leaves."""
    members: list[Member] = []

    async def join(
        topic: str,
        group: Group = READERS,
        start: Start = Edge.EARLIEST,
        *,
        holds: frozenset[int] = frozenset(),
        releases: bool = True,
    ) -> Member:
        async with asyncio.timeout(PATIENCE):
            subscription = await pubsub.subscribe(topic, group, start)
        members.append(Member(subscription, set(holds), releases=releases))
        return members[-1]

    yield join
    for member in members:
        with suppress(TemporaryError):
            await member.stop()
