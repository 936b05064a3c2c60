"""Records as messages: what penstock and riff wrote, and what all others write."""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from aiokafka import ConsumerRecord

from penstock.plugin import NO_HEADERS, Message, Record
from penstock_kafka.records.headers import (
    CONTENT_TYPE,
    DATA_CONTENT_TYPE,
    ID,
    PREFIX,
    SOURCE,
    SPEC_VERSION,
    STRUCTURED_JSON,
    TIME,
    TOMBSTONE,
    TYPE,
)
from penstock_kafka.records.structured import unpack

_ATTRIBUTES = frozenset({CONTENT_TYPE, DATA_CONTENT_TYPE, ID, SOURCE, SPEC_VERSION, TIME, TYPE})


def decode(  # noqa: PLR0912 - a loop without calls
    records: Sequence[ConsumerRecord], acked: int
) -> list[Record]:
    """Records as they are handed to a subscriber; there is none that cannot be.

    Args:
        records: Of one partition, in order.
        acked: The highest offset of the partition that any version of the group has acked, or -1.
    """
    decoded: list[Record] = []
    add = decoded.append
    new = tuple.__new__  # the constructor of a named tuple is a function in Python
    last_content_type, is_structured = "", False
    for record in records:  # at most a microsecond for each: hence no calls
        headers, payload, key, offset = record.headers, record.value, record.key, record.offset
        event_id = event_type = source = time = content_type = data_content_type = ""
        extensions: dict[str, str] = {}
        try:
            for name, value in headers:
                if name == ID:
                    event_id = value.decode()
                elif name == TYPE:
                    event_type = value.decode()
                elif name == SOURCE:
                    source = value.decode()
                elif name == CONTENT_TYPE:
                    content_type = value.decode()
                elif name == TIME:
                    time = value.decode()
                elif name == DATA_CONTENT_TYPE:
                    data_content_type = value.decode()
                elif name != SPEC_VERSION:
                    extension = _extension(name)
                    if extension in extensions:
                        raise ValueError("there are two of one name")
                    extensions[extension] = value.decode()
        except (AttributeError, ValueError):  # a value that is null or no text, an odd name
            texts = _texts(headers)
            event_id, event_type = texts.pop(ID, ""), texts.pop(TYPE, "")
            source, time = texts.pop(SOURCE, ""), texts.pop(TIME, "")
            content_type = texts.pop(CONTENT_TYPE, "")
            data_content_type = texts.pop(DATA_CONTENT_TYPE, "")
            texts.pop(SPEC_VERSION, "")
            extensions = _extensions(texts)
        if payload is None and key is not None:
            extensions[TOMBSTONE] = "true"
        fields = (
            payload or b"",
            content_type or data_content_type,
            key or None,
            extensions or NO_HEADERS,
            event_id,
            event_type,
            source,
            time,
        )
        message = new(Message, fields)
        if content_type != last_content_type:
            last_content_type = content_type
            is_structured = content_type.partition(";")[0].strip().lower() == STRUCTURED_JSON
        if is_structured:
            message = _unpacked(message)
        add(new(Record, (message, offset, record.timestamp, offset <= acked)))
    return decoded


@lru_cache(maxsize=1024)
def _extension(header: str) -> str:
    """The extension that a header is; one of another producer counts as one.

    Raises:
        ValueError: It is an attribute in other letters than usual.
    """
    name = header.lower()
    if name in _ATTRIBUTES:
        raise ValueError(f"{header} is an attribute")
    return name.removeprefix(PREFIX)


def _texts(headers: Iterable[tuple[str, bytes | None]]) -> dict[str, str]:
    """Any headers, by names in lower case; the last of a name counts, as in Kafka's own clients."""
    return {name.lower(): _text(value) for name, value in headers}


def _text(value: bytes | None) -> str:
    """A header's value; where it is no text, each byte as the character of its number."""
    if value is None:
        return ""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


def _extensions(texts: dict[str, str]) -> dict[str, str]:
    """What headers are as extensions: one with the prefix goes before one without."""
    plain = {name: text for name, text in texts.items() if not name.startswith(PREFIX)}
    return plain | {
        name.removeprefix(PREFIX): text for name, text in texts.items() if name.startswith(PREFIX)
    }


def _unpacked(message: Message) -> Message:
    """The event in a message's payload; the message itself where there is none."""
    event = unpack(message.payload)
    if event is None:
        return message
    said = dict(event.attributes)
    return Message(
        event.payload,
        said.pop("datacontenttype", ""),
        message.key,
        id=said.pop("id", message.id),
        type=said.pop("type", message.type),
        source=said.pop("source", message.source),
        time=said.pop("time", message.time),
        headers={**message.headers, **said} or NO_HEADERS,
    )
