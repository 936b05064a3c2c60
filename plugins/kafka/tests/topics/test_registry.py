"""What gateways note about topics, and read again."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaProducer

from penstock_kafka import KafkaGatewaySpec
from penstock_kafka.cluster import Cluster
from penstock_kafka.topics.administration import Administration
from penstock_kafka.topics.entry import Entry
from penstock_kafka.topics.offsets import Offsets
from penstock_kafka.topics.registry import Registry
from penstock_kafka.topics.requests import Requests
from tests.servers.kafka import KafkaServer

if TYPE_CHECKING:
    from plugins.kafka.tests.topics.conftest import Broker

ENTRY = Entry("space", "stream", owned=True, settings=frozenset({"retention.ms"}))
OTHER = Entry("space", "other", owned=False)


@pytest.fixture
def name(prefix: str) -> str:
    return f"{prefix}registry"


@pytest.fixture
def open_registry(kafka: KafkaServer, stack: AsyncExitStack, name: str) -> Callable[[], Registry]:
    """Opens the registry as one more process would."""

    def open_() -> Registry:
        cluster = Cluster(KafkaGatewaySpec(bootstrap_servers=kafka.bootstrap_servers))
        stack.push_async_callback(cluster.close)
        requests = Requests(cluster)
        return Registry(name, 1, cluster, Administration(requests), Offsets(requests))

    return open_


async def test_looking_into_it_does_not_make_it(
    open_registry: Callable[[], Registry], broker: "Broker", name: str
) -> None:
    assert await open_registry().find("topic") is None
    assert await broker.partitions(name) == 0


async def test_it_is_one_partition_that_is_compacted(
    open_registry: Callable[[], Registry], broker: "Broker", name: str
) -> None:
    await open_registry().open()
    assert await broker.partitions(name) == 1
    assert await broker.set_on(name) == {"cleanup.policy": "compact"}


async def test_what_one_notes_all_others_find_at_once(
    open_registry: Callable[[], Registry],
) -> None:
    one, another = open_registry(), open_registry()
    assert await another.find("topic") is None
    await one.note("topic", OTHER)
    assert await another.find("topic") == OTHER
    await one.note("topic", ENTRY)
    await one.note("unrelated", OTHER)
    assert await another.find("topic") == ENTRY, "the latest"
    assert await one.find("unrelated") == OTHER
    assert await open_registry().find("topic") == ENTRY, "after a restart"


async def test_many_at_once_make_it_once_and_lose_nothing(
    open_registry: Callable[[], Registry],
) -> None:
    registries = [open_registry() for _ in range(4)]
    await asyncio.gather(
        *(registry.note(f"topic-{i}", ENTRY) for i, registry in enumerate(registries))
    )
    found = [await registry.find(f"topic-{i}") for registry in registries for i in range(4)]
    assert found == [ENTRY] * 16


async def test_what_is_no_entry_is_as_if_it_were_not_there(
    kafka: KafkaServer, stack: AsyncExitStack, open_registry: Callable[[], Registry], name: str
) -> None:
    registry = open_registry()
    await registry.note("topic", ENTRY)
    await registry.note("garbled", ENTRY)
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap_servers)
    await producer.start()
    stack.push_async_callback(producer.stop)
    for key, value in ((b"garbled", b"{"), (b"\xff", b"\xff")):
        await producer.send_and_wait(name, key=key, value=value)
    assert await registry.find("garbled") is None
    assert await registry.find("topic") == ENTRY


async def test_one_that_was_deleted_is_forgotten(
    open_registry: Callable[[], Registry], broker: "Broker", name: str
) -> None:
    registry = open_registry()
    await registry.note("topic", ENTRY)
    await registry.note("topic", ENTRY)
    assert await registry.find("topic") == ENTRY
    await broker.administration.delete(name)
    assert await broker.administration.wait_until_gone(name)
    assert await registry.find("topic") is None
    await registry.note("other", OTHER)
    assert await registry.find("topic") is None
    assert await registry.find("other") == OTHER


async def test_one_that_was_made_anew_is_read_from_its_beginning(
    open_registry: Callable[[], Registry], broker: "Broker", name: str
) -> None:
    registry, another = open_registry(), open_registry()
    await registry.note("topic", ENTRY)
    await registry.note("topic", ENTRY)
    assert await registry.find("topic") == ENTRY
    await broker.administration.delete(name)
    assert await broker.administration.wait_until_gone(name)
    await another.note("other", OTHER)
    assert await registry.find("topic") is None
    assert await registry.find("other") == OTHER
