import asyncio
from collections import Counter

import pytest

from penstock.plugin import Edge, Group, Message, PermanentError, Position
from penstock_inmemory import InMemoryGateway, InMemoryGatewaySpec

GROUP = Group("group")


def four_partitions() -> InMemoryGateway:
    return InMemoryGateway(InMemoryGatewaySpec(partitions=4))


async def test_each_message_gets_its_place_in_the_order_given(gateway: InMemoryGateway) -> None:
    assert await gateway.publish("topic", [Message(b"a"), Message(b"b")]) == [
        Position(0, 0),
        Position(0, 1),
    ]
    assert await gateway.publish("topic", [Message(b"c")]) == [Position(0, 2)]


async def test_an_empty_batch_stores_nothing(gateway: InMemoryGateway) -> None:
    assert await gateway.publish("topic", []) == []
    assert await gateway.end_positions("topic") == {}


async def test_a_message_is_read_as_it_was_published(gateway: InMemoryGateway) -> None:
    message = Message(
        b"\x00payload", "text/plain", b"key", {"h1": " V1"}, "id", "type", "source", "yesterday"
    )
    await gateway.publish("topic", [message, Message(b"")])
    subscription = await gateway.subscribe("topic", GROUP, Edge.EARLIEST)
    records = await subscription.read(0, 10)
    assert [record.message for record in records] == [message, Message(b"")]


async def test_one_key_goes_to_one_partition_batch_after_batch() -> None:
    keys = [b"key %d" % number for number in range(100)]
    async with four_partitions() as gateway:
        first = await gateway.publish("topic", [Message(b"", key=key) for key in keys])
        again = [(await gateway.publish("topic", [Message(b"", key=key)]))[0] for key in keys]
    partitions = [position.partition for position in first if isinstance(position, Position)]
    assert partitions == [one.partition for one in again if isinstance(one, Position)]
    assert set(partitions) == {0, 1, 2, 3}


async def test_positions_fit_the_messages_of_a_mixed_batch() -> None:
    messages = [
        Message(b"%d" % number, key=b"%d" % (number % 9) if number % 3 else None)
        for number in range(90)
    ]
    async with four_partitions() as gateway:
        positions = await gateway.publish("topic", messages)
        subscription = await gateway.subscribe("topic", GROUP, Edge.EARLIEST)
        stored = {
            Position(partition, record.offset): record.message
            for partition in range(4)
            for record in await subscription.read(partition, 100)
        }
    assert [stored[position] for position in positions if isinstance(position, Position)] == (
        messages
    )


@pytest.mark.parametrize("batch", [1, 3, 8])
async def test_messages_without_a_key_are_spread_evenly(batch: int) -> None:
    counts: Counter[int] = Counter()
    async with four_partitions() as gateway:
        for _ in range(24 // batch):
            for position in await gateway.publish("topic", [Message(b"")] * batch):
                assert isinstance(position, Position)
                counts[position.partition] += 1
    assert counts == {0: 6, 1: 6, 2: 6, 3: 6}


async def test_an_empty_key_is_no_key() -> None:
    async with four_partitions() as gateway:
        await gateway.publish("topic", [Message(b"", key=b"")] * 3 + [Message(b"", key=b"k")])
        subscription = await gateway.subscribe("topic", GROUP, Edge.EARLIEST)
        ends = await gateway.end_positions("topic")
        keys = [r.message.key for partition in ends for r in await subscription.read(partition, 9)]
    assert len(ends) >= 3, "three in one partition would be one key"
    assert Counter(keys) == {None: 3, b"k": 1}


@pytest.mark.parametrize("topic", ["", ".", "..", "a/b", "a b", "übung", "x" * 250, "line\n"])
async def test_an_impossible_topic_is_refused(gateway: InMemoryGateway, topic: str) -> None:
    with pytest.raises(PermanentError, match="expected 1 to 249 letters"):
        await gateway.publish(topic, [Message(b"")])
    with pytest.raises(PermanentError, match="topic"):
        await gateway.subscribe(topic, GROUP, Edge.EARLIEST)
    with pytest.raises(PermanentError, match="topic"):
        await gateway.ack(topic, GROUP, {0: 0})
    assert await gateway.positions(topic, "group") == {}
    assert await gateway.end_positions(topic) == {}


async def test_a_publisher_in_a_loop_lets_others_run(gateway: InMemoryGateway) -> None:
    ran = asyncio.Event()
    asyncio.get_running_loop().call_soon(ran.set)
    await gateway.publish("topic", [Message(b"")])
    assert ran.is_set()
