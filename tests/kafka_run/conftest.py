"""Fixtures of the runs with Kafka."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests.command_line import Penstock
from tests.kafka_run.server import Server, serve
from tests.servers.kafka import KafkaServer


@pytest.fixture
def penstock(tmp_path: Path) -> Penstock:
    """The command line, in a state folder of the test's."""
    return Penstock(tmp_path / "state")


@pytest.fixture
def prefix() -> str:
    """What the names of the test's topics begin with."""
    return f"{uuid4().hex[:12]}."


@pytest.fixture
def server(penstock: Penstock, kafka: KafkaServer, prefix: str) -> Iterator[Server]:
    """A gateway on the shared broker, with a prefix of the test's."""
    with serve(penstock, kafka.bootstrap_servers, topicPrefix=prefix) as server:
        yield server
