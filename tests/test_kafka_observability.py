"""The same metrics and the same lag with a real broker behind the gateway."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from penstock.observability.metrics_page import MetricsPage
from penstock.plugin import Edge, Group, Message, StreamSettings, Subscription, load_plugins
from penstock.server import GatewayServer
from penstock.server.metrics import GatewayMetrics
from penstock.wire.remote import RemotePubSub
from tests.servers.kafka import KafkaServer

PATIENCE = 30.0


@pytest.fixture
async def server(kafka: KafkaServer) -> AsyncIterator[GatewayServer]:
    plugin = load_plugins().by_kind["KafkaGateway"]
    gateway = plugin.make_gateway({"bootstrapServers": kafka.bootstrap_servers})
    metrics = GatewayMetrics(MetricsPage(), lag_interval=0)
    async with GatewayServer(
        gateway, port=0, provisioner_port=0, name="franz", metrics=metrics
    ) as server:
        yield server
        await server.stop(grace=0.1)


async def scrape(server: GatewayServer, name: str, topic: str) -> dict[str, float]:
    """The values of a metric for a topic, by partition; all under an empty one without."""
    url = f"http://127.0.0.1:{server.provisioner_port}/metrics"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        text = await answer.text()
    return {
        sample.labels.get("partition", ""): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == f"penstock_gateway_{name}" and sample.labels["topic"] == topic
    }


async def until(server: GatewayServer, topic: str, lag: dict[str, float]) -> None:
    """Wait until a topic's only group lags by so much."""
    async with asyncio.timeout(PATIENCE):
        while (found := await scrape(server, "group_lag_messages", topic)) != lag:
            assert set(found) <= set(lag)


async def read(member: Subscription, partition: int, count: int) -> int:
    """Read so many records of a partition; the last offset."""
    last = -1
    async with asyncio.timeout(PATIENCE):
        while count:
            records = await member.read(partition, count)
            count -= len(records)
            last = records[-1].offset
    return last


async def test_the_lag_is_what_was_published_and_not_acked(server: GatewayServer) -> None:
    name = f"lag-{uuid4().hex[:8]}"
    topic = (await server.provision(StreamSettings("default", name, partitions=2))).topic
    async with RemotePubSub(server.address) as remote:
        group = Group(f"readers-{name}")
        async with await remote.subscribe(topic, group, Edge.EARLIEST) as member:
            held: set[int] = set()
            async with asyncio.timeout(PATIENCE):
                while held != {0, 1}:
                    held |= (await member.next_event()).partitions
            await until(server, topic, {"0": 0, "1": 0})
            for key in range(64):
                await remote.publish(topic, [Message(b"12345", key=b"%d" % key)])
            counts = {one: end + 1 for one, end in (await remote.end_positions(topic)).items()}
            assert sum(counts.values()) == 64
            # Nothing is acked yet.
            await until(server, topic, {str(one): count for one, count in counts.items()})
            await member.ack({0: await read(member, 0, 5)})
            await until(server, topic, {"0": counts[0] - 5, "1": counts[1]})
            done = {0: await read(member, 0, counts[0] - 5), 1: await read(member, 1, counts[1])}
            await member.ack(done)
            await until(server, topic, {"0": 0, "1": 0})
        assert await scrape(server, "published_messages_total", topic) == {"": 64}
        assert await scrape(server, "published_bytes_total", topic) == {"": 320}
        assert await scrape(server, "received_messages_total", topic) == {"": 64}


async def test_a_group_from_the_latest_lags_by_what_came_since(server: GatewayServer) -> None:
    topic = (await server.provision(StreamSettings("default", f"late-{uuid4().hex[:8]}"))).topic
    async with RemotePubSub(server.address) as remote:
        await remote.publish(topic, [Message(b"x")] * 5)
        async with await remote.subscribe(topic, Group(topic), Edge.LATEST) as member:
            await until(server, topic, {"0": 0})
            await remote.publish(topic, [Message(b"x")] * 3)
            await until(server, topic, {"0": 3})
            async with asyncio.timeout(PATIENCE):
                await member.next_event()
            await member.ack({0: await read(member, 0, 3)})
            await until(server, topic, {"0": 0})
