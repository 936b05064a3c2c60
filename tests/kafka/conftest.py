"""Fixtures of the tests on a real Kafka, and the report at the end of the run."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import NamedTuple, Protocol

import pytest

from tests.kafka.pipeline import PARTITIONS, Pipeline
from tests.kafka.report import ROWS, Row, table
from tests.kafka.request_proxy import RequestProxy
from tests.servers.installation import Installation
from tests.servers.kafka import KafkaServer
from tests.servers.kafka_properties import Listener
from tests.servers.ports import free_port
from tests.servers.proxy import TcpProxy


class Sufferer(NamedTuple):
    """A broker to which bad things are done, and the port at which its clients can be hindered.

    Attributes:
        server: The broker.
        proxy_port: Who connects to the listener PROXIED is told to come to this port.
    """

    server: KafkaServer
    proxy_port: int


class StartPipeline(Protocol):
    """Starts a pipeline for one test."""

    async def __call__(
        self,
        bootstrap_servers: str = "",
        *,
        server: KafkaServer | None = None,
        partitions: int = PARTITIONS,
        **spec: object,
    ) -> Pipeline:
        """Start one.

        Args:
            bootstrap_servers: Where the sidecars go to; otherwise to the broker itself.
            server: Another broker.
            partitions: Of the input.
            spec: What the sidecars' plugin is told besides.
        """


@pytest.fixture(scope="session")
def sufferer(kafka_installation: Installation) -> Iterator[Sufferer]:
    """One broker for all tests that do bad things: a start takes seconds."""
    port = free_port()
    with KafkaServer(
        # Retention is looked at often.
        {"log.retention.check.interval.ms": "200"},
        listeners=[Listener("PROXIED", advertised_port=port)],
        installation=kafka_installation,
    ) as server:
        yield Sufferer(server, port)


@pytest.fixture
def broker(sufferer: Sufferer) -> Iterator[KafkaServer]:
    """A broker that the test may stop, kill, and freeze; but it must thaw it."""
    yield sufferer.server
    if not sufferer.server.is_running:
        sufferer.server.kill()
        sufferer.server.start()


@pytest.fixture
async def network(broker: KafkaServer, sufferer: Sufferer) -> AsyncIterator[TcpProxy]:
    """A way to the broker that can be cut, frozen and slowed."""
    async with TcpProxy(broker.address("PROXIED"), sufferer.proxy_port) as proxy:
        yield proxy


@pytest.fixture
async def requests(broker: KafkaServer, sufferer: Sufferer) -> AsyncIterator[RequestProxy]:
    """A way to the broker on which requests of a kind can be held up."""
    async with RequestProxy(broker.address("PROXIED"), sufferer.proxy_port) as proxy:
        yield proxy


@pytest.fixture
async def start_pipeline(
    broker: KafkaServer, request: pytest.FixtureRequest
) -> AsyncIterator[StartPipeline]:
    """Starts pipelines, and ends all their processes."""
    rows = request.config.stash.setdefault(ROWS, [])
    async with AsyncExitStack() as stack:

        async def start(
            bootstrap_servers: str = "",
            *,
            server: KafkaServer | None = None,
            partitions: int = PARTITIONS,
            **spec: object,
        ) -> Pipeline:
            own = (server or broker).bootstrap_servers
            pipeline = Pipeline(
                own,
                request.node.name.removeprefix("test_").replace("_", " "),
                rows,
                spec={"bootstrapServers": bootstrap_servers or own, **spec},
                partitions=partitions,
            )
            return await stack.enter_async_context(pipeline)

        yield start


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Show what became of the messages."""
    rows: list[Row] = config.stash.get(ROWS, [])
    if rows:
        terminalreporter.section("messages through faults")
        for line in table(rows):
            terminalreporter.write_line(line)
