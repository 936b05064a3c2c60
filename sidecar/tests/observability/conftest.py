"""A processor between the topics `in` and `out` of a gateway, in the test's own process."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Tracer
from prometheus_client.parser import text_string_to_metric_families

from penstock.observability import lag
from penstock.plugin import Edge, Group, Message, PublishResult, StreamSettings, TemporaryError
from penstock.server import GatewayServer
from penstock_inmemory import InMemoryGateway
from penstock_sidecar.configuration import read_configuration
from penstock_sidecar.processor import Processor

PATIENCE = 10.0
"""Seconds before a test that waits for something gives up."""
PREFIX = "penstock_sidecar_"

T = TypeVar("T")


class Found:
    """What a scrape found."""

    def __init__(self, text: str) -> None:
        self._samples = [
            sample for family in text_string_to_metric_families(text) for sample in family.samples
        ]

    def __call__(self, name: str, **labels: str) -> float | None:
        """The value of a series of the processor; ``None``: there is none."""
        wanted = {"processor": "g", **labels}
        found = [
            one.value for one in self._samples if (one.name, one.labels) == (PREFIX + name, wanted)
        ]
        return found[0] if found else None

    def by(self, label: str, name: str) -> dict[str, float]:
        """The values of a metric by one of its labels."""
        return {one.labels[label]: one.value for one in self._samples if one.name == PREFIX + name}


class Busy(InMemoryGateway):
    """Cannot store for now, as often as it is told; then it stores."""

    busy = 0

    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[PublishResult]:
        if self.busy and topic == "out":
            self.busy -= 1
            raise TemporaryError("busy")
        return await super().publish(topic, messages)


class Watched:
    """A processor that runs, and the gateway that it is at.

    Attributes:
        store: The gateway.
        port: Of its metrics.
    """

    def __init__(self, folder: Path, port: int, tracer: Tracer) -> None:
        self.store = Busy()
        self.port = port
        self._folder = folder
        self._tracer = tracer
        self._server = GatewayServer(self.store, port=0, provisioner_port=None)
        self._processor: Processor | None = None
        self._running: asyncio.Task[None] | None = None

    async def open(self, partitions: int = 1) -> None:
        """Serve the gateway."""
        await self._server.__aenter__()
        for name in ("in", "out"):
            self.bind("input_000" if name == "in" else "output_000", name)
        if partitions > 1:
            await self.make_partitions(partitions)

    async def make_partitions(self, partitions: int) -> None:
        """Have `n_in` with so many partitions as the input."""
        topic = await self.store.provision(StreamSettings("n", "in", partitions=partitions))
        self.bind("input_000", topic.topic)

    def bind(self, name: str, topic: str, stream: str = "") -> None:
        """Write a binding."""
        files = {
            "metadata/contentType": "text/plain",
            "secret/gateway": self._server.address,
            "secret/topic": topic,
        }
        if stream:
            files["metadata/stream"] = stream
        for path, text in files.items():
            file = self._folder / name / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)

    async def publish(self, *texts: str, topic: str = "in", **more: str) -> None:
        """Publish texts, with headers."""
        await self.store.publish(
            topic, [Message(text.encode(), "text/plain", headers=more) for text in texts]
        )

    def start(self, function: str, **variables: str) -> None:
        """Start the processor."""
        environment = {
            "FUNCTION": function,
            "GROUP": "g",
            "INPUT_NAMES": "in",
            "OUTPUT_NAMES": "out",
            "INPUT_START_OFFSETS": "earliest",
            "CNB_BINDINGS": str(self._folder),
            "PENSTOCK_WINDOW": json.dumps({"size": "100ms"}),
            "PENSTOCK_HOST": "127.0.0.1",
            "PENSTOCK_METRICS_PORT": str(self.port),
            **variables,
        }
        self._processor = Processor(read_configuration(environment), self._tracer)
        self._running = asyncio.create_task(self._processor.run())

    async def end(self) -> None:
        """Wait until the processor's run is over; raises what it raises."""
        assert self._running
        async with asyncio.timeout(PATIENCE):
            await self._running

    async def stop(self) -> None:
        """Stop the processor and wait for it."""
        assert self._processor
        self._processor.stop()
        await self.end()

    async def get(self, path: str) -> tuple[int, str]:
        """The answer of the port of the metrics; 0: nobody listens yet."""

        def get() -> tuple[int, str]:
            try:
                with urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=PATIENCE) as answer:
                    return answer.status, answer.read().decode()
            except HTTPError as error:
                with error:
                    return error.code, error.read().decode()
            except OSError:
                return 0, ""

        return await asyncio.to_thread(get)

    async def scrape(self) -> Found:
        """The metrics."""
        return Found((await self.get("/metrics"))[1])

    async def until(self, condition: Callable[[Found], bool]) -> Found:
        """Scrape until something holds."""
        async with asyncio.timeout(PATIENCE):
            while not condition(found := await self.scrape()):
                self._check()
            return found

    async def until_failed(self) -> None:
        """Wait until a call of the function has failed."""
        await self.until(lambda found: (found("function_failures_total", reason="failed") or 0) > 0)

    async def outputs(self, count: int) -> list[Message]:
        """The first so many messages of the output."""
        found: list[Message] = []
        async with asyncio.timeout(PATIENCE):
            watcher = await self.store.subscribe("out", Group("watcher"), Edge.EARLIEST)
            async with watcher:
                await watcher.next_event()
                while len(found) < count:
                    records = await self._while_it_runs(watcher.read(0, count - len(found)))
                    found += [record.message for record in records]
        return found

    async def until_acked(self, offset: int, topic: str = "in") -> None:
        """Wait until the first partition is acked so far."""
        async with asyncio.timeout(PATIENCE):
            while (await self.store.positions(topic, "g")).get(0, {}).get(0) != offset:
                self._check()
                await asyncio.sleep(0.005)

    async def _while_it_runs(self, waiting: Coroutine[Any, Any, T]) -> T:
        """Wait for something, but no longer than the processor can bring it about."""
        task = asyncio.create_task(waiting)
        try:
            await asyncio.wait(
                [task, *([self._running] if self._running else [])],
                return_when=asyncio.FIRST_COMPLETED,
            )
            self._check()
            return await task
        finally:
            task.cancel()

    def _check(self) -> None:
        """Fail with the processor's failure, rather than wait for what cannot come."""
        if self._running and self._running.done():
            self._running.result()

    async def close(self) -> None:
        """End everything."""
        if self._running and not self._running.done():
            self._running.cancel()
            with suppress(asyncio.CancelledError):
                await self._running
        await self._server.stop(grace=0.1)


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    """Where the spans of a test are."""
    return InMemorySpanExporter()


@pytest.fixture
async def watched(
    tmp_path: Path,
    free_port: int,
    exporter: InMemorySpanExporter,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Watched]:
    """A gateway, and a processor to start; its lag is measured at each scrape."""
    monkeypatch.setattr(lag, "INTERVAL", 0.0)
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    made = Watched(tmp_path, free_port, provider.get_tracer("test"))
    await made.open()
    yield made
    await made.close()
    provider.shutdown()
