"""A cluster that is away for a while."""

import asyncio
from typing import TYPE_CHECKING

import pytest

from penstock.plugin import Address, NotReady, StreamSettings, TemporaryError
from penstock_kafka.topics import Topics
from tests.servers.fixtures import OwnKafka

if TYPE_CHECKING:
    from plugins.kafka.tests.topics.conftest import OpenTopics

STREAM = StreamSettings("space", "stream", partitions=2, config={"retention.ms": "5000"})


async def until_provisioned(topics: Topics) -> Address:
    """Ask until the answer comes, as hosts do."""
    async with asyncio.timeout(30):
        while True:
            try:
                return await topics.provision(STREAM)
            except TemporaryError as error:
                await asyncio.sleep(error.retry_after or 0.1)


async def test_a_cluster_that_is_away_is_said_and_found_again(
    own_kafka: OwnKafka, open_topics: "OpenTopics", topic: str
) -> None:
    server = own_kafka()
    topics = open_topics(bootstrap_servers=server.bootstrap_servers)
    await topics.provision(STREAM)
    await asyncio.to_thread(server.kill)
    with pytest.raises(NotReady, match=r"cannot be reached|no broker answers"):
        await topics.provision(STREAM)
    await asyncio.to_thread(server.start)
    assert await until_provisioned(topics) == Address(topic)
    assert await topics.ensure(topic) == 2
