"""Where topics begin and end, on real records."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from penstock.plugin import TemporaryError
from penstock_kafka.topics import Topics
from tests.servers.kafka import KafkaServer

if TYPE_CHECKING:
    from plugins.kafka.tests.topics.conftest import Broker


@pytest.fixture
async def producer(kafka: KafkaServer, stack: AsyncExitStack) -> AIOKafkaProducer:
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap_servers)
    await producer.start()
    stack.push_async_callback(producer.stop)
    return producer


@pytest.fixture
async def transactions(kafka: KafkaServer, stack: AsyncExitStack, topic: str) -> AIOKafkaProducer:
    producer = AIOKafkaProducer(
        bootstrap_servers=kafka.bootstrap_servers, transactional_id=f"transactions-{topic}"
    )
    await producer.start()
    stack.push_async_callback(producer.stop)
    return producer


@pytest.fixture
async def admin(kafka: KafkaServer, stack: AsyncExitStack) -> AIOKafkaAdminClient:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    await admin.start()
    stack.push_async_callback(admin.close)
    return admin


async def eventually(
    look: Callable[[], Awaitable[Mapping[int, int]]], expected: Mapping[int, int]
) -> None:
    """Look until what is seen is what is expected."""
    async with asyncio.timeout(10):
        seen = await look()
        while seen != expected:
            await asyncio.sleep(0.02)
            seen = await look()


async def test_a_topic_that_nobody_made_has_no_positions_and_is_not_made(
    topics: Topics, broker: "Broker", topic: str
) -> None:
    assert await topics.end_positions(topic) == {}
    assert await topics.partitions(topic) == 0
    with pytest.raises(TemporaryError, match="there is no such topic"):
        await topics.earliest(topic, [0])
    assert await broker.partitions(topic) == 0


@pytest.mark.parametrize("name", ["", "a/b", "a" * 300, "a" * 40_000])
async def test_a_topic_that_cannot_be_has_no_positions_either(topics: Topics, name: str) -> None:
    assert await topics.end_positions(name) == {}


async def test_empty_partitions_are_left_out(
    topics: Topics, broker: "Broker", topic: str, producer: AIOKafkaProducer
) -> None:
    await broker.make(topic, partitions=3)
    assert await topics.end_positions(topic) == {}
    for partition in (1, 1, 2):
        await producer.send_and_wait(topic, b"", partition=partition)
    assert await topics.end_positions(topic) == {1: 1, 2: 0}


async def test_deleted_records_leave_a_partition_empty(
    admin: AIOKafkaAdminClient,
    topics: Topics,
    broker: "Broker",
    topic: str,
    producer: AIOKafkaProducer,
) -> None:
    await broker.make(topic, partitions=2)
    for partition in (0, 0, 1):
        await producer.send_and_wait(topic, b"", partition=partition)
    places = [TopicPartition(topic, partition) for partition in (0, 1)]
    await admin.delete_records(dict.fromkeys(places, RecordsToDelete(1)))
    assert await topics.end_positions(topic) == {0: 1}
    assert await topics.earliest(topic, [0, 1]) == {0: 1, 1: 1}
    assert await topics.end_offsets(topic, [0, 1]) == {0: 2, 1: 1}


async def test_the_end_is_where_committed_records_end(
    topics: Topics, broker: "Broker", topic: str, transactions: AIOKafkaProducer
) -> None:
    await broker.make(topic, partitions=2)
    await transactions.begin_transaction()
    await transactions.send_and_wait(topic, b"", partition=1)
    assert await topics.end_offsets(topic, [0, 1]) == {0: 0, 1: 0}
    assert await topics.offsets_at(topic, 0, [1]) == {1: 0}, "the end"
    assert await topics.end_positions(topic) == {}
    await transactions.commit_transaction()
    # The transaction's mark, which the broker writes soon after, is a record as well.
    await eventually(lambda: topics.end_offsets(topic, [0, 1]), {0: 0, 1: 2})
    assert await topics.end_positions(topic) == {1: 1}


async def test_a_time_is_the_first_record_at_or_after_it_and_else_the_end(
    topics: Topics, broker: "Broker", topic: str, producer: AIOKafkaProducer
) -> None:
    await broker.make(topic, partitions=3)
    for partition, time in ((0, 1000), (0, 3000), (1, 5000)):
        await producer.send_and_wait(topic, b"", partition=partition, timestamp_ms=time)
    for time, offsets in {
        -1: {0: 0, 1: 0, 2: 0},
        1000: {0: 0, 1: 0, 2: 0},
        1001: {0: 1, 1: 0, 2: 0},
        3001: {0: 2, 1: 0, 2: 0},
        2**70: {0: 2, 1: 1, 2: 0},
    }.items():
        assert await topics.offsets_at(topic, time, [0, 1, 2]) == offsets, time
    assert await topics.offsets_at(topic, 1001, [0]) == {0: 1}, "only what was asked for"


async def test_a_partition_that_there_is_not_is_waited_for_and_said(
    topics: Topics, broker: "Broker", topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await broker.make(topic)
    monkeypatch.setattr("penstock_kafka.topics.offsets.PATIENCE", 0.2)
    with pytest.raises(TemporaryError, match=f"reading offsets of topic {topic}"):
        await topics.earliest(topic, [0, 7])
