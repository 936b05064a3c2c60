"""What a broker refuses is refused by itself; all else is stored."""

import asyncio
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pytest

from penstock.plugin import Message, PermanentError, Position, PublishResult, TemporaryError
from penstock_kafka.publisher import Publisher, limits

if TYPE_CHECKING:
    from plugins.kafka.tests.publisher.conftest import Broker

PATIENCE = 20.0

SMALL = 2000


def messages(count: int, size: int = 100, key: bytes | None = b"k") -> list[Message]:
    return [Message(bytes(size), key=key, id=f"id-{number}") for number in range(count)]


def refused(results: Sequence[PublishResult]) -> list[int]:
    """The places that are refused for good; all others have positions."""
    for result in results:
        assert isinstance(result, Position | PermanentError), result
    return [place for place, result in enumerate(results) if isinstance(result, PermanentError)]


async def test_only_the_message_that_is_too_large_is_refused(
    publisher: Publisher, broker: "Broker", topic: str
) -> None:
    await broker.make(topic)
    published = messages(100)
    for place in (0, 50, 99):
        published[place] = published[place]._replace(payload=bytes(1_100_000))
    results = await publisher.publish(topic, published)
    assert refused(results) == [0, 50, 99]
    await broker.check(topic, (published, results))
    text = str(results[50])
    assert topic in text
    assert "max.message.bytes is 1048588" in text
    size = next(int(word) for word in text.split() if word.isdigit())
    assert 1_100_000 < size < 1_100_200


async def test_a_topic_may_take_less_than_usual(
    publisher: Publisher, broker: "Broker", topic: str
) -> None:
    await broker.make(topic, max_message_bytes=SMALL)
    for _ in range(3):
        published = messages(300)
        published[7] = published[7]._replace(payload=bytes(SMALL))
        results = await publisher.publish(topic, published)
        assert refused(results) == [7]
        assert f"max.message.bytes is {SMALL}" in str(results[7])
    stored = await broker.stored(topic)
    assert sum(len(records) for records in stored.values()) == 3 * 299


async def test_a_topic_may_take_more_than_usual(
    publisher: Publisher, broker: "Broker", topic: str
) -> None:
    await broker.make(topic, partitions=1, max_message_bytes=5_000_000)
    published = [*messages(3), *messages(2, 4_000_000), *messages(3), *messages(1, 5_000_000)]
    published = [message._replace(id=str(at)) for at, message in enumerate(published)]
    results = await publisher.publish(topic, published)
    assert refused(results) == [8]
    await broker.check(topic, (published, results))


async def test_a_limit_that_is_lowered_and_raised_is_noticed(
    publisher: Publisher, broker: "Broker", topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "_TRUSTED_SECONDS", 0.1)
    await broker.make(topic)
    await publisher.publish(topic, messages(1))
    for limit, expected in ((SMALL, [0]), (10 * SMALL, [])):
        await broker.change(topic, max_message_bytes=limit)
        async with asyncio.timeout(PATIENCE):
            while refused(await publisher.publish(topic, messages(1, 2 * SMALL))) != expected:
                pass


async def test_where_the_limit_may_not_be_asked_for_the_broker_judges(
    publisher: Publisher, broker: "Broker", topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def not_allowed(self: limits.Limits) -> None:
        """What `Limits` does when it gets no answer: nothing."""

    monkeypatch.setattr(limits.Limits, "_read", not_allowed)
    await broker.make(topic, max_message_bytes=SMALL)
    published = messages(200)
    published[3] = published[3]._replace(payload=bytes(5 * SMALL))
    published[9] = published[9]._replace(payload=bytes(1_500_000))
    results = await publisher.publish(topic, published)
    assert refused(results) == [3, 9]
    assert "max.message.bytes" in str(results[3])
    await broker.check(topic, (published, results))
    larger = f"{topic}-larger"
    await broker.make(larger, max_message_bytes=5_000_000)
    assert refused(await publisher.publish(larger, messages(2, 1_500_000))) == []


async def test_what_is_known_to_be_refused_is_not_sent(
    publisher: Publisher, broker: "Broker", topic: str
) -> None:
    await broker.make(topic, partitions=1)
    assert refused(await publisher.publish(topic, messages(1))) == []
    producer = publisher._producer._client
    for _ in range(3):
        published = [*messages(1), *messages(1, 2_000_000), *messages(1)]
        assert refused(await publisher.publish(topic, published)) == [1]
    assert publisher._producer._client is producer


async def test_what_a_topic_took_long_ago_does_not_count(
    publisher: Publisher, broker: "Broker", topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = limits.Limits(publisher._cluster, topic)
    await broker.make(topic, max_message_bytes=SMALL)
    await known.learn_refusal(2 * SMALL, records=2)
    assert known.max_bytes == SMALL
    monkeypatch.setattr(limits, "_REMEMBERED_SECONDS", 0.0)
    await known.learn_refusal(2 * SMALL, records=2)
    assert known.max_bytes == limits.DEFAULT_BYTES


async def test_a_compacted_topic_refuses_only_messages_without_a_key(
    publisher: Publisher, broker: "Broker", topic: str
) -> None:
    await broker.make(topic, cleanup_policy="compact")
    for _ in range(2):
        published = messages(100)
        for place in (1, 42):
            published[place] = published[place]._replace(key=None)
        results = await publisher.publish(topic, published)
        assert refused(results) == [1, 42]
        assert "key" in str(results[1])
        assert topic in str(results[1])
    assert refused(await publisher.publish(topic, messages(3, key=None))) == [0, 1, 2]
    stored = await broker.stored(topic)
    assert sum(len(records) for records in stored.values()) == 2 * 98


async def test_a_topic_that_is_compacted_no_more_takes_messages_without_a_key(
    publisher: Publisher, broker: "Broker", topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "_TRUSTED_SECONDS", 0.1)
    await broker.make(topic, partitions=1, cleanup_policy="compact")
    assert refused(await publisher.publish(topic, messages(2, key=None))) == [0, 1]
    await broker.change(topic, cleanup_policy="delete")
    async with asyncio.timeout(PATIENCE):
        while refused(await publisher.publish(topic, messages(2, key=None))):
            pass


async def test_a_tombstone_is_taken_by_a_compacted_topic(
    publisher: Publisher, broker: "Broker", topic: str
) -> None:
    await broker.make(topic, cleanup_policy="compact")
    tombstone = Message(b"", key=b"k", headers={"kafkatombstone": "true"}, id="1")
    results = await publisher.publish(topic, [tombstone])
    await broker.check(topic, ([tombstone], results))


async def test_a_text_that_cannot_be_written_is_refused_by_itself(
    publisher: Publisher, broker: "Broker", topic: str
) -> None:
    await broker.make(topic)
    published = messages(10)
    published[0] = published[0]._replace(id="\ud800")
    published[5] = published[5]._replace(headers={"a": "\udfff"})
    results = await publisher.publish(topic, published)
    assert refused(results) == [0, 5]
    await broker.check(topic, (published, results))


async def test_a_clock_that_is_wrong_refuses_no_message_for_good(
    publisher: Publisher, broker: "Broker", topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await broker.make(topic, message_timestamp_after_max_ms=60_000)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 3600)
    (result,) = await publisher.publish(topic, messages(1))
    assert isinstance(result, TemporaryError)
    monkeypatch.undo()
    assert refused(await publisher.publish(topic, messages(1))) == []


async def test_what_is_no_message_at_all_stops_nobody_else(
    publisher: Publisher, broker: "Broker", topic: str
) -> None:
    await broker.make(topic, partitions=1)
    text: Any = "not bytes"
    with pytest.raises(TypeError):
        await publisher.publish(topic, [*messages(3), Message(text)])
    assert refused(await publisher.publish(topic, messages(3))) == []
