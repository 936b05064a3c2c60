"""Publishing by who may not, as yet."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from penstock.plugin import Message, Position, TemporaryError
from penstock_kafka.publisher import Publisher
from tests.servers.secure_kafka import MALLORY, SecureKafka

if TYPE_CHECKING:
    from plugins.kafka.tests.publisher.conftest import Broker, OpenPublisher

PATIENCE = 20.0


@pytest.fixture
def mallorys(
    secure_kafka: SecureKafka, open_publisher: "OpenPublisher", tmp_path: Path
) -> Publisher:
    """A publisher of somebody who has no rights."""
    password = tmp_path / "password"
    password.write_text(MALLORY.password)
    auth = {
        "type": "plain",
        "username": MALLORY.name,
        "passwordSecret": {"file": str(password)},
    }
    return open_publisher(secure_kafka.address("SASL_PLAINTEXT"), auth)


async def give(secure_kafka: SecureKafka, topic: str, *rights: str) -> None:
    operations = [word for right in rights for word in ("--operation", right)]
    await asyncio.to_thread(
        secure_kafka.server.tool,
        "org.apache.kafka.tools.AclCommand",
        *("--add", "--allow-principal", f"User:{MALLORY.name}", "--topic", topic),
        *operations,
    )


async def test_a_right_that_is_missing_is_named_and_counts_once_it_is_given(
    secure_kafka: SecureKafka,
    mallorys: Publisher,
    broker_of: "Callable[[str], Broker]",
    topic: str,
) -> None:
    broker = broker_of(secure_kafka.address("PLAINTEXT"))
    await broker.make(topic)
    await give(secure_kafka, topic, "Describe")
    published = [Message(b"%d" % number, id=str(number)) for number in range(8)]
    async with asyncio.timeout(PATIENCE):
        results = await mallorys.publish(topic, published)
    for result in results:
        assert isinstance(result, TemporaryError)
        assert "the cluster does not allow it" in str(result)
        assert "Write to publish" in str(result)
        assert result.retry_after is not None
    await give(secure_kafka, topic, "Write")
    async with asyncio.timeout(PATIENCE):
        while not all(isinstance(result, Position) for result in results):
            results = await mallorys.publish(topic, published)
    await broker.check(topic, (published, results))


async def test_a_topic_to_which_one_may_not_write_stops_no_other(
    secure_kafka: SecureKafka,
    mallorys: Publisher,
    broker_of: "Callable[[str], Broker]",
    topic: str,
) -> None:
    broker = broker_of(secure_kafka.address("PLAINTEXT"))
    allowed = f"{topic}-allowed"
    for name, rights in ((topic, ["Describe"]), (allowed, ["Write"])):
        await broker.make(name)
        await give(secure_kafka, name, *rights)
    published = [Message(b"%d" % number, id=str(number)) for number in range(8)]
    async with asyncio.timeout(PATIENCE):
        stored, refused = await asyncio.gather(
            mallorys.publish(allowed, published), mallorys.publish(topic, published)
        )
    for result in refused:
        assert isinstance(result, TemporaryError)
        assert "Write to publish" in str(result)
    assert all(isinstance(result, Position) for result in stored)
    await broker.check(allowed, (published, stored))
