"""Fixtures of the runs with Kafka."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.command_line import Penstock
from tests.kafka_run.server import SERVERS_PREFIX, Server, serve
from tests.servers.kafka import KafkaServer


@pytest.fixture
def penstock(tmp_path: Path) -> Penstock:
    """The command line, in a state folder of the test's."""
    return Penstock(tmp_path / "state")


@pytest.fixture
def prefix() -> str:
    """What the names of the test's topics begin with."""
    return f"{uuid4().hex[:12]}."


@pytest.fixture(scope="session")
def server(kafka: KafkaServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One gateway on the shared broker for all tests: whatever one asks of it, the others go on."""
    penstock = Penstock(tmp_path_factory.mktemp("server") / "state")
    with serve(penstock, kafka.bootstrap_servers, topicPrefix=SERVERS_PREFIX) as server:
        yield server


@pytest.fixture
def words() -> str:
    """The name of a stream that no other test has."""
    return f"words-{uuid4().hex[:12]}"
