"""KEDA's external scaler with streams on Kafka, asked over gRPC."""

from collections.abc import AsyncIterator, Sequence
from uuid import uuid4

import grpc
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from penstock.plugin import Edge, Group, Message, StreamSettings
from penstock.server import GatewayServer
from penstock.wire.channel import open_channel
from penstock.wire.protocol.externalscaler_pb2 import GetMetricsRequest, ScaledObjectRef
from penstock.wire.protocol.externalscaler_pb2_grpc import ExternalScalerStub
from penstock_kafka import KafkaGateway, KafkaGatewaySpec
from tests.kafka.waiting import until
from tests.servers.kafka import KafkaServer


class Scaled:
    """A topic, a group that reads it, and what KEDA is told of them."""

    def __init__(self, gateway: KafkaGateway, channel: grpc.aio.Channel, topic: str) -> None:
        self.gateway = gateway
        self.topic = topic
        self.group = f"readers-{uuid4().hex[:12]}"
        self._stub = ExternalScalerStub(channel)

    async def publish(self, count: int) -> None:
        messages = [Message(b"1")] * count
        results = await self.gateway.publish(self.topic, messages)
        assert not [one for one in results if isinstance(one, Exception)]

    async def ack(self, offset: int) -> None:
        await self.gateway.ack(self.topic, Group(self.group), {0: offset})

    async def lag(self, start: str) -> float:
        metadata = {
            "topic": self.topic,
            "group": self.group,
            "startOffset": start,
            "limitToPartitions": "false",
        }
        trigger = ScaledObjectRef(scalerMetadata=metadata)
        (spec,) = (await self._stub.GetMetricSpec(trigger)).metricSpecs
        request = GetMetricsRequest(scaledObjectRef=trigger, metricName=spec.metricName)
        (value,) = (await self._stub.GetMetrics(request)).metricValues
        active = (await self._stub.IsActive(trigger)).result
        assert active == (value.metricValueFloat > 0)
        return value.metricValueFloat


@pytest.fixture
async def scaled(kafka: KafkaServer, prefix: str) -> AsyncIterator[Scaled]:
    spec = KafkaGatewaySpec(bootstrap_servers=kafka.bootstrap_servers, topic_prefix=prefix)
    gateway = KafkaGateway(spec)
    async with (
        GatewayServer(gateway, port=0, provisioner_port=None) as server,
        open_channel(server.address) as channel,
    ):
        topic = (await server.provision(StreamSettings("default", "words", partitions=1))).topic
        yield Scaled(gateway, channel, topic)


async def delete_records(kafka: KafkaServer, scaled: Scaled, before: int) -> None:
    """Have records before an offset gone, as by retention."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    await admin.start()
    try:
        await admin.delete_records({TopicPartition(scaled.topic, 0): RecordsToDelete(before)})
    finally:
        await admin.close()

    async def are_gone() -> bool:
        return (await scaled.gateway.locate(scaled.topic, Edge.EARLIEST))[0] == before

    await until(are_gone, "the records are gone")


async def test_the_first_record_counts_until_it_is_acked(scaled: Scaled) -> None:
    assert await lags(scaled) == [0, 0]
    await scaled.publish(1)
    assert await lags(scaled) == [1, 1]
    await scaled.ack(0)
    assert await lags(scaled) == [0, 0]


async def test_without_any_commit_the_start_says_what_counts(scaled: Scaled) -> None:
    await scaled.publish(7)
    assert await lags(scaled) == [7, 0]
    await scaled.publish(2)
    assert await lags(scaled) == [9, 2]


async def test_a_member_that_has_acked_nothing_is_no_commit(scaled: Scaled) -> None:
    await scaled.publish(7)
    assert await lags(scaled) == [7, 0]
    group = Group(scaled.group)
    subscription = await scaled.gateway.subscribe(scaled.topic, group, Edge.LATEST)
    await scaled.publish(2)
    await subscription.close()
    assert await scaled.lag("latest") == 2


async def test_what_is_gone_by_retention_does_not_count(kafka: KafkaServer, scaled: Scaled) -> None:
    await scaled.publish(10)
    assert await lags(scaled) == [10, 0]
    await delete_records(kafka, scaled, before=6)
    assert await lags(scaled) == [4, 0]
    await scaled.ack(1)
    assert await lags(scaled) == [4, 4]
    await scaled.ack(8)
    assert await lags(scaled) == [1, 1]
    await delete_records(kafka, scaled, before=10)
    assert await lags(scaled) == [0, 0]
    await scaled.publish(1)
    assert await lags(scaled) == [1, 1]


async def lags(scaled: Scaled) -> Sequence[float]:
    """For a group that begins at the earliest, and for one that begins at the latest."""
    return [await scaled.lag("earliest"), await scaled.lag("latest")]
