"""Fixtures that give tests real servers; loaded by the root's conftest."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import Protocol

import pytest

from tests.servers.kafka import KafkaServer, Listener
from tests.servers.requirement import Unavailable, skip


class OwnKafka(Protocol):
    """Starts a broker for one test."""

    def __call__(
        self, properties: Mapping[str, str] | None = None, *, listeners: Sequence[Listener] = ()
    ) -> KafkaServer:
        """The arguments are those of `KafkaServer`."""


@pytest.fixture(scope="session")
def kafka() -> Iterator[KafkaServer]:
    """The broker that all tests share: none stops it, each uses topics and groups of its own."""
    try:
        server = KafkaServer()
    except Unavailable as reason:
        skip(reason)
    with server:
        yield server


@pytest.fixture
def own_kafka() -> Iterator[OwnKafka]:
    """Starts brokers for this test alone, to be stopped, killed and configured."""
    with ExitStack() as stack:

        def make(
            properties: Mapping[str, str] | None = None, *, listeners: Sequence[Listener] = ()
        ) -> KafkaServer:
            try:
                server = KafkaServer(properties, listeners=listeners)
            except Unavailable as reason:
                skip(reason)
            return stack.enter_context(server)

        yield make
