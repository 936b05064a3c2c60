"""Requests are held up on their way to the broker and back."""

import asyncio
from collections.abc import AsyncIterator
from typing import NamedTuple
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaProducer

from tests.kafka.administrator import Administrator
from tests.kafka.request_proxy import Api, RequestProxy, Way
from tests.kafka.waiting import PATIENCE
from tests.servers.kafka import KafkaServer


class Line(NamedTuple):
    """A producer behind the proxy, and the topic that it writes to."""

    producer: AIOKafkaProducer
    topic: str
    administrator: Administrator

    async def stored(self) -> int:
        """How many records are in the topic."""
        return (await self.administrator.ends(self.topic))[0]


@pytest.fixture
async def line(broker: KafkaServer, requests: RequestProxy) -> AsyncIterator[Line]:
    topic, administrator = uuid4().hex, Administrator(broker.bootstrap_servers)
    await administrator.create(topic, 1)
    async with AIOKafkaProducer(bootstrap_servers=requests.address) as producer:
        yield Line(producer, topic, administrator)


async def test_what_is_not_held_goes_through(line: Line, requests: RequestProxy) -> None:
    with requests.hold(Api.OFFSET_COMMIT, Way.TO_BROKER):
        for _ in range(3):
            await line.producer.send_and_wait(line.topic, b"x")
    assert await line.stored() == 3


@pytest.mark.parametrize(("way", "stored"), [(Way.TO_BROKER, 0), (Way.TO_CLIENT, 1)])
async def test_what_is_held_gets_no_further_until_it_is_let_go(
    line: Line, requests: RequestProxy, way: Way, stored: int
) -> None:
    with requests.hold(Api.PRODUCE, way) as hold:
        sending = await line.producer.send(line.topic, b"x")
        async with asyncio.timeout(PATIENCE):
            await hold.caught.wait()
        assert await line.stored() == stored
        assert not sending.done()
    await sending
    assert await line.stored() == 1


async def test_what_is_held_of_a_connection_that_is_cut_reaches_nobody(
    line: Line, requests: RequestProxy
) -> None:
    with requests.hold(Api.PRODUCE, Way.TO_BROKER) as first:
        sending = await line.producer.send(line.topic, b"x")
        async with asyncio.timeout(PATIENCE):
            await first.caught.wait()
        first.caught.clear()
        await requests.cut()
        async with asyncio.timeout(PATIENCE):
            await first.caught.wait()
        # It is sent again, on another connection: what was held is not.
        assert await line.stored() == 0
    await sending
    assert await line.stored() == 1
