"""Messages as records: CloudEvents in the binary mode of its Kafka binding."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import repeat

from penstock.plugin import NO_HEADERS, Message
from penstock_kafka.records.headers import (
    CONTENT_TYPE,
    DATA_CONTENT_TYPE,
    ID,
    PREFIX,
    RESERVED,
    SOURCE,
    SPEC_VERSION,
    STRUCTURED,
    TIME,
    TOMBSTONE,
    TYPE,
)

Header = tuple[str, bytes]

EncodedRecord = tuple[bytes | None, bytes | None, list[Header]]
"""Key, value and headers of a record."""

_IS_EVENT = (SPEC_VERSION, b"1.0")
_IS_TOMBSTONE = (PREFIX + TOMBSTONE, b"true")


def encode(messages: Sequence[Message]) -> Iterable[EncodedRecord]:
    """Messages as keys, values and headers of records.

    What a message leaves empty has no header, so that it is read as empty again. This runs for
    every message, so messages whose headers are all the same are done a column at a time.

    Raises:
        UnicodeEncodeError: A text cannot be written: it has half of a surrogate pair. While it is
            iterated, too.
    """
    if not messages:
        return ()
    payloads, content_types, keys, extensions, ids, types, sources, times = zip(
        *messages, strict=True
    )
    differ = any(ids) or any(times) or any(extensions)
    if differ or not all(map(_is_uniform, (content_types, types, sources))):
        return _encode_each(messages)
    headers = _common(content_types[0], types[0], sources[0])
    return zip([key or None for key in keys], payloads, repeat(headers))


def _is_uniform(column: Sequence[str]) -> bool:
    return column.count(column[0]) == len(column)


def _encode_each(messages: Iterable[Message]) -> Iterator[EncodedRecord]:
    """Encode messages that differ; what repeats from one to the next is encoded once."""
    common: list[Header] = [_IS_EVENT]
    extended: list[Header] = []
    repeated = common
    last_content_type = last_type = last_source = ""
    last_extensions = NO_HEADERS
    for payload, content_type, key, extensions, event_id, event_type, source, time in messages:
        if event_type != last_type or source != last_source or content_type != last_content_type:
            common = _common(content_type, event_type, source)
            repeated = common + extended
            last_content_type, last_type, last_source = content_type, event_type, source
        if extensions is not last_extensions and extensions != last_extensions:
            extended = [(_name(name), text.encode()) for name, text in extensions.items()]
            repeated = common + extended
            last_extensions = extensions
        headers = [*repeated, (ID, event_id.encode())] if event_id else repeated
        if time:
            headers = [*headers, (TIME, time.encode())]
        if extended and key and not payload and _IS_TOMBSTONE in extended:
            yield key, None, [header for header in headers if header != _IS_TOMBSTONE]
        else:
            yield key or None, payload, headers


def _common(content_type: str, event_type: str, source: str) -> list[Header]:
    """The headers that the events of a publisher have in common."""
    headers = [_IS_EVENT]
    if event_type:
        headers.append((TYPE, event_type.encode()))
    if source:
        headers.append((SOURCE, source.encode()))
    if content_type:
        # Readers take what has such a header for an event in structured mode.
        misleads = content_type.strip().lower().startswith(STRUCTURED)
        headers.append((DATA_CONTENT_TYPE if misleads else CONTENT_TYPE, content_type.encode()))
    return headers


@lru_cache(maxsize=1024)
def _name(extension: str) -> str:
    """The header of an extension."""
    name = extension.lower()
    return name if name in RESERVED else PREFIX + name
