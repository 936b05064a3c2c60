"""A real gateway and a pump beside it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack

import pytest

from penstock.delivery import BackoffPolicy, Delivery
from penstock.plugin import Edge, Group, Message, PubSub, Record, StreamSettings, Subscription
from penstock.server import GatewayServer
from penstock.window import Window
from penstock.wire.remote import RemotePubSub
from penstock_inmemory import InMemoryGateway
from penstock_sidecar.engine import Output, Settings
from penstock_sidecar.function import FunctionHost, Start
from penstock_sidecar.pump import Pump, Sink, Source

PATIENCE = 10.0
"""Seconds before a test that waits for something gives up."""

QUICK = Delivery(max_deliveries=2, backoff=BackoffPolicy(initial=0.001))
"""A function that fails is called once more, at once."""


async def until(condition: Callable[[], Awaitable[bool] | bool]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(PATIENCE):
        while True:
            held = condition()
            if held if isinstance(held, bool) else await held:
                return
            await asyncio.sleep(0.005)


class Bench:
    """A gateway in memory, the way that a pump reaches it, and a pump.

    Attributes:
        store: The gateway itself.
        pubsub: What the pump publishes and subscribes with.
        pump: The pump, once it is started.
        running: Its run.
    """

    def __init__(self, store: InMemoryGateway, pubsub: PubSub) -> None:
        self.store = store
        self.pubsub = pubsub
        self.pump: Pump | None = None
        self.running: asyncio.Task[None] | None = None
        self._host: FunctionHost | None = None
        self._members: list[Subscription] = []

    async def make(self, topic: str, partitions: int) -> None:
        """Make a topic `n_topic`."""
        namespace, _, name = topic.partition("_")
        await self.store.provision(StreamSettings(namespace, name, partitions=partitions))

    async def publish(self, topic: str, *texts: str, key: bytes | None = None) -> None:
        """Publish texts."""
        messages = [Message(text.encode(), "text/plain", key) for text in texts]
        await self.store.publish(topic, messages)

    async def start(
        self,
        function: str,
        window: Window | None = None,
        *,
        inputs: Sequence[str] = ("in",),
        outputs: Mapping[str, str] | None = None,
        pubsub: PubSub | None = None,
        delivery: Delivery = QUICK,
    ) -> None:
        """Start a pump from topics named as the inputs to topics named as the outputs."""
        sinks = {"out": "text/plain"} if outputs is None else outputs
        way = pubsub or self.pubsub
        start = Start(list(sinks.values()), list(inputs), list(sinks))
        self._host = FunctionHost(function, start)
        await self._host.connect()
        settings = Settings(
            group="g",
            inputs=tuple(inputs),
            outputs=tuple(Output(name, type_) for name, type_ in sinks.items()),
            window=window or Window(),
            delivery=delivery,
        )
        self._members = [await way.subscribe(topic, Group("g"), Edge.EARLIEST) for topic in inputs]
        sources = [Source(name, member) for name, member in zip(inputs, self._members, strict=True)]
        names = [*sinks, *([delivery.dead_letter_stream] if delivery.dead_letter else [])]
        targets = [Sink(name, way, name) for name in names]
        self.pump = Pump(settings, sources, targets, self._host)
        self.running = asyncio.create_task(self.pump.run())

    async def outputs(self, count: int, topic: str = "out") -> list[Message]:
        """The first so many messages of a topic with one partition."""
        reading = asyncio.create_task(self._read(count, topic))
        awaited = {reading} | ({self.running} if self.running else set())
        await asyncio.wait(awaited, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        if self.running and self.running.done() and self.running.exception():
            reading.cancel()
            await self.running
        async with asyncio.timeout(PATIENCE):
            return await reading

    async def _read(self, count: int, topic: str) -> list[Message]:
        found: list[Record] = []
        async with await self.store.subscribe(topic, Group("watcher"), Edge.EARLIEST) as watcher:
            await watcher.next_event()
            while len(found) < count:
                found += await watcher.read(0, count - len(found))
        return [record.message for record in found]

    async def acked(self, topic: str = "in") -> Mapping[int, int]:
        """How far the pump's group has acked."""
        return (await self.store.positions(topic, "g")).get(0, {})

    async def until_acked(self, offset: int, topic: str = "in") -> None:
        """Wait until the only partition of a topic is acked so far."""

        async def is_acked() -> bool:
            return (await self.acked(topic)).get(0) == offset

        await until(is_acked)

    async def end(self) -> None:
        """Wait until the pump's run is over; raises what it raises."""
        assert self.running
        async with asyncio.timeout(PATIENCE):
            await self.running

    async def stop(self, grace: float = 5.0) -> None:
        """Stop the pump and wait for it."""
        assert self.pump
        self.pump.stop(grace)
        await self.end()

    async def close(self) -> None:
        """Let go of everything that `start` made."""
        if self.running and not self.running.done():
            self.running.cancel()
            await asyncio.wait([self.running])
        for member in self._members:
            await member.close()
        if self._host:
            await self._host.close()


@pytest.fixture(params=["direct", "batch", "riff"])
async def bench(request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    """A bench whose pump is in the gateway's process, or reaches it over either protocol."""
    async with AsyncExitStack() as stack:
        store = InMemoryGateway()
        pubsub: PubSub = store
        if request.param == "direct":
            await stack.enter_async_context(store)
        else:
            server = GatewayServer(store, port=0, provisioner_port=None)
            await stack.enter_async_context(server)
            remote = RemotePubSub(server.address, batches=request.param == "batch")
            pubsub = await stack.enter_async_context(remote)
        made = Bench(store, pubsub)
        yield made
        await made.close()


@pytest.fixture
async def direct_bench() -> AsyncIterator[Bench]:
    """A bench whose pump is in the gateway's process."""
    async with InMemoryGateway() as store:
        made = Bench(store, store)
        yield made
        await made.close()


@pytest.fixture(name="until")
def until_fixture() -> Callable[[Callable[[], Awaitable[bool] | bool]], Awaitable[None]]:
    """Waits until something holds."""
    return until
