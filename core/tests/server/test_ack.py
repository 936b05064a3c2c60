"""Ack, as riff's clients do: by session or by name, higher or lower."""

from typing import TYPE_CHECKING
from uuid import uuid4

import grpc
import pytest

from penstock.wire.protocol.liiklus_pb2 import AckRequest, Assignment

if TYPE_CHECKING:
    from core.tests.server.conftest import RiffClient


async def test_a_new_member_resumes_behind_the_offset_that_was_acked(riff: "RiffClient") -> None:
    for data in (b"0", b"1", b"2"):
        await riff.publish("numbers", data)
    await riff.read("numbers", 3)
    await riff.ack("numbers", 0)
    assert [one.offset for one in await riff.read("numbers", 2)] == [1, 2]


async def test_an_ack_with_the_deprecated_assignment_takes_topic_and_group_from_the_session(
    riff: "RiffClient", two_partitions: str
) -> None:
    subscribing = await riff.subscribe(two_partitions, "x-v3")
    for assignment in await riff.assignments(subscribing, 2):
        offset = 10 + assignment.partition
        await riff.stub.Ack(AckRequest(assignment=assignment, offset=offset))
    assert await riff.offsets(two_partitions, "x", version=3) == {0: 10, 1: 11}


async def test_a_session_may_ack_a_partition_that_it_has_lost(
    riff: "RiffClient", two_partitions: str
) -> None:
    one = await riff.subscribe(two_partitions)
    assignments = {each.partition: each for each in await riff.assignments(one, 2)}
    [given] = await riff.assignments(await riff.subscribe(two_partitions))
    await riff.stub.Ack(AckRequest(assignment=assignments[given.partition], offset=4))
    assert await riff.offsets(two_partitions) == {given.partition: 4}


async def test_an_ack_for_a_group_that_nobody_is_subscribed_with_is_stored(
    riff: "RiffClient",
) -> None:
    await riff.ack("numbers", 5, group="nobody")
    assert await riff.offsets("numbers", "nobody") == {0: 5}


async def test_an_ack_replaces_the_position_before_it_even_when_it_is_lower(
    riff: "RiffClient",
) -> None:
    for offset in (10, 200, 100):
        await riff.ack("numbers", offset)
    assert await riff.offsets("numbers") == {0: 100}


async def test_the_same_holds_for_a_session(riff: "RiffClient") -> None:
    [assignment] = await riff.assignments(await riff.subscribe("numbers"))
    for offset in (10, 200, 100):
        await riff.stub.Ack(AckRequest(assignment=assignment, offset=offset))
    assert await riff.offsets("numbers") == {0: 100}


async def test_offset_0_may_be_acked_again_and_again(riff: "RiffClient") -> None:
    for _ in range(3):
        await riff.ack("numbers", 0)
    assert await riff.offsets("numbers") == {0: 0}


async def test_an_ack_of_an_unknown_session_is_answered_well_and_does_nothing(
    riff: "RiffClient",
) -> None:
    await riff.subscribe("numbers")
    gone = Assignment(session_id=str(uuid4()))
    await riff.stub.Ack(AckRequest(assignment=gone, offset=5))
    assert await riff.offsets("numbers") == {}


async def test_an_ack_that_names_a_topic_and_a_group_needs_no_session(riff: "RiffClient") -> None:
    gone = Assignment(session_id=str(uuid4()))
    request = AckRequest(assignment=gone, topic="numbers", group="readers", offset=5)
    await riff.stub.Ack(request)
    assert await riff.offsets("numbers") == {0: 5}


async def test_an_ack_without_a_partition_means_partition_0(
    riff: "RiffClient", two_partitions: str
) -> None:
    await riff.stub.Ack(AckRequest(topic=two_partitions, group="readers", offset=5))
    assert await riff.offsets(two_partitions) == {0: 5}


async def test_an_ack_and_the_offsets_reach_the_same_entry_by_either_name_of_a_version(
    riff: "RiffClient",
) -> None:
    await riff.ack("numbers", 5, group="x-v3")
    assert await riff.offsets("numbers", "x", version=3) == {0: 5}
    await riff.ack("numbers", 6, group="x", version=3)
    assert await riff.offsets("numbers", "x-v3") == {0: 6}
    assert await riff.offsets("numbers", "x") == {}


async def test_versions_of_a_group_are_acked_apart(riff: "RiffClient") -> None:
    for version in (0, 1, 2):
        await riff.ack("numbers", 10 + version, version=version)
    acked = [await riff.offsets("numbers", version=version) for version in (0, 1, 2)]
    assert acked == [{0: 10}, {0: 11}, {0: 12}]


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (AckRequest(), "the topic is empty"),
        (AckRequest(group="readers"), "the topic is empty"),
        (AckRequest(topic="numbers"), "the group is empty"),
    ],
    ids=["nothing", "no topic", "no group"],
)
async def test_an_ack_that_names_neither_session_nor_topic_and_group_is_refused(
    riff: "RiffClient", request_: AckRequest, reason: str
) -> None:
    code, text = await riff.refused(riff.stub.Ack(request_))
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert reason in text
