"""Results of a publish through the protocol's reply and back."""

import pytest

from penstock.plugin import (
    ContentTypeMismatch,
    PermanentError,
    Position,
    PublishResult,
    TemporaryError,
)
from penstock.wire.protocol.gateway_pb2 import PublishReply, Refusal
from penstock.wire.results import pack_results, unpack_results


def test_positions_come_back_in_their_order() -> None:
    positions = [Position(partition, 2**64 - 1 - partition) for partition in range(3)]
    assert unpack_results(pack_results(positions), 3) == positions


def test_a_refused_message_is_named_and_its_place_holds_zeros() -> None:
    results: list[PublishResult] = [
        Position(1, 5),
        ContentTypeMismatch("application/json", "text/plain"),
        TemporaryError("full"),
        Position(1, 6),
    ]
    reply = pack_results(results)
    assert (list(reply.partition), list(reply.offset)) == ([1, 0, 0, 1], [5, 0, 0, 6])
    stored, refused, later, last = unpack_results(reply, 4)
    assert (stored, last) == (Position(1, 5), Position(1, 6))
    assert isinstance(refused, PermanentError)
    assert str(refused) == "expected application/json got text/plain"
    assert isinstance(later, TemporaryError)
    assert str(later) == "full"


def test_no_results_are_an_empty_reply() -> None:
    assert unpack_results(pack_results([]), 0) == []


@pytest.mark.parametrize(
    "reply",
    [
        PublishReply(),
        PublishReply(partition=[0], offset=[0, 1]),
        PublishReply(partition=[0, 0], offset=[0, 1], refused=[Refusal(index=2)]),
    ],
)
def test_a_reply_that_answers_other_messages_is_no_answer(reply: PublishReply) -> None:
    with pytest.raises(ValueError, match=r"expected|there is none"):
        unpack_results(reply, 2)
