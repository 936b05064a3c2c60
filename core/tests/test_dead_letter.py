"""A dead letter is the message as it was, and says where it is from."""

import pytest

from penstock.dead_letter import Origin, restored
from penstock.plugin import Message

ORIGIN = Origin(
    processor="averager",
    stream="numbers",
    partition=3,
    offset=2**40,
    window="5",
    error="ValueError: no number\nat all",
    attempts=5,
    first_failure="2026-01-02T03:04:05.678Z",
)
MESSAGE = Message(
    b"\xff", "text/plain", b"key", {"a": "b"}, id="1", type="t", source="s", time="no time"
)


def test_the_origin_comes_back() -> None:
    assert Origin.of(ORIGIN.mark(MESSAGE)) == ORIGIN


def test_the_message_comes_back() -> None:
    assert restored(ORIGIN.mark(MESSAGE)) == MESSAGE


def test_nothing_but_headers_is_added() -> None:
    marked = ORIGIN.mark(MESSAGE)
    assert marked._replace(headers=MESSAGE.headers) == MESSAGE
    assert marked.headers.items() >= MESSAGE.headers.items()
    assert all(name.isalnum() and name.islower() for name in marked.headers)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"deadletterprocessor": "averager"},
        {**ORIGIN.mark(MESSAGE).headers, "deadletteroffset": "x"},
    ],
)
def test_other_messages_are_no_dead_letters(headers: dict[str, str]) -> None:
    assert Origin.of(MESSAGE._replace(headers=headers)) is None


def test_an_endless_error_is_cut() -> None:
    long = Origin("p", "s", 0, 0, "", "x" * 1_000_000, 1, "")
    assert len(long.mark(MESSAGE).headers["deadlettererror"]) == 2000
