"""GetOffsets and GetEndOffsets."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from core.tests.server.conftest import RiffClient


async def test_offsets_are_the_last_acked_by_partition(
    riff: "RiffClient", two_partitions: str
) -> None:
    await riff.ack(two_partitions, 3, partition=0)
    await riff.ack(two_partitions, 2**63, partition=1)
    assert await riff.offsets(two_partitions) == {0: 3, 1: 2**63}


async def test_a_subscription_alone_is_not_a_position(riff: "RiffClient") -> None:
    await riff.publish("numbers", b"1")
    await riff.subscribe("numbers")
    assert await riff.offsets("numbers") == {}


async def test_end_offsets_are_those_of_the_last_records(riff: "RiffClient") -> None:
    for data in (b"0", b"1", b"2"):
        await riff.publish("numbers", data)
    assert await riff.end_offsets("numbers") == {0: 2}


async def test_a_partition_without_records_has_no_end_offset(
    riff: "RiffClient", two_partitions: str
) -> None:
    reply = await riff.publish(two_partitions, b"1")
    assert await riff.end_offsets(two_partitions) == {reply.partition: 0}


async def test_a_group_or_a_topic_that_nobody_has_used_gives_none(riff: "RiffClient") -> None:
    await riff.publish("numbers", b"1")
    await riff.ack("numbers", 0)
    assert await riff.offsets("numbers", "strangers") == {}
    assert await riff.offsets("letters") == {}
    assert await riff.end_offsets("letters") == {}


async def test_to_ask_for_offsets_does_not_make_a_topic(riff: "RiffClient") -> None:
    assert await riff.offsets("..") == {}
    assert await riff.end_offsets("..") == {}
