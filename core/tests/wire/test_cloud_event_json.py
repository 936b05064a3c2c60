"""Messages as CloudEvents JSON: nothing is lost, and nothing is made up."""

import json
from base64 import b64decode
from typing import Any

import pytest

from penstock.plugin import Message
from penstock.wire.cloud_event_json import to_json


def event_of(message: Message) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(to_json(message))
    return event


def test_attributes_and_extensions_are_members_by_their_names() -> None:
    message = Message(
        b"",
        content_type="text/plain",
        id="1",
        type="riff-event",
        source="test",
        time="2020-11-23T15:00:00Z",
        headers={"h1": ' "V1" \u20ac'},
    )
    assert event_of(message) == {
        "specversion": "1.0",
        "id": "1",
        "type": "riff-event",
        "source": "test",
        "time": "2020-11-23T15:00:00Z",
        "datacontenttype": "text/plain",
        "h1": ' "V1" \u20ac',
    }


def test_required_attributes_are_kept_when_empty_and_the_others_left_out() -> None:
    assert event_of(Message(b"")) == {"specversion": "1.0", "id": "", "type": "", "source": ""}


def test_a_time_that_is_not_rfc_3339_is_kept() -> None:
    assert event_of(Message(b"", time="yesterday"))["time"] == "yesterday"


def test_an_extension_cannot_pose_as_an_attribute() -> None:
    headers = {"id": "2", "data": "x", "data_base64": "x", "specversion": "9", "time": "now"}
    assert event_of(Message(b"", id="1", headers=headers)) == event_of(Message(b"", id="1"))


@pytest.mark.parametrize(
    ("content_type", "payload", "data"),
    [
        ("application/json", b'{"a": [1, null]}', {"a": [1, None]}),
        ("application/json; charset=utf-8", b" 1\n", 1),
        ("application/cloudevents+json", b'"x"', "x"),
        ("text/json", b"[]", []),
        ("text/plain", "z\u00e4hler \U0001f600".encode(), "z\u00e4hler \U0001f600"),
        ("text/plain; charset=latin1", b"z\xe4hler", "z\u00e4hler"),
        ("text/csv", b'a,"b"\n', 'a,"b"\n'),
    ],
)
def test_json_is_a_value_and_text_a_string(content_type: str, payload: bytes, data: object) -> None:
    event = event_of(Message(payload, content_type))
    assert event["data"] == data
    assert "data_base64" not in event


@pytest.mark.parametrize("number", [b"1.10", b"12345678901234567890.123", b"1" * 5000])
def test_a_number_in_json_keeps_every_digit(number: bytes) -> None:
    assert to_json(Message(number, "application/json")).endswith(b',"data":%b}' % number)


@pytest.mark.parametrize(
    ("content_type", "payload"),
    [
        ("application/octet-stream", b"text"),
        ("", b"text"),
        ("nonsense", b"text"),
        ("image/png", b"\x89PNG"),
        ("application/json", b"{"),
        ("application/json", b"\xff"),
        ("application/json", b"\xef\xbb\xbf1"),
        ("application/json", b"NaN"),
        ("application/json", b"[" * 100_000),
        ("application/json", b'1}{"id":"2"'),
        ("text/plain", b"\xff"),
        ("text/plain; charset=nonsense", b"text"),
        ("text/plain; charset=rot13", b"text"),
        ("text/plain; charset=utf-16", "text".encode("utf-16-be")),
    ],
)
def test_what_is_neither_or_not_what_its_type_says_is_base64(
    content_type: str, payload: bytes
) -> None:
    event = event_of(Message(payload, content_type))
    assert b64decode(event["data_base64"]) == payload
    assert "data" not in event
