"""A dead letter is the message as it was, and says where it is from."""

import pytest

from penstock.dead_letter import MARKER_TYPE, Marker, Origin, Resolution, restored
from penstock.plugin import Message, Position

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


MARKER = Marker((Position(0, 17), Position(3, 2**40)), Resolution.REPLAYED)


def test_what_a_marker_says_comes_back() -> None:
    message = MARKER.message("text/plain")
    assert Marker.of(message) == MARKER
    assert (message.payload, message.content_type, message.type) == (b"", "text/plain", MARKER_TYPE)
    assert message.headers == {
        "deadletterplaces": f"0/17 3/{2**40}",
        "deadletterresolution": "replayed",
    }


def test_a_marker_is_no_dead_letter_nor_the_other_way_round() -> None:
    assert Origin.of(MARKER.message("")) is None
    assert Marker.of(ORIGIN.mark(MESSAGE)) is None


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"deadletterplaces": "0/1"},
        {"deadletterplaces": "0/1", "deadletterresolution": "forgotten"},
        {"deadletterplaces": "0/x", "deadletterresolution": "dropped"},
        {"deadletterplaces": "0/1/2", "deadletterresolution": "dropped"},
    ],
)
def test_other_messages_are_no_markers(headers: dict[str, str]) -> None:
    assert Marker.of(MARKER.message("")._replace(headers=headers)) is None
