"""CloudEvents in structured mode: one JSON object that holds attributes and data."""

import binascii
import json
import re
from base64 import b64decode
from typing import Any, NamedTuple

_BLANK = re.compile(r"[ \t\n\r]*")
_JSON_TYPE = re.compile(r"[^/]+/(?:[^;]+\+)?json\s*(?:;.*)?", re.IGNORECASE)


class Event(NamedTuple):
    """An event that was unpacked.

    Attributes:
        payload: Its data; JSON exactly as it was written.
        attributes: All that it says of itself, by name, as text.
    """

    payload: bytes
    attributes: dict[str, str]


def unpack(value: bytes) -> Event | None:
    """The event in a record's value; ``None`` where it is not one, or of an unknown version."""
    try:
        members = _members(value.decode("utf-8-sig"))
        attributes = {
            name.lower(): _text(member)
            for name, member in members.items()
            if name not in {"data", "data_base64"} and member.value is not None
        }
        if not attributes.pop("specversion", "").startswith("1."):
            return None
        payload = b""
        if (encoded := members.get("data_base64")) and encoded.value is not None:
            payload = b64decode(encoded.value, validate=True)
        elif (data := members.get("data")) and data.value is not None:
            content_type = attributes.setdefault("datacontenttype", "application/json")
            is_json = _JSON_TYPE.fullmatch(content_type)
            payload = (data.written if is_json else _text(data)).encode()
        return Event(payload, attributes)
    except (ValueError, TypeError, IndexError, RecursionError, binascii.Error):
        return None


class _Member(NamedTuple):
    """A member of a JSON object: its value, and the text that says so."""

    value: Any
    written: str


def _text(member: _Member) -> str:
    """What an attribute of any type is as text: CloudEvents' own form of it."""
    text = member.value if isinstance(member.value, str) else member.written
    text.encode()  # half of a surrogate pair, by an escape, can be sent to nobody
    return text


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


_DECODER = json.JSONDecoder(parse_constant=_refuse)


def _members(text: str) -> dict[str, _Member]:
    """The members of the object that a JSON text is.

    The object is taken apart here, and only its members by the decoder, which keeps nothing of
    how they are written: numbers in the data would come out as other ones.

    Raises:
        ValueError: It is not JSON, or no object.
        IndexError: It ends too early.
    """
    members = {}
    at = _skip_blank(text, 0)
    separator = "{"
    while text[at] == separator:
        at = _skip_blank(text, at + 1)
        if separator == "{" and text[at] == "}":
            break
        name, at = _DECODER.raw_decode(text, at)
        at = _skip_blank(text, at)
        if not isinstance(name, str) or text[at] != ":":
            raise ValueError("a member has no name")
        start = _skip_blank(text, at + 1)
        value, at = _DECODER.raw_decode(text, start)
        members[name] = _Member(value, text[start:at])
        at = _skip_blank(text, at)
        separator = ","
    if text[at] != "}" or _skip_blank(text, at + 1) < len(text):
        raise ValueError("the object does not end where the text does")
    return members


def _skip_blank(text: str, at: int) -> int:
    blank = _BLANK.match(text, at)
    return blank.end() if blank else at
