"""A gateway all of whose brokers are found elsewhere, as after a cluster was moved."""

import asyncio

import pytest

from penstock.plugin import Edge, Group, Message, Position, Subscription, TemporaryError
from penstock_kafka import KafkaGateway, KafkaGatewaySpec
from tests.servers.fixtures import OwnKafka
from tests.servers.proxy import TcpProxy

PATIENCE = 50.0
TOPIC = "default_moving"
READERS = Group("readers")


async def publish(gateway: KafkaGateway, payload: bytes) -> None:
    result = None
    while not isinstance(result, Position):
        try:
            [result] = await gateway.publish(TOPIC, [Message(payload)])
        except TemporaryError:
            await asyncio.sleep(0.2)


async def read(gateway: KafkaGateway, subscription: Subscription) -> tuple[bytes, Subscription]:
    """The next message, and who read it: another subscription, if the membership was lost."""
    while True:
        reading = asyncio.create_task(subscription.read(0, 1))
        losing = asyncio.create_task(subscription.next_event())
        try:
            await asyncio.wait({reading, losing}, return_when=asyncio.FIRST_COMPLETED)
            if reading.done() and (records := reading.result()):
                return records[0].message.payload, subscription
            await losing
        except TemporaryError:
            await subscription.close()
            subscription = await gateway.subscribe(TOPIC, READERS, Edge.EARLIEST)
            await subscription.next_event()
        finally:
            reading.cancel()
            losing.cancel()
            await asyncio.gather(reading, losing, return_exceptions=True)


@pytest.mark.timeout(120)
async def test_it_publishes_and_reads_on_by_itself(own_kafka: OwnKafka) -> None:
    kafka = await asyncio.to_thread(own_kafka)
    async with TcpProxy(kafka.bootstrap_servers) as proxy:
        spec = KafkaGatewaySpec(bootstrap_servers=proxy.address)
        async with KafkaGateway(spec) as gateway, asyncio.timeout(2 * PATIENCE):
            subscription = await gateway.subscribe(TOPIC, READERS, Edge.EARLIEST)
            await subscription.next_event()
            await publish(gateway, b"before")
            payload, subscription = await read(gateway, subscription)
            assert payload == b"before"
            await subscription.ack({0: 0})

            await asyncio.to_thread(kafka.move)
            proxy.target = kafka.bootstrap_servers
            await publish(gateway, b"after")
            payload, subscription = await read(gateway, subscription)
            assert payload == b"after"
            await subscription.close()
