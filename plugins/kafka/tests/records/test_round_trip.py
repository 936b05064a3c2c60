"""A message that was published comes back as it was."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.plugin import NO_HEADERS, Message
from penstock_kafka.records import decode, encode

Consume = Callable[[Iterable[Any]], list[Any]]

EVENT = Message(
    b'{"total": 7}',
    "application/json",
    b"customer-1",
    {"traceparent": "00-1-2-03", "subject": "Größe"},
    "id-1",
    "order.made",
    "/shop",
    "2024-02-29T12:00:00Z",
)

texts = st.text(max_size=12)
names = st.sampled_from(
    [
        *("a", "subject", "id", "type", "source", "time", "specversion", "datacontenttype"),
        *("content-type", "ce_id", "ce_", "", "kafkatombstone", "größe"),
    ]
) | texts.map(str.lower)
content_types = texts | st.sampled_from(
    [
        *("text/plain; charset=utf-8", "application/cloudevents+json", "Application/CloudEvents"),
        *(" application/cloudevents+json; x=y", "application/cloudevents-batch+json"),
    ]
)
messages = st.builds(
    Message,
    payload=st.binary(max_size=20),
    content_type=content_types,
    key=st.none() | st.binary(min_size=1, max_size=8),
    headers=st.dictionaries(names, texts | st.just("true"), max_size=4),
    id=texts,
    type=st.sampled_from(["", "made", "paid"]),
    source=st.sampled_from(["", "/shop"]),
    time=st.sampled_from(["", "2024-02-29T12:00:00Z", "29.2.24 at noon"]),
)


@given(published=st.lists(messages, min_size=1, max_size=6))
def test_any_messages_come_back_as_they_were_published(
    consume: Consume, published: Sequence[Message]
) -> None:
    records = decode(consume(encode(published)), acked=-1)
    assert [record.message for record in records] == published


@given(message=messages)
def test_what_comes_back_is_stored_in_the_same_way_again(
    consume: Consume, message: Message
) -> None:
    stored = list(encode([message]))
    (record,) = decode(consume(stored), acked=-1)
    assert [(key, value, sorted(headers)) for key, value, headers in encode([record.message])] == [
        (key, value, sorted(headers)) for key, value, headers in stored
    ]


def test_an_event_is_stored_in_the_binary_mode_of_cloudevents() -> None:
    ((key, value, headers),) = encode([EVENT])
    assert (key, value) == (b"customer-1", b'{"total": 7}')
    assert sorted(headers) == [
        ("ce_id", b"id-1"),
        ("ce_source", b"/shop"),
        ("ce_specversion", b"1.0"),
        ("ce_subject", "Größe".encode()),
        ("ce_time", b"2024-02-29T12:00:00Z"),
        ("ce_traceparent", b"00-1-2-03"),
        ("ce_type", b"order.made"),
        ("content-type", b"application/json"),
    ]


def test_what_is_empty_has_no_header() -> None:
    assert list(encode([Message(b"")])) == [(None, b"", [("ce_specversion", b"1.0")])]


def test_an_empty_key_is_none() -> None:
    ((key, _, _),) = encode([Message(b"1", key=b"")])
    assert key is None


def test_the_headers_of_a_message_are_not_those_of_the_one_before() -> None:
    published = [EVENT, Message(b"2"), EVENT._replace(headers={"a": "b"}), EVENT, Message(b"")]
    together = list(encode(published))
    assert together == [next(iter(encode([message]))) for message in published]


def test_names_of_extensions_come_back_in_lower_case(consume: Consume) -> None:
    (record,) = decode(consume(encode([Message(b"", headers={"TraceParent": "1"})])), acked=-1)
    assert record.message.headers == {"traceparent": "1"}


def test_an_extension_that_is_named_like_an_attribute_is_not_mistaken_for_it() -> None:
    ((_, _, headers),) = encode([Message(b"", headers={"id": "not the id"}, id="id-1")])
    assert ("id", b"not the id") in headers
    assert ("ce_id", b"id-1") in headers


def test_no_reader_takes_a_binary_event_for_a_structured_one() -> None:
    ((_, _, headers),) = encode([Message(b"{}", "application/cloudevents+json")])
    assert dict(headers) == {
        "ce_specversion": b"1.0",
        "ce_datacontenttype": b"application/cloudevents+json",
    }


def test_a_tombstone_is_stored_without_a_value(consume: Consume) -> None:
    tombstone = EVENT._replace(payload=b"", headers={"kafkatombstone": "true", "a": "b"})
    stored = list(encode([tombstone]))
    key, value, headers = stored[0]
    assert (key, value) == (b"customer-1", None)
    assert "ce_kafkatombstone" not in dict(headers)
    assert decode(consume(stored), acked=-1)[0].message == tombstone


@pytest.mark.parametrize(
    "message",
    [
        Message(b"1", key=b"k", headers={"kafkatombstone": "true"}),
        Message(b"", headers={"kafkatombstone": "true"}),
        Message(b"", key=b"k", headers={"kafkatombstone": "no"}),
        Message(b"", key=b"k"),
    ],
    ids=["with data", "without a key", "said not to be", "only empty"],
)
def test_only_a_tombstone_is_stored_without_a_value(message: Message) -> None:
    ((_, value, _),) = encode([message])
    assert value == message.payload


@pytest.mark.parametrize(
    "message",
    [
        Message(b"", content_type="\ud800"),
        Message(b"", id="\ud800"),
        Message(b"", type="\ud800"),
        Message(b"", source="\ud800"),
        Message(b"", time="\ud800"),
        Message(b"", headers={"a": "\ud800"}),
    ],
)
def test_a_text_that_is_none_is_not_encoded(message: Message) -> None:
    with pytest.raises(UnicodeEncodeError):
        list(encode([message]))


def test_messages_without_extensions_share_the_empty_ones(consume: Consume) -> None:
    (record,) = decode(consume(encode([Message(b"1", id="1")])), acked=-1)
    assert record.message.headers is NO_HEADERS
