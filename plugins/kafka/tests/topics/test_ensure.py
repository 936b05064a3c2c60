"""Topics that nobody made are made for whoever publishes to them or subscribes to them."""

import asyncio
from typing import TYPE_CHECKING

import pytest

from penstock.plugin import PermanentError
from penstock_kafka.topics import Topics
from penstock_kafka.topics.entry import Entry
from penstock_kafka.topics.names import registry_of

if TYPE_CHECKING:
    from plugins.kafka.tests.topics.conftest import Broker, OpenTopics


async def test_a_topic_is_made_as_the_gateway_says(
    open_topics: "OpenTopics", broker: "Broker", topic: str
) -> None:
    topics = open_topics(partitions=3, replication_factor=1, config={"retention.ms": "5000"})
    assert await topics.ensure(topic) == 3
    layout = await broker.administration.find(topic)
    assert layout is not None
    assert (layout.partitions, layout.replication_factor, layout.is_led) == (3, 1, True)
    assert await broker.set_on(topic) == {"retention.ms": "5000"}
    assert await broker.noted(topic) == Entry(
        "", "", owned=True, settings=frozenset({"retention.ms"})
    )


async def test_a_topic_is_made_as_the_broker_says_where_the_gateway_does_not(
    topics: Topics, broker: "Broker", topic: str
) -> None:
    assert await topics.ensure(topic) == 1
    assert await broker.set_on(topic) == {}


async def test_a_topic_that_is_there_is_taken_as_it_is(
    topics: Topics, broker: "Broker", topic: str
) -> None:
    await broker.make(topic, partitions=2)
    assert await topics.ensure(topic) == 2
    assert await broker.noted(topic) is None, "nobody says that we made it"


async def test_the_answer_is_kept_until_it_is_forgotten(
    topics: Topics, broker: "Broker", topic: str
) -> None:
    await broker.make(topic, partitions=2)
    await topics.ensure(topic)
    await broker.administration.delete(topic)
    assert await broker.administration.wait_until_gone(topic)
    assert await topics.ensure(topic) == 2, "from memory"
    topics.forget(topic)
    assert await topics.ensure(topic) == 1, "made anew"
    assert await broker.partitions(topic) == 1


async def test_partitions_are_counted_anew_each_time(
    topics: Topics, broker: "Broker", topic: str
) -> None:
    await topics.ensure(topic)
    await broker.administration.grow(topic, 3)
    await broker.administration.wait_until_led(topic, 3)
    assert await topics.partitions(topic) == 3
    assert await topics.ensure(topic) == 3


async def test_who_asks_at_the_same_time_gets_the_same_answer(
    open_topics: "OpenTopics", broker: "Broker", topic: str
) -> None:
    gateways = [open_topics(partitions=4) for _ in range(4)]
    asked = [gateway.ensure(topic) for gateway in gateways for _ in range(4)]
    assert await asyncio.gather(*asked) == [4] * 16
    assert await broker.noted(topic) == Entry("", "", owned=True)


@pytest.mark.parametrize("name", ["", "..", "a/b", "a" * 250, "__consumer_offsets"])
async def test_an_impossible_name_is_refused_before_the_broker_is_asked(
    open_topics: "OpenTopics", name: str
) -> None:
    nowhere = open_topics(bootstrap_servers="127.0.0.1:1")
    with pytest.raises(PermanentError, match="topic"):
        await nowhere.ensure(name)


async def test_the_registry_is_nobodys_to_publish_to(topics: Topics, prefix: str) -> None:
    with pytest.raises(PermanentError, match="is the gateway's own: choose another"):
        await topics.ensure(registry_of(prefix))


async def test_what_the_gateway_says_may_be_refused(
    open_topics: "OpenTopics", broker: "Broker", topic: str
) -> None:
    topics = open_topics(config={"retentoin.ms": "5"})
    with pytest.raises(PermanentError, match=r"^config\.retentoin\.ms of the gateway: .*mean ret"):
        await topics.ensure(topic)
    assert await broker.noted(topic) is None
