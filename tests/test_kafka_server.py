"""The real broker of the tests does what its methods say."""

import asyncio
import uuid

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError

from tests.servers.fixtures import OwnKafka
from tests.servers.kafka import KafkaServer

PATIENCE = 30.0


async def produce(address: str, topic: str, *values: bytes) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=address)
    async with asyncio.timeout(PATIENCE):
        try:
            await producer.start()
            for value in values:
                await producer.send_and_wait(topic, value)
        finally:
            await producer.stop()


async def consume(address: str, topic: str, count: int, group: str | None = None) -> list[bytes]:
    consumer = AIOKafkaConsumer(
        topic, bootstrap_servers=address, group_id=group, auto_offset_reset="earliest"
    )
    async with asyncio.timeout(PATIENCE):
        try:
            await consumer.start()
            return [(await consumer.getone()).value for _ in range(count)]
        finally:
            await consumer.stop()


@pytest.fixture
def topic() -> str:
    return f"topic-{uuid.uuid4()}"


async def test_records_are_produced_and_consumed(kafka: KafkaServer, topic: str) -> None:
    await produce(kafka.bootstrap_servers, topic, b"one", b"two")
    assert await consume(kafka.bootstrap_servers, topic, 2) == [b"one", b"two"]


async def test_restart_keeps_records_and_ports(own_kafka: OwnKafka, topic: str) -> None:
    kafka = own_kafka()
    address = kafka.bootstrap_servers
    await produce(address, topic, b"before")
    kafka.restart()
    assert kafka.bootstrap_servers == address
    kafka.kill()
    with pytest.raises(KafkaConnectionError):
        await produce(address, topic, b"while it is away")
    kafka.start()
    await produce(address, topic, b"after")
    assert await consume(address, topic, 2) == [b"before", b"after"]
