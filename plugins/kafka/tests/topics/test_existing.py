"""Topics that were there before the gateway."""

from typing import TYPE_CHECKING

import pytest

from penstock.plugin import Address, DeletionPolicy, PermanentError, Retention, StreamSettings
from penstock_kafka.topics import Topics
from penstock_kafka.topics.entry import Entry

if TYPE_CHECKING:
    from plugins.kafka.tests.topics.conftest import Broker, OpenTopics

STREAM = StreamSettings(
    "space",
    "stream",
    partitions=4,
    retention=Retention(seconds=5),
    config={"segment.ms": "9000", "cleanup.policy": "delete"},
    deletion_policy=DeletionPolicy.DELETE,
)
ADOPTED = Entry("space", "stream", owned=False)


async def test_it_is_refused_with_what_to_set(topics: Topics, broker: "Broker", topic: str) -> None:
    await broker.make(topic, 2)
    with pytest.raises(PermanentError) as refused:
        await topics.provision(STREAM)
    assert f"topic {topic} exists already" in str(refused.value)
    assert "set existingTopics of the KafkaGateway to Adopt" in str(refused.value)
    assert await broker.partitions(topic) == 2
    assert await broker.set_on(topic) == {}


async def test_it_is_adopted_as_it_is_where_that_is_allowed(
    open_topics: "OpenTopics", broker: "Broker", topic: str
) -> None:
    await broker.make(topic, 2, {"segment.ms": "9000"})
    address = await open_topics(existing_topics="Adopt").provision(STREAM)
    assert address.topic == topic
    assert [sentence.split(", topic ")[0] for sentence in address.drift] == [
        "partitions: 4 declared",
        "retention.seconds: retention.ms=5000 declared",
        "deletionPolicy: Delete declared",
    ]
    assert await broker.partitions(topic) == 2
    assert await broker.set_on(topic) == {"segment.ms": "9000"}
    assert await broker.noted(topic) == ADOPTED
    assert await open_topics().provision(STREAM) == address, "also when others are refused again"


async def test_it_may_be_owned_like_one_that_the_gateway_made(
    open_topics: "OpenTopics", broker: "Broker", topic: str
) -> None:
    await broker.make(topic, 2, {"max.message.bytes": "5000"})
    await open_topics(existing_topics="Adopt").provision(STREAM)
    assert await open_topics(existing_topics="Own").provision(STREAM) == Address(topic)
    assert await broker.partitions(topic) == 4
    assert await broker.set_on(topic) == {
        "retention.ms": "5000",
        "segment.ms": "9000",
        "max.message.bytes": "5000",
    }
    # From then on it is ours.
    topics = open_topics()
    assert await topics.provision(STREAM) == Address(topic)
    await topics.deprovision(STREAM)
    assert await broker.partitions(topic) == 0


@pytest.mark.parametrize("policy", ["Refuse", "Adopt"])
async def test_it_is_never_deleted(
    open_topics: "OpenTopics",
    broker: "Broker",
    topic: str,
    policy: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await broker.make(topic)
    topics = open_topics(existing_topics=policy)
    if policy == "Adopt":
        await topics.provision(STREAM)
    await topics.deprovision(STREAM)
    assert await broker.partitions(topic) == 1
    assert f"topic {topic} is not deleted: no gateway made it" in caplog.text
