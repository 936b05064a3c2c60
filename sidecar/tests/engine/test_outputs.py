"""What waits to be published."""

from collections.abc import Sequence

import pytest

from penstock.plugin import Message, PermanentError, Position, TemporaryError
from penstock_sidecar.engine.outputs import OutputQueue
from penstock_sidecar.engine.settings import FRAME_BYTES, FRAME_RECORDS

HERE = Position(0, 0)


def messages(count: int, size: int = 1) -> list[Message]:
    return [Message(b"%d" % number * size, id=str(number)) for number in range(count)]


def batch(queue: OutputQueue, now: float = 0.0) -> Sequence[Message] | None:
    """What is to be published now."""
    return next((publish.messages for publish in queue.advance(now)), None)


def test_what_gathers_while_a_batch_is_under_way_is_the_next_batch() -> None:
    queue = OutputQueue(0)
    one, two, three = messages(3)
    queue.put([one])
    assert batch(queue) == [one]
    queue.put([two])
    queue.put([three])
    assert batch(queue) is None
    queue.published([HERE], now=0.0)
    assert batch(queue) == [two, three]


def test_a_batch_holds_no_more_than_a_frame() -> None:
    queue = OutputQueue(0)
    queue.put(messages(FRAME_RECORDS - 1))
    queue.put(messages(2))
    first = batch(queue)
    assert first is not None
    assert len(first) == FRAME_RECORDS - 1


def test_too_many_messages_at_once_become_several_batches() -> None:
    queue = OutputQueue(0)
    queue.put(messages(2 * FRAME_RECORDS + 5))
    sizes = []
    while one := batch(queue):
        sizes.append(len(one))
        queue.published([HERE] * len(one), now=0.0)
    assert sizes == [FRAME_RECORDS, FRAME_RECORDS, 5]


def test_large_messages_become_several_batches_and_one_too_large_goes_alone() -> None:
    queue = OutputQueue(0)
    half, whole = b"x" * (FRAME_BYTES // 2), b"x" * (FRAME_BYTES + 1)
    queue.put([Message(half), Message(half), Message(whole), Message(half)])
    sizes = []
    while one := batch(queue):
        sizes.append([len(message.payload) for message in one])
        queue.published([HERE] * len(one), now=0.0)
    assert sizes == [2 * [FRAME_BYTES // 2], [FRAME_BYTES + 1], [FRAME_BYTES // 2]]


def test_what_was_not_stored_is_published_again_after_a_pause_and_alone() -> None:
    queue = OutputQueue(0)
    one, two, three = messages(3)
    queue.put([one, two])
    batch(queue)
    assert queue.published([HERE, TemporaryError("full")], now=10.0) == (0, 0)
    assert queue.accepted == 0
    queue.put([three])
    assert queue.retry_at is not None
    assert batch(queue, now=10.0) is None
    assert batch(queue, now=queue.retry_at) == [two]
    assert queue.published([HERE], now=11.0) == (2, 2)
    assert queue.accepted == 2
    assert batch(queue, now=11.0) == [three]


def test_pauses_grow_and_are_never_shorter_than_the_gateway_asks() -> None:
    queue = OutputQueue(0)
    queue.put(messages(1))
    pauses = []
    now = 0.0
    for asked in (None, None, None, 5.0):
        batch(queue, now)
        queue.failed(TemporaryError("away", retry_after=asked), now)
        assert queue.retry_at is not None
        pauses.append(queue.retry_at - now)
        now = queue.retry_at
    assert pauses == pytest.approx([0.1, 0.2, 0.4, 5.0])


def test_a_refusal_for_good_names_the_message() -> None:
    queue = OutputQueue(0)
    queue.put(messages(3))
    batch(queue)
    with pytest.raises(PermanentError, match="message 2: too large"):
        queue.published([HERE, TemporaryError("later"), PermanentError("too large")], now=0.0)
