"""Dead letters as they are printed, for people and as JSON."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from penstock.cli.deadletter.contents import Letter, place_name
from penstock.cli.payload import as_base64, payload_fields
from penstock.dead_letter import Origin, restored
from penstock.plugin import Message
from penstock.table import format_table

_LONGEST: Final = 160
"""Characters of an error in a table: one that is longer loses its middle, as what failed stands at
its beginning, and with what at its end."""
_HEADS: Final = ("place", "processor", "from", "attempts", "since", "error")


def as_table(letters: Sequence[Letter]) -> str:
    """A row for each dead letter."""
    return format_table(_HEADS, [_row(letter) for letter in letters])


def _row(letter: Letter) -> Sequence[str]:
    origin = letter.origin
    shown = (origin.processor, origin_name(origin), str(origin.attempts), origin.first_failure)
    return (place_name(letter.place), *map(printable, shown), _first_line(origin.error))


def _first_line(text: str) -> str:
    line, *_ = text.strip().splitlines() or [""]
    line = printable(line)
    half = _LONGEST // 2
    return line if len(line) <= _LONGEST else f"{line[: half - 1]}…{line[-half:]}"


def origin_name(origin: Origin) -> str:
    """Where the message was, as `numbers[0]/17`: stream, partition, offset."""
    return f"{origin.stream}[{origin.partition}]/{origin.offset}"


def as_json(letter: Letter) -> dict[str, Any]:
    """A dead letter without its message."""
    origin = letter.origin
    return {
        "place": place_name(letter.place),
        "processor": origin.processor,
        "stream": origin.stream,
        "partition": origin.partition,
        "offset": origin.offset,
        "window": origin.window,
        "attempts": origin.attempts,
        "since": origin.first_failure,
        "error": origin.error,
        "contentType": letter.content_type,
    }


def whole_as_json(letter: Letter, message: Message, encoding: str) -> dict[str, Any]:
    """A dead letter with its message as it was; the payload in an encoding, `raw` or `base64`."""
    return {
        **as_json(letter),
        **_attributes(message, encoding),
        "headers": dict(restored(message).headers),
        **payload_fields(message.payload, encoding),
    }


def _attributes(message: Message, encoding: str) -> dict[str, str]:
    """The key and what CloudEvents has, as far as the message has them."""
    key = payload_fields(message.key or b"", encoding)
    attributes = {
        "key": key["payload"],
        "keyEncoding": key.get("payloadEncoding", ""),
        "id": message.id,
        "type": message.type,
        "source": message.source,
        "time": message.time,
    }
    return {name: value for name, value in attributes.items() if value}


def as_text(letter: Letter, message: Message, encoding: str) -> str:
    """All of a dead letter, for a person."""
    origin = letter.origin
    facts = {
        "place": place_name(letter.place),
        "processor": origin.processor,
        "from": origin_name(origin),
        "window": origin.window,
        "attempts": str(origin.attempts),
        "since": origin.first_failure,
        "content type": letter.content_type,
        **_attributes(message, encoding),
    }
    parts = [f"{name + ':':<14}{printable(value)}" for name, value in facts.items() if value]
    parts += _block("headers", _header_lines(restored(message).headers))
    parts += _block("error", origin.error.splitlines())
    parts += _payload(message.payload, encoding)
    return "\n".join(parts)


def _header_lines(headers: Mapping[str, str]) -> Sequence[str]:
    return [f"{name}: {value}" for name, value in headers.items()]


def _payload(payload: bytes, encoding: str) -> Iterator[str]:
    shown = payload_fields(payload, encoding)
    in_base64 = encoding == "base64" or "payloadEncoding" in shown
    size = f"{len(payload)} byte{'' if len(payload) == 1 else 's'}"
    head = f"payload ({size}{', in base64' if in_base64 else ''})"
    lines = [as_base64(payload)] if in_base64 else shown["payload"].split("\n")
    return _block(head, lines if payload else ())


def _block(head: str, lines: Sequence[str]) -> Iterator[str]:
    yield f"{head}:" if lines else f"{head}: none"
    for line in lines:
        yield f"  {printable(line)}"


def printable(text: str) -> str:
    """A text that does nothing to a terminal: control characters as escapes, but for tabs."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one == "\t" else repr(one)[1:-1] for one in text)
