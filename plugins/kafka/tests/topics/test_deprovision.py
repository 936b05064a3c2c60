"""Streams that are deleted with their records."""

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest
from aiokafka import AIOKafkaProducer

from penstock.plugin import Address, DeletionPolicy, PermanentError, StreamSettings, TemporaryError
from penstock_kafka.topics import Topics, administration
from tests.servers.fixtures import OwnKafka
from tests.servers.kafka import KafkaServer

if TYPE_CHECKING:
    from plugins.kafka.tests.topics.conftest import Broker, OpenTopics

STREAM = StreamSettings("space", "stream", deletion_policy=DeletionPolicy.DELETE)


async def test_its_topic_is_gone_and_one_made_anew_has_no_records(
    kafka: KafkaServer, stack: AsyncExitStack, topics: Topics, broker: "Broker", topic: str
) -> None:
    await topics.provision(STREAM)
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap_servers)
    await producer.start()
    stack.push_async_callback(producer.stop)
    await producer.send_and_wait(topic, b"old")
    await producer.stop()
    assert await topics.end_positions(topic) == {0: 0}
    await topics.deprovision(STREAM)
    assert await broker.partitions(topic) == 0
    assert await topics.end_positions(topic) == {}
    assert await topics.provision(STREAM) == Address(topic)
    assert await topics.end_offsets(topic, [0]) == {0: 0}


async def test_one_that_is_not_there_is_no_error(topics: Topics) -> None:
    await topics.deprovision(STREAM)
    await topics.provision(STREAM)
    await topics.deprovision(STREAM)
    await topics.deprovision(STREAM)
    await topics.deprovision(StreamSettings("space", "s" * 300))


async def test_two_at_once_delete_it_once(
    open_topics: "OpenTopics", broker: "Broker", topic: str
) -> None:
    await open_topics().provision(STREAM)
    await asyncio.gather(*(open_topics().deprovision(STREAM) for _ in range(4)))
    assert await broker.partitions(topic) == 0


async def test_a_topic_that_does_not_go_away_is_said(
    topics: Topics, monkeypatch: pytest.MonkeyPatch
) -> None:
    await topics.provision(STREAM)
    monkeypatch.setattr(administration, "PATIENCE", 0)
    with pytest.raises(TemporaryError, match=r"was deleted and is there again: .*auto\.create"):
        await topics.deprovision(STREAM)


async def test_a_topic_that_a_client_makes_anew_after_that_is_the_streams(
    topics: Topics, broker: "Broker", topic: str
) -> None:
    await topics.provision(STREAM)
    await topics.deprovision(STREAM)
    # As a consumer does that still asks for it, on brokers that make what is asked for.
    await broker.make(topic)
    assert await topics.provision(STREAM) == Address(topic)
    await topics.deprovision(STREAM)
    assert await broker.partitions(topic) == 0


async def test_brokers_that_delete_nothing_are_said(
    own_kafka: OwnKafka, open_topics: "OpenTopics"
) -> None:
    server = own_kafka({"delete.topic.enable": "false"})
    topics = open_topics(bootstrap_servers=server.bootstrap_servers)
    await topics.provision(STREAM)
    with pytest.raises(PermanentError, match=r"^deletionPolicy: deleting topic .*delete\.topic"):
        await topics.deprovision(STREAM)
