"""The folder that says where each stream is found: one file for each fact, as volumes have it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from penstock.media_type import OCTET_STREAM, MediaType, takes_all_of
from penstock.plugin import UsageError
from penstock_sidecar.configuration import check_address


@dataclass(frozen=True, slots=True)
class Connection:
    """How a messaging system is reached past its gateway: a gateway's kind, and its spec."""

    kind: str
    spec: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Binding:
    """Where a stream is found.

    Attributes:
        folder: Where this was read, for the texts of errors.
        content_type: What the stream's messages are; but for an output it may be a range.
        gateway: `host:port` that speaks a gateway protocol.
        topic: The stream's topic there.
        connection: The way past the gateway, where there is one.
        stream: The stream's name; its topic where nobody wrote the name down.
    """

    folder: Path
    content_type: str
    gateway: str
    topic: str
    connection: Connection | None = None
    stream: str = ""


def read_bindings(root: Path, side: str, count: int) -> Sequence[Binding]:
    """Read the bindings of one side, in the order of the processor's streams.

    Args:
        root: The folder of all bindings.
        side: `input`, `output` or `dead_letter`.
        count: How many streams there are.

    Raises:
        UsageError: A file is missing, or what it holds is not allowed.
    """
    return [
        _read_binding(root / f"{side}_{number:03}", ranges=side != "output")
        for number in range(count)
    ]


def read_dead_letter(root: Path, inputs: Sequence[Binding], outputs: Sequence[Binding]) -> Binding:
    """Read the binding of the dead-letter stream, which is none of the others.

    Args:
        root: The folder of all bindings.
        inputs: The bindings of the inputs.
        outputs: Those of the outputs.

    Raises:
        UsageError: A file is missing, what it holds is not allowed, or messages would go round in
            circles, or would not be taken.
    """
    [binding] = read_bindings(root, "dead_letter", 1)
    for other in (*inputs, *outputs):
        if (other.gateway, other.topic) == (binding.gateway, binding.topic):
            raise UsageError(
                f"{binding.folder}: topic {binding.topic!r} is that of {other.folder.name} as "
                "well: expected another topic for dead letters"
            )
    for one in inputs:
        if not takes_all_of(binding.content_type, one.content_type):
            raise UsageError(
                f"{binding.folder / 'metadata' / 'contentType'}: {binding.content_type!r} does "
                f"not take all of {one.folder.name}, which is {one.content_type!r}: expected "
                f"{OCTET_STREAM}, which takes everything, or a type that does"
            )
    return binding


def _read_binding(folder: Path, *, ranges: bool) -> Binding:
    content_type = _content_type(folder / "metadata" / "contentType", ranges=ranges)
    gateway = folder / "secret" / "gateway"
    address = check_address(str(gateway), _read(gateway))
    topic = _read(folder / "secret" / "topic")
    connection = _connection(folder / "secret" / "connection")
    stream = _stream(folder / "metadata" / "stream") or topic
    return Binding(folder, content_type, address, topic, connection, stream)


def _read(file: Path, *, empty: bool = False) -> str:
    try:
        text = file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text"
        raise UsageError(
            f"{file} cannot be read: {reason}; CNB_BINDINGS must hold input_000, input_001, …, "
            "output_000, … and, where PENSTOCK_DELIVERY names a dead-letter stream, "
            "dead_letter_000, each with metadata/contentType, secret/gateway and secret/topic"
        ) from error
    if not (text or empty):
        raise UsageError(f"{file} is empty")
    return text


def _content_type(file: Path, *, ranges: bool) -> str:
    text = _read(file, empty=True) or OCTET_STREAM
    try:
        media_type = MediaType.parse(text)
    except ValueError as error:
        raise UsageError(f"{file}: {error}") from error
    # A function is asked for an output's type, and riff's take no range.
    if not (ranges or media_type.is_concrete):
        raise UsageError(f"{file}: {text!r} is a range: expected one type, as application/json")
    return text


def _stream(file: Path) -> str:
    return _read(file, empty=True) if file.exists() else ""


def _connection(file: Path) -> Connection | None:
    if not file.exists():
        return None
    try:
        content = json.loads(_read(file))
        if isinstance(content, dict):
            kind, spec = content.get("kind"), content.get("spec", {})
            if isinstance(kind, str) and isinstance(spec, dict):
                return Connection(kind, spec)
    except json.JSONDecodeError as error:
        raise UsageError(f"{file} is not JSON: {error}") from error
    raise UsageError(f'{file}: expected {{"kind": "KafkaGateway", "spec": {{…}}}}')
