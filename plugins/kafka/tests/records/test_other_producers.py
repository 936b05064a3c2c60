"""Records that penstock did not write are read, whatever they are."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest
from aiokafka import ConsumerRecord
from hypothesis import given
from hypothesis import strategies as st

from penstock.plugin import Message
from penstock_kafka.records import decode

Consume = Callable[[Iterable[Any]], list[ConsumerRecord]]
Headers = Sequence[tuple[str, bytes | None]]

TIMESTAMP_MS = 1_700_000_000_123

names = st.text(max_size=6) | st.sampled_from(
    ["ce_id", "CE_ID", "ce_type", "Content-Type", "content-type", "ce_datacontenttype", "ce_a"]
)
values = st.none() | st.binary(max_size=6) | st.just(b"application/cloudevents+json")


def read(consume: Consume, value: bytes | None, headers: Headers, key: bytes | None) -> Message:
    (record,) = decode(consume([(key, value, headers)]), acked=-1)
    return record.message


@given(
    records=st.lists(
        st.tuples(
            st.none() | st.binary(max_size=4),
            st.none() | st.binary(max_size=20) | st.just(b'{"specversion": "1.0", "data": 1}'),
            st.lists(st.tuples(names, values), max_size=6),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_there_is_no_record_that_cannot_be_read(
    consume: Consume, records: Sequence[tuple[bytes | None, bytes | None, Headers]]
) -> None:
    read = decode(consume(records), acked=-1)
    assert [record.offset for record in read] == list(range(len(records)))
    for record in read:
        message = record.message
        attributes = (message.content_type, message.id, message.type, message.source, message.time)
        for text in (*attributes, *message.headers, *message.headers.values()):
            assert text.encode().decode() == text
        assert isinstance(message.payload, bytes)
        assert message.key != b""


def test_a_record_that_is_no_event_is_its_value_and_its_headers(consume: Consume) -> None:
    message = read(consume, b"hello", [("X-Shop", b"1"), ("id", b"2")], b"k")
    assert message == Message(b"hello", key=b"k", headers={"x-shop": "1", "id": "2"})


def test_a_content_type_is_one_in_any_record(consume: Consume) -> None:
    message = read(consume, b"hello", [("Content-Type", b"text/plain")], None)
    assert message == Message(b"hello", "text/plain")


def test_riffs_records_are_read(consume: Consume) -> None:
    headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", b"1"),
        ("ce_type", b"riff-event"),
        ("ce_source", b"https://riff"),
        ("ce_datacontenttype", b"text/plain"),
        ("ce_h1", b" V1"),
    ]
    message = read(consume, b"x", headers, b"")
    assert message == Message(
        b"x", "text/plain", None, {"h1": " V1"}, "1", "riff-event", "https://riff"
    )


def test_the_content_type_of_the_record_goes_before_that_of_the_data(consume: Consume) -> None:
    headers = [("content-type", b"text/plain"), ("ce_datacontenttype", b"text/html")]
    assert read(consume, b"", headers, None).content_type == "text/plain"


@pytest.mark.parametrize("key", [None, b""])
def test_a_null_or_empty_key_is_none(consume: Consume, key: bytes | None) -> None:
    assert read(consume, b"x", [], key).key is None


def test_names_of_headers_are_read_in_any_case(consume: Consume) -> None:
    headers = [("CE_Id", b"1"), ("Ce_TYPE", b"t"), ("CE_Shop", b"s"), ("TraceParent", b"p")]
    message = read(consume, b"", headers, None)
    assert message == Message(b"", headers={"shop": "s", "traceparent": "p"}, id="1", type="t")


def test_the_last_header_of_a_name_counts(consume: Consume) -> None:
    headers = [("a", b"1"), ("ce_id", b"1"), ("A", b"2"), ("ce_id", b"2")]
    assert read(consume, b"", headers, None) == Message(b"", headers={"a": "2"}, id="2")


@pytest.mark.parametrize("turn", [1, -1], ids=["before", "behind"])
def test_an_extension_goes_before_another_header_of_its_name(consume: Consume, turn: int) -> None:
    headers = [("ce_traceparent", b"event"), ("traceparent", b"producer")][::turn]
    assert read(consume, b"", headers, None).headers == {"traceparent": "event"}


def test_a_header_without_a_value_is_empty(consume: Consume) -> None:
    headers = [("a", None), ("ce_id", None), ("b", b"2")]
    assert read(consume, b"", headers, None) == Message(b"", headers={"a": "", "b": "2"})


def test_the_bytes_of_a_header_that_is_no_text_can_be_had(consume: Consume) -> None:
    headers = [("attempt", b"\x00\x00\x00\xff"), ("ce_id", b"\xfe"), ("b", "ö".encode())]
    message = read(consume, b"", headers, None)
    assert message.headers["attempt"].encode("latin-1") == b"\x00\x00\x00\xff"
    assert message.id.encode("latin-1") == b"\xfe"
    assert message.headers["b"] == "ö"


def test_a_tombstone_can_be_told_from_an_empty_message(consume: Consume) -> None:
    assert read(consume, None, [], b"k") == Message(
        b"", key=b"k", headers={"kafkatombstone": "true"}
    )
    assert read(consume, b"", [], b"k") == Message(b"", key=b"k")


def test_a_null_value_without_a_key_deletes_nothing(consume: Consume) -> None:
    assert read(consume, None, [("ce_id", b"1")], None) == Message(b"", id="1")


def test_offsets_and_times_are_the_records_own(consume: Consume) -> None:
    records = consume([(None, b"%d" % number, ()) for number in range(4)])
    kept = [records[1], records[3]]
    assert [(r.message.payload, r.offset, r.timestamp_ms) for r in decode(kept, acked=-1)] == [
        (b"1", 1, TIMESTAMP_MS),
        (b"3", 3, TIMESTAMP_MS),
    ]


def test_records_up_to_the_last_acked_one_are_replayed(consume: Consume) -> None:
    records = consume([(None, b"", ()) for _ in range(4)])
    assert [r.replay for r in decode(records, acked=1)] == [True, True, False, False]
    assert not any(r.replay for r in decode(records, acked=-1))


def test_no_records_are_none() -> None:
    assert decode([], acked=5) == []
