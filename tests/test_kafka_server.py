"""The real broker of the tests does what its methods say."""

import asyncio
import os
import subprocess
import sys
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, MessageSizeTooLargeError

from tests.servers.fixtures import OwnKafka, ProxiedKafka
from tests.servers.installation import Installation
from tests.servers.kafka import KafkaServer, has_brokers
from tests.servers.process import ServerFailed

PATIENCE = 30.0
SHORT = 0.5
"""Seconds in which a broker that stands still answers nothing."""

CONSUMER_GROUPS = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"
TOPICS = "org.apache.kafka.tools.TopicCommand"


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
        topic,
        bootstrap_servers=address,
        group_id=group,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    async with asyncio.timeout(PATIENCE):
        try:
            await consumer.start()
            values = [(await consumer.getone()).value for _ in range(count)]
            if group is not None:
                await consumer.commit()
            return values
        finally:
            await consumer.stop()


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(PATIENCE):
        while True:
            if await condition():
                return
            await asyncio.sleep(0.02)


@pytest.fixture
def topic() -> str:
    """A name that no other test has used."""
    return f"topic-{uuid.uuid4()}"


async def test_records_are_produced_and_consumed(kafka: KafkaServer, topic: str) -> None:
    await produce(kafka.bootstrap_servers, topic, b"one", b"two")
    assert await consume(kafka.bootstrap_servers, topic, 2) == [b"one", b"two"]


async def test_tools_show_the_positions_of_a_group(kafka: KafkaServer, topic: str) -> None:
    await produce(kafka.bootstrap_servers, topic, b"one", b"two", b"three")
    group = f"readers of {topic}"
    await consume(kafka.bootstrap_servers, topic, 2, group)
    shown = await asyncio.to_thread(
        kafka.tool, CONSUMER_GROUPS, "--describe", "--group", group, "--offsets"
    )
    [row] = [line for line in shown.splitlines() if topic in line.replace(group, "")]
    assert row.replace(group, "").split()[:5] == [topic, "0", "2", "3", "1"]


async def test_a_tool_that_fails_says_why(kafka: KafkaServer) -> None:
    with pytest.raises(ServerFailed, match=r"TopicCommand failed:[^$]*does not exist"):
        await asyncio.to_thread(kafka.tool, TOPICS, "--describe", "--topic", "nobody-made-it")


async def test_restart_keeps_records_and_ports(own_kafka: OwnKafka, topic: str) -> None:
    kafka = own_kafka()
    address = kafka.bootstrap_servers
    await produce(address, topic, b"before")
    await asyncio.to_thread(kafka.restart)
    assert kafka.bootstrap_servers == address
    assert await consume(address, topic, 1) == [b"before"]


async def test_kill_ends_the_broker_and_its_records_are_there_again(
    own_kafka: OwnKafka, topic: str
) -> None:
    kafka = own_kafka()
    address = kafka.bootstrap_servers
    await produce(address, topic, b"before")
    kafka.kill()
    with pytest.raises(KafkaConnectionError):
        await produce(address, topic, b"while it is away")
    await asyncio.to_thread(kafka.start)
    await produce(address, topic, b"after")
    assert await consume(address, topic, 2) == [b"before", b"after"]


async def test_a_frozen_broker_answers_nothing_until_it_thaws(own_kafka: OwnKafka) -> None:
    kafka = own_kafka()
    kafka.freeze()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(SHORT):
            await has_brokers(kafka.bootstrap_servers)
    kafka.thaw()
    await until(lambda: has_brokers(kafka.bootstrap_servers))


async def test_a_broker_that_moves_has_its_records_elsewhere(
    own_kafka: OwnKafka, topic: str
) -> None:
    kafka = own_kafka()
    before = kafka.bootstrap_servers
    await produce(before, topic, b"before")
    await asyncio.to_thread(kafka.move)
    assert kafka.bootstrap_servers != before
    assert not await has_brokers(before)
    assert await consume(kafka.bootstrap_servers, topic, 1) == [b"before"]


async def test_properties_are_those_of_this_broker(own_kafka: OwnKafka, topic: str) -> None:
    kafka = own_kafka({"message.max.bytes": "1000"})
    with pytest.raises(MessageSizeTooLargeError):
        await produce(kafka.bootstrap_servers, topic, b"x" * 2_000)


async def test_retention_is_looked_at_from_the_start(own_kafka: OwnKafka, topic: str) -> None:
    kafka = own_kafka(
        {
            "log.retention.ms": "1",
            "log.retention.check.interval.ms": "100",
            "log.segment.delete.delay.ms": "0",
        }
    )
    await produce(kafka.bootstrap_servers, topic, b"x" * 100)

    async def is_gone() -> bool:
        return "Incremented log start offset to 1" in kafka.log

    await until(is_gone)


async def test_all_that_a_client_says_goes_through_the_proxy(
    proxied_kafka: ProxiedKafka, topic: str
) -> None:
    address = proxied_kafka.bootstrap_servers
    await proxied_kafka.proxy.cut()
    with pytest.raises(KafkaConnectionError):
        await produce(address, topic, b"cut")
    await proxied_kafka.proxy.restore()
    producer = AIOKafkaProducer(bootstrap_servers=address)
    async with asyncio.timeout(PATIENCE):
        await producer.start()
        try:
            await producer.send_and_wait(topic, b"one")
            proxied_kafka.proxy.freeze()
            sent = await producer.send(topic, b"two")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(asyncio.shield(sent), SHORT)
            await proxied_kafka.proxy.restore()
            await sent
        finally:
            await producer.stop()
    assert await consume(address, topic, 2) == [b"one", b"two"]


def test_a_start_that_fails_shows_the_end_of_the_log(own_kafka: OwnKafka) -> None:
    with pytest.raises(ServerFailed, match=r"(?s)ended with 1 .*nobody\.wrote\.It"):
        own_kafka({"authorizer.class.name": "nobody.wrote.It"})


def test_properties_that_are_wrong_are_named(own_kafka: OwnKafka) -> None:
    with pytest.raises(ServerFailed, match=r"num\.io\.threads"):
        own_kafka({"num.io.threads": "0"})


def test_nothing_is_left_of_a_broker(kafka_installation: Installation) -> None:
    with KafkaServer(installation=kafka_installation) as kafka:
        process = psutil.Process(kafka.pid)
        folder = Path(process.cwd())
        assert folder.exists()
    assert not process.is_running()
    assert not folder.exists()


@pytest.mark.usefixtures("kafka_installation")
def test_a_broker_ends_with_the_run_that_started_it_however_that_ends(tmp_path: Path) -> None:
    program = (
        "from tests.servers.kafka import KafkaServer\n"
        "with KafkaServer() as kafka:\n"
        "    print(kafka.pid, flush=True)\n"
        "    input()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[1],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as run:
        assert run.stdout is not None
        broker = psutil.Process(int(run.stdout.readline()))
        run.kill()
    broker.wait(PATIENCE)
