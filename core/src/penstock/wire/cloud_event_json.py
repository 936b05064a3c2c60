"""Messages as CloudEvents JSON in structured mode (CloudEvents 1.0.2, JSON event format)."""

import json
from base64 import b64encode
from functools import lru_cache
from typing import Final, NoReturn

from penstock.media_type import MediaType
from penstock.plugin import Message

_MEMBERS = frozenset(
    ("specversion", "id", "type", "source", "time", "datacontenttype", "data", "data_base64")
)
_JSON: Final = "json"


def to_json(message: Message) -> bytes:
    """The event of a message as one JSON object; its key travels beside it.

    Attributes stand as they were published, an empty id, type or source too. Left out are an
    empty time or content type, the data of an empty payload, and an extension that is named like
    a member which CloudEvents defines.

    A payload of a JSON type is a value in `data`, one of `text/*` a text there; every other, and
    one that is not what its content type says, is base64 in `data_base64`.
    """
    event = {name: value for name, value in message.headers.items() if name not in _MEMBERS}
    event["specversion"] = "1.0"
    event["id"] = message.id
    event["type"] = message.type
    event["source"] = message.source
    if message.time:
        event["time"] = message.time
    if message.content_type:
        event["datacontenttype"] = message.content_type
    attributes = _encode(event)
    if not message.payload:
        return attributes
    return b"%b,%b}" % (attributes[:-1], _data(message.payload, _form(message.content_type)))


def _data(payload: bytes, form: str | None) -> bytes:
    if form == _JSON:
        if _is_json(payload):
            # As it was written: no number loses a digit by being read.
            return b'"data":%b' % payload
    elif form and (text := _decode(payload, form)) is not None:
        return b'"data":%b' % _encode(text)
    return b'"data_base64":"%b"' % b64encode(payload)


@lru_cache(maxsize=1024)
def _form(content_type: str) -> str | None:
    """`json`, or the charset of a text, or ``None`` for bytes."""
    try:
        media_type = MediaType.parse(content_type)
    except ValueError:
        return None
    if _JSON in (media_type.subtype, media_type.suffix):
        return _JSON
    return media_type.parameters.get("charset", "utf-8") if media_type.type == "text" else None


def _is_json(payload: bytes) -> bool:
    try:
        _DECODER.decode(payload.decode())
    except (ValueError, RecursionError):
        return False
    return True


def _decode(payload: bytes, charset: str) -> str | None:
    """The text, if its bytes can be made of it again by the same charset."""
    try:
        text = payload.decode(charset)
        return text if text.encode(charset) == payload else None
    except (ValueError, LookupError):
        return None


def _encode(value: object) -> bytes:
    return _ENCODER.encode(value).encode()


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


_ENCODER = json.JSONEncoder(separators=(",", ":"))
# Numbers are only looked at: Python refuses to read very long ones, and NaN is not JSON.
_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=_refuse)
