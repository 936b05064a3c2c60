"""What flows: messages, as published, and records, as stored.

Named tuples, because a gateway makes hundreds of thousands of them a second: they are
immutable, and `_make` over zipped columns builds one in a third of a microsecond.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class Message(NamedTuple):
    """One message, in the terms of CloudEvents. Nothing in it is ever "repaired".

    Attributes:
        payload: The event's data.
        content_type: Media type of the payload; empty where the publisher gave none.
        key: Messages with one key go to one partition; ``None`` is unkeyed, and an empty key
            is never stored.
        headers: The event's extensions, names in lower case.
        id, type, source: The event's attributes, each empty where the publisher left it so.
        time: The event's time as the publisher wrote it, RFC 3339 or not, or empty.
    """

    payload: bytes
    content_type: str = ""
    key: bytes | None = None
    headers: Mapping[str, str] = NO_HEADERS
    id: str = ""
    type: str = ""
    source: str = ""
    time: str = ""


class Position(NamedTuple):
    """Where a record stands in its topic.

    Attributes:
        partition: From 0.
        offset: Unsigned, of at most 64 bits; grows within a partition, gaps allowed.
    """

    partition: int
    offset: int


class Record(NamedTuple):
    """A message as stored in one partition.

    Attributes:
        message: The message.
        offset: Its offset in the partition it was read from.
        timestamp_ms: When it was stored, in milliseconds since the Unix epoch.
        replay: Whether the offset is at or below one that the group had acked at the time of
            the read, any version of the group counted.
    """

    message: Message
    offset: int
    timestamp_ms: int
    replay: bool = False
