"""Groups whose name another program uses as well."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.errors import InconsistentGroupProtocolError

from penstock.plugin import Edge, Group, TemporaryError
from penstock_kafka.groups import Groups
from plugins.kafka.tests.groups.broker import Broker
from plugins.kafka.tests.groups.conftest import Join
from tests.servers.installation import Installation
from tests.servers.kafka import KafkaServer

CONSOLE = "org.apache.kafka.tools.consumer.ConsoleConsumer"


@asynccontextmanager
async def consumer(broker: Broker, group: Group, topic: str) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer that joins the group with a protocol of Kafka's clients."""
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=broker.servers,
        group_id=group.name,
        auto_offset_reset="earliest",
    )
    try:
        await consumer.start()
        yield consumer
    finally:
        await consumer.stop()


async def test_who_joins_a_group_of_another_program_is_told(
    broker: Broker, topic: str, groups: Groups, group: Group
) -> None:
    async with consumer(broker, group, topic):
        with pytest.raises(TemporaryError, match="another program may be using the group") as told:
            await groups.subscribe(topic, group, Edge.EARLIEST)
        assert group.name in str(told.value)
        assert told.value.retry_after


async def test_another_program_cannot_join_ours(
    broker: Broker, topic: str, join: Join, group: Group
) -> None:
    member = await join()
    await member.until_holding(4)
    with pytest.raises(InconsistentGroupProtocolError):
        async with consumer(broker, group, topic) as other:
            await asyncio.wait_for(other.getone(), 10)
    await broker.publish(topic, {0: [1]})
    await member.until_read([1])


async def test_a_group_of_the_newer_protocol_is_told_and_can_be_acked_for(
    kafka: KafkaServer,
    kafka_installation: Installation,
    broker: Broker,
    topic: str,
    groups: Groups,
) -> None:
    """Its brokers share out partitions by themselves, and let older clients join (KIP-848)."""
    await broker.publish(topic, {0: range(10)})
    group = Group(f"of-{topic}")
    command = kafka_installation.command(
        CONSOLE,
        *("--bootstrap-server", kafka.bootstrap_servers, "--topic", topic, "--group", group.name),
        *("--consumer-property", "group.protocol=consumer", "--from-beginning"),
    )
    console = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    try:
        assert console.stdout
        await asyncio.wait_for(console.stdout.readline(), 30)
        with pytest.raises(TemporaryError, match="another program may be using the group"):
            await groups.subscribe(topic, group, Edge.EARLIEST)
        await groups.ack(topic, group, {0: 5})
        assert await groups.positions(topic, group.name) == {0: {0: 5}}
    finally:
        console.kill()
        await console.communicate()
