"""The way into a partition, with a broker whose answers the test gives."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from aiokafka.errors import (
    KafkaError,
    MessageSizeTooLargeError,
    NotLeaderForPartitionError,
    OutOfOrderSequenceNumber,
    UnknownError,
    UnsupportedForMessageFormatError,
)

from penstock.plugin import Message, PermanentError, Position, PublishResult, TemporaryError
from penstock_kafka import KafkaGatewaySpec
from penstock_kafka.cluster import Cluster
from penstock_kafka.publisher.lane import BATCH_BYTES, InvalidRecordError, Lane
from penstock_kafka.publisher.limits import Limits
from penstock_kafka.publisher.producer import Producer
from penstock_kafka.publisher.share import Share
from tests.servers.ports import free_port

PATIENCE = 5.0


class AnsweringProducer(Producer):
    """Takes batches, and answers them when and as the test says; offsets begin at 0."""

    def __init__(self) -> None:
        self.asked: asyncio.Queue[tuple[int, asyncio.Future[None]]] = asyncio.Queue()
        self._offset = 0

    async def send(self, batch: Any, topic: str, partition: int) -> int:
        assert (topic, partition) == ("topic", 3)
        answer = asyncio.get_running_loop().create_future()
        self.asked.put_nowait((batch.record_count(), answer))
        await answer
        self._offset += batch.record_count()
        return self._offset - int(batch.record_count())

    async def answer(self, error: KafkaError | None = None) -> int:
        """Answer the next batch; gives how many records it has."""
        async with asyncio.timeout(PATIENCE):
            records, answer = await self.asked.get()
        if error:
            answer.set_exception(error)
        else:
            answer.set_result(None)
        return records


class Call:
    """A call that publishes messages."""

    def __init__(self, lane: Lane, messages: Sequence[Message]) -> None:
        self.results: list[PublishResult] = [TemporaryError("none")] * len(messages)
        self.share = Share(3, messages, range(len(messages)), self.results)
        lane.add(self.share)

    async def outcome(self) -> list[object]:
        """Offsets, and classes of errors."""
        async with asyncio.timeout(PATIENCE):
            await self.share.done
        return [
            result.offset if isinstance(result, Position) else type(result)
            for result in self.results
        ]


@pytest.fixture
def producer() -> AnsweringProducer:
    return AnsweringProducer()


@pytest.fixture
async def lane(producer: AnsweringProducer) -> AsyncIterator[Lane]:
    # Nobody answers there: what a topic takes is learned from refusals alone.
    nowhere = Cluster(KafkaGatewaySpec(bootstrap_servers=f"127.0.0.1:{free_port()}"))
    lane = Lane("topic", 3, producer, Limits(nowhere, "topic"), codec=0)
    yield lane
    await lane.close()
    await nowhere.close()


def message(size: int = 10, key: bytes | None = b"k") -> Message:
    return Message(bytes(size), key=key)


async def test_what_comes_while_a_batch_is_on_its_way_travels_together(
    lane: Lane, producer: AnsweringProducer
) -> None:
    calls = [Call(lane, [message()]) for _ in range(50)]
    await asyncio.sleep(0)
    calls += [Call(lane, [message()]) for _ in range(70)]
    assert [await producer.answer(), await producer.answer()] == [50, 70]
    assert [await call.outcome() for call in calls] == [[offset] for offset in range(120)]


async def test_a_batch_is_sent_when_the_one_before_it_is_stored(
    lane: Lane, producer: AnsweringProducer
) -> None:
    call = Call(lane, [message(BATCH_BYTES) for _ in range(3)])
    for _ in range(3):
        assert await producer.answer() == 1
    assert await call.outcome() == [0, 1, 2]


async def test_after_a_failure_the_rest_of_the_call_is_not_stored_and_other_calls_are(
    lane: Lane, producer: AnsweringProducer
) -> None:
    failing = Call(lane, [message(BATCH_BYTES), message(), message(BATCH_BYTES)])
    other = Call(lane, [message(), message()])
    assert await producer.answer() == 1
    assert await producer.answer(NotLeaderForPartitionError()) == 1
    assert await failing.outcome() == [0, TemporaryError, TemporaryError]
    assert await producer.answer() == 2
    assert await other.outcome() == [1, 2]
    assert producer.asked.empty()


async def test_a_call_does_not_fail_with_a_batch_that_had_no_room_for_it(
    lane: Lane, producer: AnsweringProducer
) -> None:
    failing, other = Call(lane, [message(BATCH_BYTES)]), Call(lane, [message()])
    await producer.answer(NotLeaderForPartitionError())
    await producer.answer()
    assert await failing.outcome() == [TemporaryError]
    assert await other.outcome() == [0]


async def test_what_a_caller_gave_up_is_not_sent(lane: Lane, producer: AnsweringProducer) -> None:
    first = Call(lane, [message(BATCH_BYTES)])
    given_up = Call(lane, [message(), message()])
    other = Call(lane, [message()])
    await asyncio.sleep(0)
    given_up.share.done.cancel()
    assert [await producer.answer(), await producer.answer()] == [1, 1]
    assert await first.outcome() == [0]
    assert await other.outcome() == [1]


async def test_a_batch_is_sent_again_when_the_numbering_was_lost(
    lane: Lane, producer: AnsweringProducer
) -> None:
    call = Call(lane, [message(), message()])
    for _ in range(3):
        assert await producer.answer(OutOfOrderSequenceNumber()) == 2
    assert await producer.answer() == 2
    assert await call.outcome() == [0, 1]


async def test_a_numbering_that_is_lost_again_and_again_is_a_failure(
    lane: Lane, producer: AnsweringProducer
) -> None:
    call = Call(lane, [message()])
    for _ in range(5):
        await producer.answer(OutOfOrderSequenceNumber())
    assert await call.outcome() == [TemporaryError]
    assert producer.asked.empty()


async def test_the_message_that_is_too_large_is_found(
    lane: Lane, producer: AnsweringProducer
) -> None:
    call = Call(lane, [message(), message(), message(5000), message()])
    assert await producer.answer(MessageSizeTooLargeError()) == 4
    assert await producer.answer() == 2
    assert await producer.answer(MessageSizeTooLargeError()) == 1
    assert await producer.answer() == 1
    assert await call.outcome() == [0, 1, PermanentError, 2]
    # One that is known to be too large is not even sent.
    again = Call(lane, [message(5000)])
    assert await again.outcome() == [PermanentError]
    assert producer.asked.empty()


async def test_messages_without_a_key_are_left_out_where_they_are_refused(
    lane: Lane, producer: AnsweringProducer
) -> None:
    call = Call(lane, [message(), message(key=None), message()])
    other = Call(lane, [message(key=None), message()])
    assert await producer.answer(InvalidRecordError()) == 5
    assert await producer.answer() == 3
    assert await call.outcome() == [0, PermanentError, 1]
    assert await other.outcome() == [PermanentError, 2]
    nothing = Call(lane, [message(key=None)])
    assert await nothing.outcome() == [PermanentError]
    assert producer.asked.empty()


async def test_a_message_that_is_refused_for_another_reason_is_found(
    lane: Lane, producer: AnsweringProducer
) -> None:
    call = Call(lane, [message(), message(), message()])
    assert await producer.answer(InvalidRecordError()) == 3
    assert await producer.answer() == 1
    assert await producer.answer(InvalidRecordError()) == 1
    assert await producer.answer() == 1
    assert await call.outcome() == [0, PermanentError, 1]


async def test_a_batch_that_is_refused_for_good_does_not_stop_the_rest(
    lane: Lane, producer: AnsweringProducer
) -> None:
    call = Call(lane, [message(BATCH_BYTES), message()])
    assert await producer.answer(UnsupportedForMessageFormatError()) == 1
    assert await producer.answer() == 1
    assert await call.outcome() == [PermanentError, 0]


async def test_a_broker_that_fails_without_a_reason_refuses_nothing_for_good(
    lane: Lane, producer: AnsweringProducer
) -> None:
    call = Call(lane, [message(key=None)])
    await producer.answer(UnknownError())
    assert await call.outcome() == [TemporaryError]


async def test_nothing_is_sent_of_a_call_that_has_nothing_to_store(
    lane: Lane, producer: AnsweringProducer
) -> None:
    unwritable = Call(lane, [Message(b"", id="\ud800")])
    assert await unwritable.outcome() == [PermanentError]
    for _ in range(3):
        await asyncio.sleep(0)
    call = Call(lane, [message()])
    assert await producer.answer() == 1
    assert await call.outcome() == [0]


async def test_large_calls_are_not_put_into_batches_long_before_they_are_sent(
    lane: Lane, producer: AnsweringProducer
) -> None:
    call = Call(lane, [message(BATCH_BYTES) for _ in range(100)])
    for _ in range(10):
        await producer.answer()
    await asyncio.sleep(0)
    assert call.share.taken <= 14
