"""Lists of messages and records through column frames and back."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.plugin import NO_HEADERS, Message, Record
from penstock.wire.columns import (
    in_frames,
    pack_messages,
    pack_records,
    spread,
    squeeze,
    unpack_messages,
    unpack_records,
)
from penstock.wire.protocol.columns_pb2 import Headers, MessageColumns, RecordColumns

# Few values each, so that columns of all the same, of the default and of mixed ones come up.
TEXTS = st.sampled_from(["", "a", "é 🚰"])
MESSAGES = st.builds(
    Message,
    payload=st.sampled_from([b"", b"\x00", b"55.0"]),
    content_type=TEXTS,
    key=st.sampled_from([None, b"k", b"\xff"]),
    headers=st.sampled_from([NO_HEADERS, {"h1": ""}, {"h1": " V1", "h2": "é"}]),
    id=TEXTS,
    type=TEXTS,
    source=TEXTS,
    time=TEXTS,
)
RECORDS = st.builds(
    Record,
    message=MESSAGES,
    offset=st.integers(0, 2**64 - 1),
    timestamp_ms=st.integers(-(2**63), 2**63 - 1),
    replay=st.booleans(),
)


@given(st.lists(MESSAGES, min_size=1, max_size=5))
def test_messages_come_back_as_they_were(messages: list[Message]) -> None:
    encoded = pack_messages(messages).SerializeToString()
    assert unpack_messages(MessageColumns.FromString(encoded)) == messages


@given(st.lists(RECORDS, min_size=1, max_size=5))
def test_records_come_back_as_they_were(records: list[Record]) -> None:
    encoded = pack_records(records).SerializeToString()
    assert unpack_records(RecordColumns.FromString(encoded)) == records


@given(st.lists(MESSAGES, min_size=1, max_size=20), st.integers(1, 200))
def test_frames_hold_all_messages_in_order_and_are_larger_than_the_limit_only_for_one(
    messages: list[Message], limit: int
) -> None:
    frames = list(in_frames(messages, pack_messages, limit))
    assert [message for frame in frames for message in unpack_messages(frame)] == messages
    assert all(frame.ByteSize() <= limit or len(frame.payload) == 1 for frame in frames)


def test_what_fits_is_one_frame() -> None:
    records = [Record(Message(b"x" * 100), offset, 0) for offset in range(500)]
    [frame] = in_frames(records, pack_records, 60_000)
    assert unpack_records(frame) == records


def test_an_empty_key_is_none() -> None:
    columns = pack_messages([Message(b"", key=b""), Message(b"", key=b"k")])
    assert [message.key for message in unpack_messages(columns)] == [None, b"k"]


def test_a_column_that_is_all_the_same_takes_one_place_and_one_of_defaults_none() -> None:
    columns = pack_messages([Message(b"1", content_type="text/plain") for _ in range(100)])
    assert list(columns.content_type) == ["text/plain"]
    assert not any((columns.key, columns.headers, columns.id, columns.type))


def test_a_frame_without_messages_has_none() -> None:
    assert unpack_messages(MessageColumns()) == []
    assert unpack_records(RecordColumns()) == []


@pytest.mark.parametrize(
    ("column", "columns"),
    [
        ("content_type", lambda: MessageColumns(payload=[b""] * 3, content_type=["", ""])),
        ("key", lambda: MessageColumns(payload=[b""] * 3, key=[b""] * 4)),
        ("headers", lambda: MessageColumns(payload=[b""] * 3, headers=[Headers(), Headers()])),
        ("id", lambda: MessageColumns(payload=[b""] * 3, id=[""] * 2)),
        ("type", lambda: MessageColumns(payload=[b""] * 3, type=[""] * 2)),
        ("source", lambda: MessageColumns(payload=[b""] * 3, source=[""] * 2)),
        ("time", lambda: MessageColumns(time=["", ""])),
    ],
)
def test_a_column_of_another_length_is_refused_by_its_name(
    column: str, columns: Callable[[], MessageColumns]
) -> None:
    with pytest.raises(ValueError, match=rf"column {column} has \d entries for \d payloads"):
        unpack_messages(columns())


@pytest.mark.parametrize(
    "columns",
    [
        RecordColumns(messages=MessageColumns(payload=[b"", b""]), timestamp_ms=[1, 2]),
        RecordColumns(messages=MessageColumns(payload=[b"", b""]), offset=[1, 2], timestamp_ms=[1]),
        RecordColumns(offset=[1], timestamp_ms=[1]),
    ],
)
def test_records_without_an_offset_and_a_time_each_are_refused(columns: RecordColumns) -> None:
    with pytest.raises(ValueError, match="expected as many of each"):
        unpack_records(columns)


def test_a_replay_column_of_another_length_is_refused() -> None:
    columns = pack_records([Record(Message(b""), offset, 0) for offset in range(3)])
    columns.replay.extend([True, False])
    with pytest.raises(ValueError, match="column replay has 2 entries for 3 payloads"):
        unpack_records(columns)


@given(st.lists(st.sampled_from(["", "a", "b"]), min_size=1, max_size=4))
def test_a_squeezed_column_spreads_to_what_it_was(values: list[str]) -> None:
    assert [
        value
        for value, _ in zip(
            spread(squeeze(values, ""), "", len(values), "any"), values, strict=False
        )
    ] == values
