"""What principals may do, and what those are told who may not."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from penstock.plugin import Address, StreamSettings, TemporaryError
from penstock_kafka.topics import Topics
from tests.servers.secure_kafka import MALLORY, SecureKafka

if TYPE_CHECKING:
    from plugins.kafka.tests.topics.conftest import OpenTopics

STREAM = StreamSettings("space", "stream", partitions=2, config={"retention.ms": "5000"})


@pytest.fixture
def admin_topics(secure_kafka: SecureKafka, open_topics: "OpenTopics") -> Topics:
    return open_topics(bootstrap_servers=secure_kafka.address("PLAINTEXT"))


@pytest.fixture
def mallorys_topics(secure_kafka: SecureKafka, open_topics: "OpenTopics", tmp_path: Path) -> Topics:
    password = tmp_path / "password"
    password.write_text(MALLORY.password)
    auth = {
        "type": "scram-sha-512",
        "username": MALLORY.name,
        "passwordSecret": {"file": str(password)},
    }
    return open_topics(bootstrap_servers=secure_kafka.address("SASL_PLAINTEXT"), auth=auth)


async def allow(kafka: SecureKafka, *rights: str, topic: str, pattern: str = "literal") -> None:
    """Give Mallory rights to topics."""
    operations = [argument for right in rights for argument in ("--operation", right)]
    await asyncio.to_thread(
        kafka.server.tool,
        "org.apache.kafka.tools.AclCommand",
        *("--add", "--allow-principal", f"User:{MALLORY.name}", *operations),
        *("--topic", topic, "--resource-pattern-type", pattern),
    )


async def test_who_may_nothing_is_told_what_is_needed(mallorys_topics: Topics, topic: str) -> None:
    for call in (mallorys_topics.provision(STREAM), mallorys_topics.ensure(topic)):
        with pytest.raises(TemporaryError, match=rf"topic {topic}: .*Create, Describe") as told:
            await call
        assert told.value.retry_after, "somebody has to act first"


async def test_the_registry_is_named_where_it_is_what_is_lacking(
    secure_kafka: SecureKafka, mallorys_topics: Topics, topic: str, prefix: str
) -> None:
    await allow(secure_kafka, "All", topic=topic)
    with pytest.raises(TemporaryError) as told:
        await mallorys_topics.provision(STREAM)
    assert f"topic {prefix}penstock__streams, in which gateways note what they made" in str(
        told.value
    )


async def test_rights_to_the_prefix_suffice(
    secure_kafka: SecureKafka, mallorys_topics: Topics, topic: str, prefix: str
) -> None:
    rights = ("Create", "Describe", "DescribeConfigs", "Alter", "AlterConfigs", "Delete")
    await allow(secure_kafka, *rights, "Read", "Write", topic=prefix, pattern="prefixed")
    assert await mallorys_topics.provision(StreamSettings("space", "stream")) == Address(topic)
    assert await mallorys_topics.provision(STREAM) == Address(topic)
    await mallorys_topics.deprovision(STREAM)


async def test_who_publishes_to_what_is_there_needs_no_more_than_that(
    secure_kafka: SecureKafka, admin_topics: Topics, mallorys_topics: Topics, topic: str
) -> None:
    await admin_topics.provision(STREAM)
    await allow(secure_kafka, "Write", topic=topic)
    assert await mallorys_topics.ensure(topic) == 2
    assert await mallorys_topics.end_positions(topic) == {}
