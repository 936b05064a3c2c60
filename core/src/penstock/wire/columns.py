"""Between lists of messages or records and the column frames of `columns.proto`.

Everything here is done a column at a time: the loops run in C.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import repeat
from typing import TypeVar

from penstock.plugin import NO_HEADERS, Message, Record
from penstock.wire.protocol.columns_pb2 import Headers, MessageColumns, RecordColumns

Value = TypeVar("Value")
Row = TypeVar("Row", Message, Record)
Columns = TypeVar("Columns", MessageColumns, RecordColumns)

# What `_make` does, but for a check of the length, in a third of the time: no Python runs.
_new_message = partial(tuple.__new__, Message)
_new_record = partial(tuple.__new__, Record)


def pack_messages(messages: Sequence[Message]) -> MessageColumns:
    """Lay messages out by column; at least one message."""
    payload, content_type, key, headers, id_, type_, source, time = zip(*messages, strict=True)
    return MessageColumns(
        payload=payload,
        content_type=squeeze(content_type, ""),
        key=squeeze([one or b"" for one in key], b""),
        headers=_pack_headers(headers),
        id=squeeze(id_, ""),
        type=squeeze(type_, ""),
        source=squeeze(source, ""),
        time=squeeze(time, ""),
    )


def unpack_messages(columns: MessageColumns) -> list[Message]:
    """The messages of a frame.

    Raises:
        ValueError: A column has neither none, nor one, nor as many entries as there are payloads.
    """
    count = len(columns.payload)
    keys = spread(columns.key, b"", count, "key")
    return list(
        map(
            _new_message,
            zip(
                columns.payload,
                spread(columns.content_type, "", count, "content_type"),
                [key or None for key in keys] if columns.key else repeat(None, count),
                _unpack_headers(columns.headers, count),
                spread(columns.id, "", count, "id"),
                spread(columns.type, "", count, "type"),
                spread(columns.source, "", count, "source"),
                spread(columns.time, "", count, "time"),
                strict=True,
            ),
        )
    )


def pack_records(records: Sequence[Record]) -> RecordColumns:
    """Lay records of one partition out by column; at least one record."""
    messages, offset, timestamp_ms, replay = zip(*records, strict=True)
    return RecordColumns(
        messages=pack_messages(messages),
        offset=offset,
        timestamp_ms=timestamp_ms,
        replay=squeeze(replay, False),  # noqa: FBT003 - the column's default
    )


def unpack_records(columns: RecordColumns) -> list[Record]:
    """The records of a frame.

    Raises:
        ValueError: A column's length is wrong, as in `unpack_messages`.
    """
    messages = unpack_messages(columns.messages)
    count = len(messages)
    if not len(columns.offset) == len(columns.timestamp_ms) == count:
        raise ValueError(
            f"{count} payloads with {len(columns.offset)} offsets and "
            f"{len(columns.timestamp_ms)} timestamps: expected as many of each"
        )
    replay = spread(columns.replay, False, count, "replay")  # noqa: FBT003 - the default
    return list(
        map(
            _new_record,
            zip(messages, columns.offset, columns.timestamp_ms, replay, strict=True),
        )
    )


def in_frames(
    rows: Sequence[Row], pack: Callable[[Sequence[Row]], Columns], limit: int
) -> Iterator[Columns]:
    """Lay rows out in frames of at most so many bytes; larger only where one row alone is.

    Args:
        rows: Messages or records, at least one; their order is kept.
        pack: `pack_messages` or `pack_records`.
        limit: Bytes of a frame as encoded.
    """
    columns = pack(rows)
    if len(rows) == 1 or columns.ByteSize() <= limit:
        yield columns
    else:
        middle = len(rows) // 2
        yield from in_frames(rows[:middle], pack, limit)
        yield from in_frames(rows[middle:], pack, limit)


def squeeze(values: Sequence[Value], default: Value) -> Sequence[Value]:
    """A column as short as the rule allows: none for all default, one for all the same."""
    first = values[0]
    if values.count(first) != len(values):
        return values
    return () if first == default else (first,)


def spread(column: Sequence[Value], default: Value, count: int, name: str) -> Iterable[Value]:
    """A column's entry for each of `count` messages.

    Raises:
        ValueError: The column has another length than 0, 1 or `count`.
    """
    if len(column) == count:
        return column
    if len(column) > 1:
        raise ValueError(
            f"column {name} has {len(column)} entries for {count} payloads: "
            f"expected 0, 1 or {count}"
        )
    return repeat(column[0] if column else default, count)


def _pack_headers(headers: Sequence[Mapping[str, str]]) -> Sequence[Headers]:
    return [Headers(entries=dict(one)) for one in squeeze(headers, NO_HEADERS)]


def _unpack_headers(column: Sequence[Headers], count: int) -> Iterable[Mapping[str, str]]:
    headers = [dict(one.entries) or NO_HEADERS for one in column]
    return spread(headers, NO_HEADERS, count, "headers")
