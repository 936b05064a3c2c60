"""Events in structured mode are unpacked; what is none is handed on as it is."""

import json
from base64 import b64encode
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from aiokafka import ConsumerRecord
from hypothesis import given
from hypothesis import strategies as st

from penstock.plugin import NO_HEADERS, Message
from penstock_kafka.records import decode

Consume = Callable[[Iterable[Any]], list[ConsumerRecord]]

STRUCTURED = ("content-type", b"application/cloudevents+json; charset=utf-8")
EVENT: dict[str, Any] = {
    "specversion": "1.0",
    "id": "1",
    "type": "made",
    "source": "/shop",
    "time": "2024-02-29T12:00:00Z",
    "datacontenttype": "application/json",
}
MESSAGE = Message(
    b"", "application/json", b"k", NO_HEADERS, "1", "made", "/shop", "2024-02-29T12:00:00Z"
)


def unpacked(consume: Consume, value: bytes, *headers: tuple[str, bytes]) -> Message:
    (record,) = decode(consume([(b"k", value, (STRUCTURED, *headers))]), acked=-1)
    return record.message


def event(**members: Any) -> bytes:
    return json.dumps(EVENT | members).encode()


def test_attributes_and_data_are_taken_out_of_the_value(consume: Consume) -> None:
    message = unpacked(consume, event(data={"total": 7}, shop="1", TraceParent="p"))
    assert message == MESSAGE._replace(
        payload=b'{"total": 7}', headers={"shop": "1", "traceparent": "p"}
    )


@pytest.mark.parametrize(
    "written", ['{"a":  1.10 }', "0.1234567890123456789", "1e400", '"ö\\u00f6"', "[ ]", "false"]
)
def test_json_data_are_as_they_were_written(consume: Consume, written: str) -> None:
    value = event().removesuffix(b"}") + b',\n "data" : ' + written.encode() + b" }\n"
    assert unpacked(consume, value).payload == written.encode()


@given(
    data=st.recursive(
        st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=5,
    ),
    extension=st.text(),
    indent=st.none() | st.integers(0, 3),
    ascii_only=st.booleans(),
)
def test_any_json_data_come_out(
    consume: Consume, data: Any, extension: str, indent: int | None, ascii_only: bool
) -> None:
    members = EVENT | {"x": extension, "data": data}
    value = json.dumps(members, indent=indent, ensure_ascii=ascii_only).encode()
    message = unpacked(consume, value)
    assert json.loads(message.payload) == data
    assert message.headers == {"x": extension}


def test_data_of_another_type_are_their_text(consume: Consume) -> None:
    message = unpacked(consume, event(datacontenttype="text/xml", data="<ö/>"))
    assert message == MESSAGE._replace(payload="<ö/>".encode(), content_type="text/xml")


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "text/json", "application/vnd.shop+json"]
)
def test_a_text_of_a_json_type_is_json(consume: Consume, content_type: str) -> None:
    message = unpacked(consume, event(datacontenttype=content_type, data="text"))
    assert (message.payload, message.content_type) == (b'"text"', content_type)


def test_data_without_a_type_are_json(consume: Consume) -> None:
    message = unpacked(consume, b'{"specversion": "1.0", "data": "text"}')
    assert message == Message(b'"text"', "application/json", b"k")


def test_binary_data_are_decoded(consume: Consume) -> None:
    data = bytes(range(256))
    message = unpacked(
        consume, event(datacontenttype="image/png", data_base64=b64encode(data).decode())
    )
    assert message == MESSAGE._replace(payload=data, content_type="image/png")


def test_data_may_be_missing(consume: Consume) -> None:
    assert unpacked(consume, event()) == MESSAGE
    assert unpacked(consume, event(data=None, data_base64=None)) == MESSAGE
    assert unpacked(consume, b'\xef\xbb\xbf {"specversion":"1.0"}') == Message(b"", key=b"k")


def test_attributes_of_other_types_are_texts(consume: Consume) -> None:
    message = unpacked(consume, event(flag=True, number=-7, nothing=None, list=[1, "a"]))
    assert message.headers == {"flag": "true", "number": "-7", "list": '[1, "a"]'}


def test_headers_of_the_record_are_kept_beside_those_of_the_event(consume: Consume) -> None:
    message = unpacked(
        consume,
        b'{"specversion": "1.0", "id": "of the event", "a": "of the event"}',
        ("ce_id", b"of the record"),
        ("ce_type", b"of the record"),
        ("a", b"of the record"),
        ("b", b"of the record"),
    )
    assert message == Message(
        b"",
        key=b"k",
        headers={"a": "of the event", "b": "of the record"},
        id="of the event",
        type="of the record",
    )


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"{",
        b"hello",
        b"[]",
        b'"specversion"',
        b'{"specversion": "1.0"',
        b'{"specversion": "1.0",}',
        b'{"specversion": "1.0"} {}',
        b'{"specversion" "1.0"}',
        b'{1: "1.0"}',
        b'{"id": "1"}',
        b'{"specversion": "0.3", "data": 1}',
        b'{"specversion": 1, "data": 1}',
        b'{"specversion": "1.0", "data": NaN}',
        b'{"specversion": "1.0", "data_base64": "*"}',
        b'{"specversion": "1.0", "data_base64": "a"}',
        b'{"specversion": "1.0", "data_base64": 7}',
        b'{"specversion": "1.0", "id": "\\ud800"}',
        b'{"specversion": "1.0", "x": ' + b"9" * 5000 + b"}",
        b'{"specversion": "1.0", "data": ' + b"[" * 100_000,
        b"\xff\xfe{",
    ],
)
def test_what_is_no_event_is_handed_on_as_it_is(consume: Consume, value: bytes) -> None:
    message = unpacked(consume, value, ("a", b"b"), ("ce_id", b"1"))
    assert message == Message(value, STRUCTURED[1].decode(), b"k", {"a": "b"}, id="1")


def test_only_the_json_format_is_unpacked(consume: Consume) -> None:
    headers = [("content-type", b"application/cloudevents-batch+json")]
    (record,) = decode(consume([(None, event(), headers)]), acked=-1)
    assert record.message == Message(event(), "application/cloudevents-batch+json")


def test_the_mode_is_each_records_own(consume: Consume) -> None:
    plain = (None, event(), [("content-type", b"application/json")])
    structured = (None, event(), [STRUCTURED])
    modes = [structured, plain, structured, structured, (None, event(), [])]
    ids = [record.message.id for record in decode(consume(modes), acked=-1)]
    assert ids == ["1", "", "1", "1", ""]
