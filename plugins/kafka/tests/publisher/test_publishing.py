"""What is published is stored, where the answer says."""

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from penstock.plugin import Message, PermanentError, Position, TemporaryError
from penstock_kafka import KafkaGatewaySpec, KafkaPubSub
from penstock_kafka.compression import Compression
from penstock_kafka.publisher import Publisher
from penstock_kafka.publisher.partitioning import hash_key

if TYPE_CHECKING:
    from plugins.kafka.tests.publisher.conftest import Broker, OpenPublisher

PATIENCE = 20.0

EVENT = Message(b"", "application/json", None, {"a": "b"}, "", "made", "/shop", "noon")


def events(count: int, *, keys: int = 0, first: int = 0, payload: bytes = b"") -> list[Message]:
    """Events with ids from `first` on; every second has one of so many keys, if there are any."""
    return [
        EVENT._replace(
            payload=payload or b"%d" % number,
            id=f"id-{number}",
            key=b"key-%d" % (number % keys) if keys and number % 2 else None,
        )
        for number in range(first, first + count)
    ]


def offsets(results: object) -> list[int]:
    assert isinstance(results, list)
    return [result.offset for result in results if isinstance(result, Position)]


@pytest.mark.parametrize("keys", [0, 7])
async def test_messages_are_where_their_positions_say(
    publisher: Publisher, broker: "Broker", topic: str, keys: int
) -> None:
    await broker.make(topic)
    messages = events(503, keys=keys)
    results = await publisher.publish(topic, messages)
    assert len(offsets(results)) == 503
    await broker.check(topic, (messages, results))


async def test_a_key_goes_where_kafkas_own_clients_put_it(
    publisher: Publisher, broker: "Broker", topic: str
) -> None:
    await broker.make(topic, partitions=5)
    keys = [b"key-%d" % number for number in range(20)]
    for _ in range(2):
        results = await publisher.publish(topic, [Message(b"", key=key) for key in keys])
        partitions = [result.partition for result in results if isinstance(result, Position)]
        assert partitions == [hash_key(key) % 5 for key in keys]


async def test_messages_without_a_key_are_spread(
    publisher: Publisher, broker: "Broker", topic: str
) -> None:
    await broker.make(topic)
    await publisher.publish(topic, events(400))
    for _ in range(8):
        await publisher.publish(topic, events(1))
    stored = await broker.stored(topic)
    assert {partition: len(records) for partition, records in stored.items()} == dict.fromkeys(
        range(4), 102
    )


async def test_an_empty_key_is_none(publisher: Publisher, broker: "Broker", topic: str) -> None:
    await broker.make(topic)
    results = await publisher.publish(topic, [Message(b"", key=b"")] * 8)
    assert Counter(result.partition for result in results if isinstance(result, Position)) == {
        0: 2,
        1: 2,
        2: 2,
        3: 2,
    }


async def test_a_topic_that_nobody_made_is_made(
    publisher: Publisher, broker: "Broker", topic: str
) -> None:
    assert await publisher.publish(topic, []) == []
    assert await broker.stored(topic) == {0: []}


async def test_calls_at_once_do_not_mix_up_their_results(
    publisher: Publisher, broker: "Broker", topic: str
) -> None:
    await broker.make(topic)
    calls = [events(7, keys=3, first=100 * number) for number in range(100)]
    results = await asyncio.gather(*(publisher.publish(topic, messages) for messages in calls))
    assert sum(len(offsets(each)) for each in results) == 700
    await broker.check(topic, *zip(calls, results, strict=True))


async def test_a_call_of_many_batches_keeps_its_order(
    publisher: Publisher, broker: "Broker", topic: str
) -> None:
    await broker.make(topic, partitions=1)
    messages = events(60, payload=bytes(50_000))
    results = await publisher.publish(topic, messages)
    assert offsets(results) == list(range(60))
    await broker.check(topic, (messages, results))


async def test_partitions_that_somebody_added_are_used(
    publisher: Publisher, broker: "Broker", topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("penstock_kafka.cluster.METADATA_SECONDS", 0.2)
    await broker.make(topic, partitions=1)
    await publisher.publish(topic, events(4))
    await broker.grow(topic, 3)
    used: set[int] = set()
    async with asyncio.timeout(PATIENCE):
        while used != {0, 1, 2}:
            results = await publisher.publish(topic, events(3))
            used = {result.partition for result in results if isinstance(result, Position)}


async def test_partitions_that_this_gateway_added_are_used_at_once(
    publisher: Publisher, broker: "Broker", topic: str
) -> None:
    await broker.make(topic, partitions=1)
    await publisher.publish(topic, events(1))
    await broker.grow(topic, 4)
    async with asyncio.timeout(PATIENCE):
        while await publisher._topics.partitions(topic) != 4:
            pass
    results = await publisher.publish(topic, events(4))
    used = {result.partition for result in results if isinstance(result, Position)}
    assert used == {0, 1, 2, 3}


async def test_a_topic_that_was_deleted_is_made_anew(
    publisher: Publisher, broker: "Broker", topic: str
) -> None:
    await broker.make(topic)
    await publisher.publish(topic, events(8))
    await broker.delete(topic)
    messages = events(8, first=8)
    async with asyncio.timeout(PATIENCE):
        results = await publisher.publish(topic, messages)
        while not all(isinstance(result, Position) for result in results):
            assert not any(isinstance(result, PermanentError) for result in results)
            results = await publisher.publish(topic, messages)
    stored = await broker.stored(topic)
    ids = {record.message.id for records in stored.values() for record in records}
    assert ids == {message.id for message in messages}


async def test_a_topic_that_was_made_anew_may_have_fewer_partitions(
    publisher: Publisher, broker: "Broker", topic: str
) -> None:
    await broker.make(topic, partitions=4)
    await publisher.publish(topic, events(4))
    await broker.delete(topic)
    await broker.make_when_deleted(topic, partitions=1)
    client = publisher._producer._client
    assert client
    async with asyncio.timeout(PATIENCE):
        while client.partitions(topic) != 1:
            await client._producer.client.force_metadata_update()
    await publisher.publish(topic, events(4))
    results = await publisher.publish(topic, events(4))
    assert [result.partition for result in results if isinstance(result, Position)] == [0] * 4


@pytest.mark.parametrize("compression", sorted(set(Compression) - {Compression.NONE}))
async def test_batches_are_compressed(
    broker: "Broker", open_publisher: "OpenPublisher", topic: str, compression: Compression
) -> None:
    await broker.make(topic, partitions=1, max_message_bytes=10_000)
    messages = events(3, payload=bytes(100_000))
    results = await open_publisher(broker.servers, compression=compression).publish(topic, messages)
    assert offsets(results) == [0, 1, 2]
    await broker.check(topic, (messages, results))


async def test_the_gateways_spec_says_how_batches_are_compressed(
    broker: "Broker", topic: str
) -> None:
    await broker.make(topic, max_message_bytes=10_000)
    spec = KafkaGatewaySpec(bootstrap_servers=broker.servers, compression=Compression.ZSTD)
    async with KafkaPubSub(spec) as gateway:
        (result,) = await gateway.publish(topic, events(1, payload=bytes(100_000)))
    assert isinstance(result, Position)


async def test_what_is_being_published_is_stored_before_the_publisher_is_closed(
    publisher: Publisher, broker: "Broker", topic: str
) -> None:
    await broker.make(topic)
    await publisher.publish(topic, [])
    messages = events(1000)
    publishing = asyncio.create_task(publisher.publish(topic, messages))
    await asyncio.sleep(0)
    await publisher.close()
    results = await publishing
    assert len(offsets(results)) == 1000
    await broker.check(topic, (messages, results))


async def test_a_closed_publisher_says_that_it_is(
    publisher: Publisher, broker: "Broker", topic: str
) -> None:
    await publisher.publish(topic, events(1))
    await publisher.close()
    await publisher.close()
    with pytest.raises(TemporaryError, match="closed"):
        await publisher.publish(topic, events(1))
    assert sum(len(records) for records in (await broker.stored(topic)).values()) == 1


async def test_a_publish_is_not_begun_when_the_publisher_is_closed(
    publisher: Publisher, topic: str
) -> None:
    publishing = asyncio.create_task(publisher.publish(topic, events(1)))
    await asyncio.sleep(0)
    await publisher.close()
    with pytest.raises(TemporaryError, match="closed"):
        await publishing


async def test_a_publish_that_is_cancelled_harms_no_other(
    publisher: Publisher, broker: "Broker", topic: str
) -> None:
    await broker.make(topic, partitions=1)
    await publisher.publish(topic, [])
    calls = [events(3, first=100 * number, payload=bytes(100_000)) for number in range(20)]
    publishing = [asyncio.create_task(publisher.publish(topic, messages)) for messages in calls]
    await asyncio.sleep(0)
    for cancelled in publishing[1::2]:
        cancelled.cancel()
    await asyncio.wait(publishing)
    assert all(cancelled.cancelled() for cancelled in publishing[1::2])
    results = [published.result() for published in publishing[::2]]
    assert all(len(offsets(each)) == 3 for each in results)
    await broker.check(topic, *zip(calls[::2], results, strict=True))
    stored = {record.message.id for record in (await broker.stored(topic))[0]}
    assert not stored & {message.id for messages in calls[3::2] for message in messages}
    assert len(offsets(await publisher.publish(topic, events(5, first=5000)))) == 5
