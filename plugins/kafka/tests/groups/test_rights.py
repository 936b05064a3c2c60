"""What members and others need to be allowed, and what those are told who may not."""

import asyncio
import uuid
from pathlib import Path

import pytest

from penstock.plugin import Edge, Group, TemporaryError
from penstock_kafka.groups import Groups
from plugins.kafka.tests.groups.broker import Broker
from plugins.kafka.tests.groups.conftest import Join, OpenGroups
from tests.servers.secure_kafka import MALLORY, SecureKafka


@pytest.fixture
def mallorys(secure_kafka: SecureKafka, open_groups: OpenGroups, tmp_path: Path) -> Groups:
    password = tmp_path / "password"
    password.write_text(MALLORY.password)
    auth = {
        "type": "scram-sha-512",
        "username": MALLORY.name,
        "passwordSecret": {"file": str(password)},
    }
    return open_groups(secure_kafka.address("SASL_PLAINTEXT"), auth=auth)


@pytest.fixture
async def topic(secure_kafka: SecureKafka) -> str:
    topic = f"topic-{uuid.uuid4().hex[:12]}"
    await Broker(secure_kafka.address("PLAINTEXT")).make(topic)
    return topic


async def allow(kafka: SecureKafka, *arguments: str) -> None:
    """Give Mallory a right."""
    await asyncio.to_thread(
        kafka.server.tool,
        "org.apache.kafka.tools.AclCommand",
        *("--add", "--allow-principal", f"User:{MALLORY.name}", *arguments),
    )


async def test_a_member_needs_the_rights_that_are_written_down_and_no_more(
    secure_kafka: SecureKafka, mallorys: Groups, join: Join, topic: str
) -> None:
    await allow(secure_kafka, "--operation", "Read", "--topic", topic)
    group = Group(f"of-{topic}")
    with pytest.raises(TemporaryError, match="the rights Read and Describe to the group") as told:
        await mallorys.subscribe(topic, group, Edge.EARLIEST)
    assert group.name in str(told.value)
    assert told.value.retry_after, "somebody has to act first"
    rights = ("--operation", "Read", "--operation", "Describe", "--group", group.name)
    await allow(secure_kafka, *rights)
    await Broker(secure_kafka.address("PLAINTEXT")).publish(topic, {0: range(5)})
    member = await join(groups=mallorys, group=group, topic=topic)
    await member.until_read(range(5))
    await member.subscription.ack({0: 3})
    assert await mallorys.positions(topic, group.name) == {0: {0: 3}}


async def test_who_acks_for_others_needs_a_transactional_id(
    secure_kafka: SecureKafka, mallorys: Groups, join: Join, open_groups: OpenGroups, topic: str
) -> None:
    await allow(secure_kafka, "--operation", "Read", "--topic", topic)
    group = Group(f"of-{topic}")
    rights = ("--operation", "Read", "--operation", "Describe", "--group", group.name)
    await allow(secure_kafka, *rights)
    await mallorys.ack(topic, group, {0: 1})
    await join(groups=open_groups(secure_kafka.address("PLAINTEXT")), group=group, topic=topic)
    with pytest.raises(TemporaryError, match="the right to the transactional id"):
        await mallorys.ack(topic, group, {0: 2})
    prefix = ("--transactional-id", "penstock-", "--resource-pattern-type", "prefixed")
    await allow(secure_kafka, "--operation", "Write", *prefix)
    await mallorys.ack(topic, group, {0: 3})
    assert await mallorys.positions(topic, group.name) == {0: {0: 3}}
