"""One contract, three ways: the gateway itself, and both protocols in front of it."""

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from penstock.plugin import (
    Assigned,
    AtOffsets,
    AtTime,
    Edge,
    Group,
    Message,
    PermanentError,
    Position,
    PubSub,
    Retention,
    Revoked,
    TemporaryError,
    Unsupported,
)
from penstock.wire.remote.inbox import HIGH_BYTES

if TYPE_CHECKING:
    from collections import Counter

    from core.tests.wire.conftest import Join, MakeTopic

READERS = Group("readers")
FULL = Message(
    payload=b"55.0",
    content_type="application/json; charset=utf-8",
    key=b"\x00key",
    headers={"h1": " V1", "traceparent": "00-é"},
    id="1",
    type="number",
    source="/sensors/1",
    time="not a time",
)


def numbers(count: int, start: int = 0, key: bytes | None = None) -> list[Message]:
    return [Message(b"%d" % number, key=key) for number in range(start, start + count)]


def payloads(records: object) -> list[bytes]:
    assert isinstance(records, list)
    return [record.message.payload for record in records]


async def test_a_message_comes_back_as_it_was_published(
    pubsub: PubSub, make_topic: "MakeTopic", join: "Join"
) -> None:
    topic = await make_topic()
    before = time.time_ns() // 1_000_000
    await pubsub.publish(topic, [FULL, Message(b""), Message(b"", content_type="text/plain")])
    records = await (await join(topic)).until_read(3)
    assert [record.message for record in records] == [
        FULL,
        Message(b""),
        Message(b"", content_type="text/plain"),
    ]
    assert [record.offset for record in records] == [0, 1, 2]
    assert all(before <= record.timestamp_ms <= time.time_ns() for record in records)


async def test_results_say_where_each_message_of_a_batch_is(
    pubsub: PubSub, make_topic: "MakeTopic", join: "Join"
) -> None:
    topic = await make_topic(partitions=4)
    messages = [Message(b"%d" % n, key=b"%d" % (n % 50)) for n in range(500)]
    results = await pubsub.publish(topic, messages)
    member = await join(topic)
    await member.until_read(500)
    stored = {
        Position(partition, record.offset): record.message
        for partition, records in member.records.items()
        for record in records
    }
    assert [stored[result] for result in results if isinstance(result, Position)] == messages


async def test_messages_of_one_key_are_in_one_partition_in_order(
    pubsub: PubSub, make_topic: "MakeTopic", join: "Join"
) -> None:
    topic = await make_topic(partitions=4)
    for start in range(0, 300, 100):
        messages = [Message(b"%d" % n, key=b"%d" % (n % 7)) for n in range(start, start + 100)]
        await pubsub.publish(topic, messages)
    member = await join(topic)
    await member.until_read(300)
    for key in range(7):
        [of_key] = filter(
            None,
            (
                [int(one.message.payload) for one in records if one.message.key == b"%d" % key]
                for records in member.records.values()
            ),
        )
        assert of_key == list(range(key, 300, 7))


async def test_messages_without_a_key_keep_their_order_within_a_partition(
    pubsub: PubSub, make_topic: "MakeTopic", join: "Join"
) -> None:
    topic = await make_topic(partitions=3)
    await pubsub.publish(topic, numbers(300))
    member = await join(topic)
    await member.until_read(300)
    assert len(member.records) == 3
    for records in member.records.values():
        read = [int(record.message.payload) for record in records]
        assert read == sorted(read)


async def test_nothing_published_gives_no_results(pubsub: PubSub, make_topic: "MakeTopic") -> None:
    assert not await pubsub.publish(await make_topic(), [])


async def test_large_messages_pass(pubsub: PubSub, make_topic: "MakeTopic", join: "Join") -> None:
    topic = await make_topic()
    large = [Message(bytes([n]) * 6_000_000) for n in range(3)]
    await pubsub.publish(topic, large)
    records = await (await join(topic)).until_read(3)
    assert [record.message for record in records] == large


async def test_a_topic_that_nobody_made_is_made(pubsub: PubSub, join: "Join") -> None:
    member = await join("new")
    await pubsub.publish("new", numbers(1))
    await member.until_read(1)


async def test_an_impossible_topic_is_refused_for_good(way: str, pubsub: PubSub) -> None:
    if way == "riff":  # whose calls are of one message
        [refused] = await pubsub.publish("no topic", numbers(1))
        assert isinstance(refused, PermanentError)
        assert "topic" in str(refused)
    else:
        with pytest.raises(PermanentError, match="topic"):
            await pubsub.publish("no topic", numbers(1))
    with pytest.raises(PermanentError, match="topic"):
        await pubsub.subscribe("no topic", READERS, Edge.LATEST)
    with pytest.raises(PermanentError, match="topic"):
        await pubsub.ack("no topic", READERS, {0: 1})


async def test_latest_is_settled_when_subscribe_returns(
    pubsub: PubSub, make_topic: "MakeTopic", join: "Join"
) -> None:
    topic = await make_topic()
    await pubsub.publish(topic, numbers(10))
    member = await join(topic, start=Edge.LATEST)
    await pubsub.publish(topic, numbers(5, start=10))
    assert payloads(await member.until_read(5)) == [b"10", b"11", b"12", b"13", b"14"]


async def test_a_group_starts_where_it_is_told(
    way: str, pubsub: PubSub, make_topic: "MakeTopic", join: "Join"
) -> None:
    topic = await make_topic(partitions=2)
    await pubsub.publish(topic, numbers(20))
    for name, start, expected in (
        ("offsets", AtOffsets({0: 7}, Edge.LATEST), 3),
        ("time", AtTime(0), 20),
        ("later", AtTime(time.time_ns() // 1_000_000 + 3_600_000), 0),
    ):
        if way == "riff":
            with pytest.raises(Unsupported, match="earliest or the latest"):
                await pubsub.subscribe(topic, Group(name), start)
        else:
            member = await join(topic, Group(name), start)
            await member.until_read(expected)
            await member.stop()


async def test_a_group_resumes_behind_its_ack(
    pubsub: PubSub, make_topic: "MakeTopic", join: "Join"
) -> None:
    topic = await make_topic()
    await pubsub.publish(topic, numbers(10))
    first = await join(topic)
    await first.until_read(10)
    await first.subscription.ack({0: 5})
    await first.stop()
    assert payloads(await (await join(topic)).until_read(4)) == [b"6", b"7", b"8", b"9"]


async def test_an_ack_replaces_a_higher_one(
    pubsub: PubSub, make_topic: "MakeTopic", join: "Join"
) -> None:
    topic = await make_topic()
    await pubsub.publish(topic, numbers(10))
    member = await join(topic)
    await member.until_read(10)
    for offset in (3, 9, 7):
        await member.subscription.ack({0: offset})
    assert await pubsub.positions(topic, "readers") == {0: {0: 7}}


async def test_who_is_no_member_may_ack(
    pubsub: PubSub, make_topic: "MakeTopic", join: "Join"
) -> None:
    topic = await make_topic(partitions=2)
    await pubsub.publish(topic, numbers(20))
    await pubsub.ack(topic, READERS, {0: 8, 1: 3})
    assert await pubsub.positions(topic, "readers") == {0: {0: 8, 1: 3}}
    member = await join(topic)
    await member.until_read(7)
    assert {at: len(records) for at, records in member.records.items()} == {0: 1, 1: 6}


async def test_positions_of_what_nobody_used_are_empty(pubsub: PubSub) -> None:
    assert await pubsub.positions("unknown", "readers") == {}
    assert await pubsub.end_positions("unknown") == {}


async def test_end_positions_are_the_last_offsets_of_partitions_with_records(
    pubsub: PubSub, make_topic: "MakeTopic"
) -> None:
    topic = await make_topic(partitions=2)
    [result, *_] = await pubsub.publish(topic, numbers(5, key=b"one"))
    assert isinstance(result, Position)
    assert await pubsub.end_positions(topic) == {result.partition: 4}


async def test_groups_read_each_for_itself(
    pubsub: PubSub, make_topic: "MakeTopic", join: "Join"
) -> None:
    topic = await make_topic()
    one, other = await join(topic, Group("one")), await join(topic, Group("other"))
    await pubsub.publish(topic, numbers(10))
    await one.until_read(10)
    await one.ack_all()
    await other.until_read(10)
    assert await pubsub.positions(topic, "other") == {}


async def test_versions_of_a_group_have_positions_of_their_own(
    way: str, pubsub: PubSub, make_topic: "MakeTopic", join: "Join"
) -> None:
    topic = await make_topic()
    await pubsub.publish(topic, numbers(10))
    await pubsub.ack(topic, Group("readers", 3), {0: 4})
    await pubsub.ack(topic, Group("readers", 2), {0: 7})
    member = await join(topic, Group("readers", 3))
    assert len(await member.until_read(5)) == 5
    if way != "riff":  # which does not tell which versions there are
        assert await pubsub.positions(topic, "readers") == {2: {0: 7}, 3: {0: 4}}


async def test_a_group_without_a_version_starts_at_its_lowest_acked_version(
    way: str, pubsub: PubSub, make_topic: "MakeTopic", join: "Join"
) -> None:
    if way == "direct":
        pytest.skip("a rule of the gateway server")
    topic = await make_topic(partitions=2)
    await pubsub.publish(topic, numbers(20))
    await pubsub.ack(topic, Group("readers", 3), {0: 4, 1: 4})
    await pubsub.ack(topic, Group("readers", 2), {0: 7})
    member = await join(topic, start=Edge.LATEST)
    assert [record.offset for record in await member.until_read(2)] == [8, 9]


async def test_records_that_the_group_has_acked_are_marked_when_they_are_read_again(
    pubsub: PubSub, make_topic: "MakeTopic", join: "Join"
) -> None:
    topic = await make_topic()
    await pubsub.publish(topic, numbers(10))
    await pubsub.ack(topic, Group("readers", 1), {0: 6})
    records = await (await join(topic, Group("readers", 2))).until_read(10)
    assert [record.replay for record in records] == [True] * 7 + [False] * 3


async def test_a_read_returns_no_more_than_it_is_asked_for(
    pubsub: PubSub, make_topic: "MakeTopic"
) -> None:
    topic = await make_topic()
    await pubsub.publish(topic, [Message(b"x" * 100) for _ in range(100)])
    async with asyncio.timeout(10), await pubsub.subscribe(topic, READERS, Edge.EARLIEST) as it:
        assert await it.next_event() == Assigned(frozenset({0}))
        by_count = await it.read(0, 7)
        by_bytes = await it.read(0, 100, 250)
        one = await it.read(0, 100, 1)
        assert 1 <= len(by_count) <= 7
        assert 1 <= len(by_bytes) <= 3
        assert len(one) == 1
        taken = len(by_count) + len(by_bytes) + len(one)
        while taken < 100:
            records = await it.read(0, 1000)
            assert records[0].offset == taken
            taken += len(records)


async def test_a_partition_that_is_not_read_holds_up_no_other(
    pubsub: PubSub, make_topic: "MakeTopic", join: "Join"
) -> None:
    topic = await make_topic(partitions=2)
    member = await join(topic, holds=frozenset({0}))
    payload = b"x" * 1_000_000
    for _ in range(10):
        await pubsub.publish(topic, [Message(payload), Message(payload)])
    await member.until_read(10)
    assert set(member.records) == {1}
    member.resume(0)
    await member.until_read(20)
    assert [record.offset for record in member.records[0]] == list(range(10))


async def test_a_second_member_gets_its_share_after_the_first_has_let_go(
    way: str, pubsub: PubSub, make_topic: "MakeTopic", join: "Join"
) -> None:
    topic = await make_topic(partitions=2)
    first = await join(topic, releases=False)
    await pubsub.publish(topic, numbers(20))
    await first.until_read(20)
    second = await join(topic)
    await first.until(lambda: len(first.revocations) == 1)
    [revocation] = first.revocations
    [moved] = revocation.partitions
    if way == "riff":
        assert revocation.grace == 0
        await second.until_read(10)  # nobody knows better than to begin again
        return
    assert revocation.grace > 0
    assert not second.partitions
    await first.subscription.ack({moved: 8})
    await first.subscription.release({moved})
    [record] = await second.until_read(1)
    assert second.partitions == {moved}
    assert record.offset == 9


async def test_while_members_come_and_go_every_record_is_read(
    pubsub: PubSub, make_topic: "MakeTopic", join: "Join"
) -> None:
    topic = await make_topic(partitions=3)
    members = [await join(topic)]
    published = 0
    for step in range(6):
        await pubsub.publish(topic, numbers(30, start=published))
        published += 30
        if step % 2:
            await members.pop(0).stop()
        else:
            members.append(await join(topic))
    [last] = members
    await last.until(lambda: last.partitions == {0, 1, 2})
    # Nobody has acked, so that who is last is given all there is once more.
    await last.until(
        lambda: (
            {int(record.message.payload) for records in last.records.values() for record in records}
            == set(range(published))
        )
    )


async def test_an_assignment_that_comes_back_is_read_from_the_position(
    pubsub: PubSub, make_topic: "MakeTopic", join: "Join"
) -> None:
    topic = await make_topic(partitions=2)
    first = await join(topic)
    await pubsub.publish(topic, numbers(20))
    await first.until_read(20)
    await first.ack_all()
    second = await join(topic)
    await second.until(lambda: len(second.partitions) == 1)
    await second.stop()
    await first.until(lambda: first.partitions == {0, 1})
    await pubsub.publish(topic, numbers(20, start=20))
    records = await first.until_read(40)
    assert sorted(int(record.message.payload) for record in records) == list(range(40))


async def test_a_position_that_is_gone_is_told_and_reading_goes_on(
    way: str, pubsub: PubSub, make_topic: "MakeTopic", join: "Join"
) -> None:
    topic = await make_topic(retention=Retention(messages=10))
    await pubsub.publish(topic, numbers(5))
    await pubsub.ack(topic, READERS, {0: 1})
    await pubsub.publish(topic, numbers(95, start=5))
    member = await join(topic)
    records = await member.until_read(10)
    assert [record.offset for record in records] == list(range(90, 100))
    gaps = [(gap.partition, gap.wanted, gap.earliest) for gap in member.gaps]
    assert gaps == ([] if way == "riff" else [(0, 2, 90)])


async def test_cancelling_a_read_loses_no_record(pubsub: PubSub, make_topic: "MakeTopic") -> None:
    topic = await make_topic()
    async with asyncio.timeout(20), await pubsub.subscribe(topic, READERS, Edge.EARLIEST) as it:
        await it.next_event()
        offsets: list[int] = []
        for number in range(50):
            reading = asyncio.create_task(it.read(0, 10))
            published = asyncio.create_task(pubsub.publish(topic, numbers(2, start=2 * number)))
            await asyncio.wait({reading, published}, return_when=asyncio.FIRST_COMPLETED)
            if not reading.cancel():
                offsets += [record.offset for record in reading.result()]
            await asyncio.wait({reading, published})
        while len(offsets) < 100:
            offsets += [record.offset for record in await it.read(0, 1000)]
        assert offsets == list(range(100))


async def test_cancelling_a_wait_for_events_loses_none(
    pubsub: PubSub, make_topic: "MakeTopic", join: "Join"
) -> None:
    topic = await make_topic(partitions=2)
    async with asyncio.timeout(20), await pubsub.subscribe(topic, READERS, Edge.EARLIEST) as it:
        held: set[int] = set()
        while held != {0, 1}:
            event = await it.next_event()
            assert isinstance(event, Assigned)
            held |= event.partitions
        waiting = asyncio.create_task(it.next_event())
        joining = asyncio.create_task(join(topic))
        await asyncio.wait({waiting, joining}, return_when=asyncio.FIRST_COMPLETED)
        if waiting.cancel():
            await asyncio.wait({waiting})
            event = await it.next_event()
        else:
            event = waiting.result()
        assert isinstance(event, Revoked)
        await it.release(event.partitions)
        await joining


async def test_cancelling_calls_leaves_the_rest_alone(
    pubsub: PubSub, make_topic: "MakeTopic", join: "Join"
) -> None:
    topic = await make_topic()
    member = await join(topic)
    for call in (
        pubsub.publish(topic, [Message(b"cancelled")]),
        member.subscription.ack({0: 0}),
        pubsub.ack(topic, Group("others"), {0: 0}),
    ):
        task = asyncio.ensure_future(call)
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
    await pubsub.publish(topic, [Message(b"last")])
    await member.until(lambda: payloads(member.records.get(0, []))[-1:] == [b"last"])
    await member.ack_all()
    last = member.records[0][-1].offset
    assert (await pubsub.positions(topic, "readers"))[0] == {0: last}


async def test_closing_ends_pending_reads_and_hands_the_partitions_on(
    pubsub: PubSub, make_topic: "MakeTopic", join: "Join"
) -> None:
    topic = await make_topic()
    subscription = await pubsub.subscribe(topic, READERS, Edge.EARLIEST)
    second = await join(topic)
    async with asyncio.timeout(10):
        await subscription.next_event()
        reading = asyncio.create_task(subscription.read(0, 10))
        await asyncio.sleep(0)
        await subscription.close()
        await subscription.close()
        assert not await reading
        assert not await subscription.read(0, 10)
        with pytest.raises(TemporaryError, match="closed"):
            await subscription.next_event()
    await second.until(lambda: second.partitions == {0})


async def test_a_partition_that_is_not_held_gives_nothing(
    pubsub: PubSub, make_topic: "MakeTopic"
) -> None:
    async with await pubsub.subscribe(await make_topic(), READERS, Edge.EARLIEST) as subscription:
        await subscription.next_event()
        assert not await subscription.read(9, 10)
        await subscription.release({9})


async def test_what_is_not_read_is_not_fetched_beyond_a_bound(
    way: str, pubsub: PubSub, join: "Join", fetched: "Counter[str]"
) -> None:
    if way == "direct":
        pytest.skip("nothing lies between")
    payload = b"x" * 10_000
    for _ in range(40):
        await pubsub.publish("numbers", [Message(payload)] * 100)
    held = await join("numbers", Group("held"), holds=frozenset({0}))
    reading = await join("numbers", Group("reading"))
    await reading.until_read(4000)
    # Our own buffer; over riff's protocol, which knows no credit, what is on its way too.
    on_its_way = 0 if way == "batch" else 6 * 1024 * 1024
    assert 0 < fetched["held"] * len(payload) <= HIGH_BYTES + len(payload) + on_its_way
    held.resume(0)
    records = await held.until_read(4000)
    assert [record.offset for record in records] == list(range(4000))
