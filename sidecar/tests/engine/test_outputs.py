"""What waits to be published."""

from collections.abc import Sequence

import pytest

from penstock.plugin import Message, PermanentError, Position, TemporaryError
from penstock_sidecar.engine.outputs import Origin, OutputQueue, Refusal
from penstock_sidecar.engine.settings import FRAME_BYTES, FRAME_RECORDS

HERE = Position(0, 0)
NOWHERE = Origin()


def messages(count: int, size: int = 1) -> list[Message]:
    return [Message(b"%d" % number * size, id=str(number)) for number in range(count)]


def batch(queue: OutputQueue, now: float = 0.0) -> Sequence[Message] | None:
    """What is to be published now."""
    return next((publish.messages for publish in queue.advance(now)), None)


def test_what_gathers_while_a_batch_is_under_way_is_the_next_batch() -> None:
    queue = OutputQueue(0)
    one, two, three = messages(3)
    queue.put([one], NOWHERE)
    assert batch(queue) == [one]
    queue.put([two], NOWHERE)
    queue.put([three], NOWHERE)
    assert batch(queue) is None
    queue.published([HERE], now=0.0)
    assert batch(queue) == [two, three]


def test_a_batch_holds_no_more_than_a_frame() -> None:
    queue = OutputQueue(0)
    queue.put(messages(FRAME_RECORDS - 1), NOWHERE)
    queue.put(messages(2), NOWHERE)
    first = batch(queue)
    assert first is not None
    assert len(first) == FRAME_RECORDS - 1


def test_too_many_messages_at_once_become_several_batches() -> None:
    queue = OutputQueue(0)
    queue.put(messages(2 * FRAME_RECORDS + 5), NOWHERE)
    sizes = []
    while one := batch(queue):
        sizes.append(len(one))
        queue.published([HERE] * len(one), now=0.0)
    assert sizes == [FRAME_RECORDS, FRAME_RECORDS, 5]


def test_large_messages_become_several_batches_and_one_too_large_goes_alone() -> None:
    queue = OutputQueue(0)
    half, whole = b"x" * (FRAME_BYTES // 2), b"x" * (FRAME_BYTES + 1)
    queue.put([Message(half), Message(half), Message(whole), Message(half)], NOWHERE)
    sizes = []
    while one := batch(queue):
        sizes.append([len(message.payload) for message in one])
        queue.published([HERE] * len(one), now=0.0)
    assert sizes == [2 * [FRAME_BYTES // 2], [FRAME_BYTES + 1], [FRAME_BYTES // 2]]


def test_what_was_not_stored_is_published_again_after_a_pause_and_alone() -> None:
    queue = OutputQueue(0)
    one, two, three = messages(3)
    queue.put([one, two], NOWHERE)
    batch(queue)
    assert queue.published([HERE, TemporaryError("full")], now=10.0) == (0, 0, [])
    assert queue.accepted == 0
    queue.put([three], NOWHERE)
    assert queue.retry_at is not None
    assert batch(queue, now=10.0) is None
    assert batch(queue, now=queue.retry_at) == [two]
    assert queue.published([HERE], now=11.0) == (2, 2, ())
    assert queue.accepted == 2
    assert batch(queue, now=11.0) == [three]


def test_pauses_grow_and_are_never_shorter_than_the_gateway_asks() -> None:
    queue = OutputQueue(0)
    queue.put(messages(1), NOWHERE)
    pauses = []
    now = 0.0
    for asked in (None, None, None, 5.0):
        batch(queue, now)
        queue.failed(TemporaryError("away", retry_after=asked), now)
        assert queue.retry_at is not None
        pauses.append(queue.retry_at - now)
        now = queue.retry_at
    assert pauses == pytest.approx([0.1, 0.2, 0.4, 5.0])


def test_a_refusal_for_good_names_the_message_by_its_place_in_what_came_with_it() -> None:
    queue = OutputQueue(0)
    one, two = Origin(inputs=(7,)), Origin(inputs=(8, 9))
    queue.put(messages(1), one)
    queue.put(messages(2), two)
    assert batch(queue) is not None
    later, never = TemporaryError("later"), PermanentError("too large")
    assert queue.published([HERE, later, never], now=0.0) == (0, 0, [Refusal(two, 1, never)])
    # What is published again has its place still.
    assert queue.retry_at is not None
    assert batch(queue, queue.retry_at) == messages(2)[:1]
    assert queue.published([never], now=1.0) == (3, 3, [Refusal(two, 0, never)])
    assert queue.accepted == 3
    assert batch(queue, now=1.0) is None


def test_a_refusal_of_a_later_piece_of_many_messages_has_its_place_among_all_of_them() -> None:
    queue = OutputQueue(0)
    queue.put(messages(FRAME_RECORDS + 1), NOWHERE)
    batch(queue)
    queue.published([HERE] * FRAME_RECORDS, now=0.0)
    batch(queue)
    never = PermanentError("no")
    _, _, refusals = queue.published([never], now=0.0)
    assert refusals == [Refusal(NOWHERE, FRAME_RECORDS, never)]
