"""Streams get their topics, and keep them as declared."""

import asyncio
from typing import TYPE_CHECKING

import pytest

from penstock.plugin import (
    Address,
    DeletionPolicy,
    Retention,
    StreamSettings,
    TemporaryError,
)
from penstock_kafka.topics import Topics, administration
from penstock_kafka.topics.entry import Entry
from tests.servers.kafka import KafkaServer

if TYPE_CHECKING:
    from plugins.kafka.tests.topics.conftest import Broker, OpenTopics

NO_RETENTION = Retention()


def stream(
    partitions: int | None = None, retention: Retention = NO_RETENTION, **config: str
) -> StreamSettings:
    """A stream; underscores in the names of settings stand for dots."""
    settings = {name.replace("_", "."): value for name, value in config.items()}
    return StreamSettings(
        "space", "stream", partitions=partitions, retention=retention, config=settings
    )


def ours(*settings: str) -> Entry:
    return Entry("space", "stream", owned=True, settings=frozenset(settings))


async def test_a_stream_gets_a_topic_with_all_that_it_declares(
    topics: Topics, broker: "Broker", topic: str
) -> None:
    wanted = stream(
        4,
        Retention(seconds=60, bytes=1_000_000),
        replication_factor="1",
        cleanup_policy="compact,delete",
    )
    assert await topics.provision(wanted) == Address(topic)
    layout = await broker.administration.find(topic)
    assert layout is not None
    assert (layout.partitions, layout.replication_factor, layout.is_led) == (4, 1, True)
    assert await broker.set_on(topic) == {
        "retention.ms": "60000",
        "retention.bytes": "1000000",
        "cleanup.policy": "compact,delete",
    }
    noted = await broker.noted(topic)
    assert noted == ours("retention.ms", "retention.bytes", "cleanup.policy")


async def test_the_gateway_says_what_the_stream_leaves_open(
    open_topics: "OpenTopics", broker: "Broker", topic: str
) -> None:
    topics = open_topics(
        partitions=3, replication_factor=1, config={"retention.ms": "1", "segment.ms": "9000"}
    )
    await topics.provision(stream(retention=Retention(seconds=5)))
    assert await broker.partitions(topic) == 3
    assert await broker.set_on(topic) == {"retention.ms": "5000", "segment.ms": "9000"}


async def test_asked_twice_it_answers_the_same_and_changes_nothing(
    open_topics: "OpenTopics", broker: "Broker", topic: str
) -> None:
    wanted = stream(2, Retention(seconds=5), min_cleanable_dirty_ratio="0.50")
    first = await open_topics().provision(wanted)
    assert await open_topics().provision(wanted) == first == Address(topic), "after a restart"
    assert await broker.partitions(topic) == 2


async def test_partitions_grow_where_the_stream_asks_and_never_shrink(
    topics: Topics, broker: "Broker", topic: str
) -> None:
    await topics.provision(stream(2))
    assert await topics.ensure(topic) == 2
    assert await topics.provision(stream(6)) == Address(topic)
    assert await broker.partitions(topic) == 6
    assert await topics.ensure(topic) == 6, "what was remembered is forgotten"
    address = await topics.provision(stream(2))
    assert address.drift == (
        f"partitions: 2 declared, topic {topic} has 6: Kafka takes no partitions away",
    )
    assert await topics.provision(stream()) == Address(topic), "nothing asked, nothing said"
    assert await broker.partitions(topic) == 6


async def test_partitions_without_a_leader_are_waited_for(
    topics: Topics, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await topics.provision(stream(1))
    monkeypatch.setattr(administration, "PATIENCE", 0)
    with pytest.raises(TemporaryError, match="leader"):
        await topics.provision(stream(2))
    with pytest.raises(TemporaryError, match="leader"):
        await topics.ensure(f"{topic}-of-another")


async def test_the_gateways_partitions_are_for_new_topics(
    open_topics: "OpenTopics", broker: "Broker", topic: str
) -> None:
    await open_topics(partitions=2).provision(stream())
    assert await open_topics(partitions=5).provision(stream()) == Address(topic)
    assert await broker.partitions(topic) == 2


async def test_another_replication_factor_is_said(topics: Topics, topic: str) -> None:
    await topics.provision(stream(replication_factor="1"))
    (sentence,) = (await topics.provision(stream(replication_factor="3"))).drift
    assert sentence.startswith(f"config.replication.factor: 3 declared, topic {topic} has 1: ")


async def test_settings_follow_the_stream_and_go_back_when_it_no_longer_has_them(
    topics: Topics, broker: "Broker", topic: str
) -> None:
    await topics.provision(stream(retention=Retention(seconds=5), segment_ms="9000"))
    await topics.provision(stream(retention=Retention(seconds=6), cleanup_policy="compact"))
    assert await broker.set_on(topic) == {"retention.ms": "6000", "cleanup.policy": "compact"}
    await topics.provision(stream())
    assert await broker.set_on(topic) == {}
    assert await broker.noted(topic) == ours()


async def test_settings_follow_the_gateway(
    open_topics: "OpenTopics", broker: "Broker", topic: str
) -> None:
    await open_topics(config={"retention.ms": "5000"}).provision(stream())
    await open_topics(config={"segment.ms": "9000"}).provision(stream())
    assert await broker.set_on(topic) == {"segment.ms": "9000"}


async def test_what_kafkas_tools_change_is_changed_back_where_it_is_declared(
    kafka: KafkaServer, topics: Topics, broker: "Broker", topic: str
) -> None:
    wanted = stream(retention=Retention(seconds=5))
    await topics.provision(wanted)
    await asyncio.to_thread(
        kafka.tool,
        "kafka.admin.ConfigCommand",
        *("--alter", "--topic", topic),
        *("--add-config", "retention.ms=77,segment.ms=9000"),
    )
    assert (await broker.set_on(topic))["retention.ms"] == "77"
    assert await topics.provision(wanted) == Address(topic)
    assert await broker.set_on(topic) == {"retention.ms": "5000", "segment.ms": "9000"}


async def test_a_topic_that_a_publisher_made_becomes_the_streams(
    topics: Topics, broker: "Broker", topic: str
) -> None:
    await topics.ensure(topic)
    assert await topics.provision(stream(3, segment_ms="9000")) == Address(topic)
    assert await broker.partitions(topic) == 3
    assert await broker.noted(topic) == ours("segment.ms")


async def test_a_topic_that_was_deleted_behind_our_back_is_made_again(
    topics: Topics, broker: "Broker", topic: str
) -> None:
    await topics.provision(stream(2, segment_ms="9000"))
    await broker.administration.delete(topic)
    assert await broker.administration.wait_until_gone(topic)
    assert await topics.provision(stream(2, segment_ms="9000")) == Address(topic)
    assert await broker.partitions(topic) == 2
    assert await broker.set_on(topic) == {"segment.ms": "9000"}


async def test_gateways_with_other_prefixes_do_not_disturb_each_other(
    open_topics: "OpenTopics", broker: "Broker", prefix: str
) -> None:
    one = open_topics(topic_prefix=f"{prefix}one.", config={"segment.ms": "1000"})
    two = open_topics(topic_prefix=f"{prefix}two.", config={"segment.ms": "2000"})
    first, second = await one.provision(stream()), await two.provision(stream())
    assert (first, second) == (
        Address(f"{prefix}one.space_stream"),
        Address(f"{prefix}two.space_stream"),
    )
    await one.provision(stream(3))
    await one.deprovision(StreamSettings("space", "stream", deletion_policy=DeletionPolicy.DELETE))
    assert await broker.partitions(first.topic) == 0
    assert await broker.partitions(second.topic) == 1
    assert await broker.set_on(second.topic) == {"segment.ms": "2000"}
