"""Fixtures that give tests real servers; loaded by the root's conftest."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import ExitStack
from typing import NamedTuple, Protocol
from uuid import uuid4

import pytest

from tests.servers.installation import Installation
from tests.servers.kafka import KafkaServer
from tests.servers.kafka_properties import Listener
from tests.servers.kubernetes import KubernetesServer
from tests.servers.kubernetes_definitions import define_resources
from tests.servers.kubernetes_programs import KubernetesPrograms
from tests.servers.ports import free_port
from tests.servers.proxy import TcpProxy
from tests.servers.requirement import Unavailable, skip
from tests.servers.secure_kafka import SecureKafka, secure_kafka_server


class OwnKafka(Protocol):
    """Starts a broker for one test."""

    def __call__(
        self, properties: Mapping[str, str] | None = None, *, listeners: Sequence[Listener] = ()
    ) -> KafkaServer:
        """The arguments are those of `KafkaServer`."""


class ProxiedKafka(NamedTuple):
    """A broker, and the proxy through which its clients reach it.

    When the broker moves, the proxy's `target` must follow: `server.address("PROXIED")`.
    """

    server: KafkaServer
    proxy: TcpProxy

    @property
    def bootstrap_servers(self) -> str:
        """The proxy's address, which is also what the broker tells those who connect to it."""
        return self.proxy.address


@pytest.fixture(scope="session")
def kafka_installation() -> Installation:
    """Where Kafka is; whatever asks for it is skipped when it cannot be had."""
    try:
        return Installation.find()
    except Unavailable as reason:
        skip(reason)


@pytest.fixture(scope="session")
def kafka(kafka_installation: Installation) -> Iterator[KafkaServer]:
    """The broker that all tests share: none stops it, each uses topics and groups of its own."""
    with KafkaServer(installation=kafka_installation) as server:
        yield server


@pytest.fixture
def own_kafka(kafka_installation: Installation) -> Iterator[OwnKafka]:
    """Starts brokers for this test alone, to be stopped, killed and configured."""
    with ExitStack() as stack:

        def start(
            properties: Mapping[str, str] | None = None, *, listeners: Sequence[Listener] = ()
        ) -> KafkaServer:
            server = KafkaServer(properties, listeners=listeners, installation=kafka_installation)
            return stack.enter_context(server)

        yield start


@pytest.fixture
async def proxied_kafka(own_kafka: OwnKafka) -> AsyncIterator[ProxiedKafka]:
    """A broker for this test alone, behind a network that can be cut, frozen and slowed."""
    port = free_port()
    server = own_kafka(listeners=[Listener("PROXIED", advertised_port=port)])
    async with TcpProxy(server.address("PROXIED"), port) as proxy:
        yield ProxiedKafka(server, proxy)


@pytest.fixture(scope="session")
def secure_kafka(kafka_installation: Installation) -> Iterator[SecureKafka]:
    """A broker that asks its clients who they are; all tests share it, and none stops it."""
    with secure_kafka_server(kafka_installation) as server:
        yield server


@pytest.fixture(scope="session")
def kubernetes_programs() -> KubernetesPrograms:
    """Where Kubernetes is; whatever asks for it is skipped when it cannot be had."""
    try:
        return KubernetesPrograms.find()
    except Unavailable as reason:
        skip(reason)


@pytest.fixture(scope="session")
def kubernetes(kubernetes_programs: KubernetesPrograms) -> Iterator[KubernetesServer]:
    """The API server that all tests share: none stops it, each has a namespace of its own.

    The definitions of `crds/` are in it.
    """
    with KubernetesServer(kubernetes_programs) as server:
        define_resources(server.api)
        yield server


@pytest.fixture
def own_kubernetes(kubernetes_programs: KubernetesPrograms) -> Iterator[KubernetesServer]:
    """An API server for this test alone, to be stopped and killed; `crds/` is in it."""
    with KubernetesServer(kubernetes_programs) as server:
        define_resources(server.api)
        yield server


@pytest.fixture
def namespace(kubernetes: KubernetesServer) -> Iterator[str]:
    """A namespace for this test alone, on the API server that all tests share."""
    name = f"test-{uuid4().hex[:10]}"
    kubernetes.api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    kubernetes.api.delete({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
