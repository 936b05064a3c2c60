"""What brokers refuse, in words that name the field."""

from typing import TYPE_CHECKING

import pytest

from penstock.plugin import PermanentError, Retention, StreamSettings
from penstock_kafka.topics import Topics

if TYPE_CHECKING:
    from plugins.kafka.tests.topics.conftest import Broker, OpenTopics


@pytest.mark.parametrize(
    ("stream", "message"),
    [
        (
            StreamSettings("space", "stream", config={"retentoin.ms": "5"}),
            r"^config\.retentoin\.ms: .* no setting retentoin\.ms .*did you mean retention\.ms\?$",
        ),
        (
            StreamSettings("space", "stream", config={"segment.ms": "soon"}),
            r"^config\.segment\.ms: making topic .*Invalid value soon for .*segment\.ms",
        ),
        (
            StreamSettings(
                "space", "stream", retention=Retention(bytes=5), config={"segment.bytes": "1"}
            ),
            r"^config\.segment\.bytes: making topic ",
        ),
        (
            StreamSettings("space", "stream", config={"replication.factor": "3"}),
            r"^config\.replication\.factor: making topic .*only 1 broker",
        ),
        (
            StreamSettings("space", "stream", partitions=100_000),
            r"^partitions: making topic .*xcessively large number of partitions",
        ),
        (StreamSettings("space", "s" * 249), r"^name: topic .* Kafka allows 249"),
    ],
)
async def test_a_stream_that_cannot_be_is_refused_and_nothing_is_made(
    topics: Topics, broker: "Broker", prefix: str, stream: StreamSettings, message: str
) -> None:
    with pytest.raises(PermanentError, match=message):
        await topics.provision(stream)
    topic = f"{prefix}{stream.namespace}_{stream.name}"
    if len(topic) < 249:
        assert await broker.partitions(topic) == 0
        assert await broker.noted(topic) is None


@pytest.mark.parametrize(
    ("stream", "message"),
    [
        (
            StreamSettings("space", "stream", config={"retentoin.ms": "5"}),
            r"^config\.retentoin\.ms: .*did you mean retention\.ms\?$",
        ),
        (
            StreamSettings("space", "stream", config={"retention.ms": "-5"}),
            r"^config\.retention\.ms: provisioning topic .*retention\.ms",
        ),
    ],
)
async def test_a_change_that_cannot_be_is_refused(
    topics: Topics, broker: "Broker", topic: str, stream: StreamSettings, message: str
) -> None:
    await topics.provision(StreamSettings("space", "stream"))
    with pytest.raises(PermanentError, match=message):
        await topics.provision(stream)
    assert await broker.partitions(topic) == 1
    assert await broker.set_on(topic) == {}


async def test_the_gateways_replication_factor_is_named(open_topics: "OpenTopics") -> None:
    topics = open_topics(replication_factor=3)
    with pytest.raises(PermanentError, match=r"^replicationFactor of the gateway: "):
        await topics.provision(StreamSettings("space", "stream"))
    with pytest.raises(PermanentError, match=r"^replicationFactor: .*in which gateways note"):
        await topics.provision(
            StreamSettings("space", "stream", config={"replication.factor": "1"})
        )


async def test_a_name_that_kafka_takes_for_another_is_refused(
    topics: Topics, broker: "Broker", prefix: str
) -> None:
    await broker.make(f"{prefix}space.stream")
    with pytest.raises(PermanentError, match=f"collides with existing topic: {prefix}space.stream"):
        await topics.provision(StreamSettings("space", "stream"))
