"""Which content type an output is written in.

An output expects a comma-separated list of media types and ranges, the preferred first; the
order alone counts, a `q` parameter does not.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from penstock.media_type import OCTET_STREAM, MediaType, fits
from penstock_invoker.codecs import BYTES, Writer, concrete_types, find_writer
from penstock_invoker.value_type import ValueType

_TEXT = MediaType.parse("text/plain")
_JSON = MediaType.parse("application/json")
_OCTETS = MediaType.parse(OCTET_STREAM)

_COMMA = re.compile(r',(?=(?:[^"]*"[^"]*")*[^"]*$)')
"""A comma that is not within quotes."""


class Choice(NamedTuple):
    """How values of one class are written to one output."""

    content_type: str
    write: Writer


def choose(expected: str, type_: ValueType, kind: type) -> Choice | None:
    """The first expected type that a value can be written in; ``None``: there is none.

    Args:
        expected: The output's preference list; empty is `application/octet-stream`.
        type_: What the function declares to give.
        kind: The class of what it gave.
    """
    for entry in _COMMA.split(expected or OCTET_STREAM):
        for name, content_type in _candidates(entry.strip(), kind):
            writer = find_writer(type_, kind, content_type)
            if writer is not None:
                return Choice(name, writer)
    return None


def accepts(expected: str, content_type: str) -> bool:
    """Whether a type that a message names itself fits one of those that are expected."""
    return any(fits(entry.strip(), content_type) for entry in _COMMA.split(expected))


def possible_types(type_: ValueType, kind: type) -> list[str]:
    """The types that a value of class `kind` can be written in, for a message to a person."""
    return [
        str(content_type)
        for content_type in _natural_types(kind)
        if find_writer(type_, kind, content_type) is not None
    ]


def _candidates(entry: str, kind: type) -> Iterator[tuple[str, MediaType]]:
    """The concrete types that an entry of a preference list stands for, and how each is written.

    An entry that is no media type stands for none. One that is concrete is written as it came:
    there are callers who compare texts.
    """
    if not entry:
        return
    try:
        wanted = MediaType.parse(entry)
    except ValueError:
        return
    parameters = {name: value for name, value in wanted.parameters.items() if name != "q"}
    if wanted.is_concrete:
        found = MediaType(wanted.type, wanted.subtype, parameters)
        yield entry if found == wanted else str(found), found
        return
    for natural in _natural_types(kind):
        if wanted.includes(natural):
            found = MediaType(natural.type, natural.subtype, parameters)
            yield str(found), found


def _natural_types(kind: type) -> list[MediaType]:
    """What a value of this class is written in where anything goes, the best first."""
    best = _JSON
    if issubclass(kind, str):
        best = _TEXT
    elif issubclass(kind, BYTES):
        best = _OCTETS
    return [best, *(other for other in (_TEXT, *concrete_types()) if other != best)]
