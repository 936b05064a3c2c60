"""What a dead letter is: a message as it was, with headers that say where it is from and why.

A stream forgets no single message. What has become of a dead letter is said by another message
of the same stream, a marker. The names of all headers are those of CloudEvents extensions:
lower-case letters and digits.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

from penstock.plugin import Message, Position

MARKER_TYPE: Final = "penstock.deadletter.resolved"
"""The CloudEvents type of markers."""

_PREFIX: Final = "deadletter"
_LONGEST_ERROR: Final = 2000


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a dead letter is from, and what happened to it.

    Attributes:
        processor: The processor that could not process it: its group.
        stream: The stream that it was read from.
        partition, offset: Where it stands there.
        window: The window that it was in, in words; empty: it was in none.
        error: Why it is here.
        attempts: How many calls that it was part of failed: those of its whole window, and those of
            each part in which the message at fault was looked for. 0: the function never had it.
        first_failure: When it failed first, RFC 3339.
    """

    processor: str
    stream: str
    partition: int
    offset: int
    window: str
    error: str
    attempts: int
    first_failure: str

    def mark(self, message: Message) -> Message:
        """The dead letter of a message: itself, with the headers of this."""
        headers = {**message.headers, **self._headers()}
        return message._replace(headers=headers)

    def _headers(self) -> Mapping[str, str]:
        return {
            f"{_PREFIX}processor": self.processor,
            f"{_PREFIX}stream": self.stream,
            f"{_PREFIX}partition": str(self.partition),
            f"{_PREFIX}offset": str(self.offset),
            f"{_PREFIX}window": self.window,
            f"{_PREFIX}error": self.error[:_LONGEST_ERROR],
            f"{_PREFIX}attempts": str(self.attempts),
            f"{_PREFIX}since": self.first_failure,
        }

    @classmethod
    def of(cls, message: Message) -> Self | None:
        """What a dead letter's headers say; ``None``: it is not one, or not a whole one."""
        told = {
            name.removeprefix(_PREFIX): value
            for name, value in message.headers.items()
            if name.startswith(_PREFIX)
        }
        try:
            return cls(
                processor=told["processor"],
                stream=told["stream"],
                partition=int(told["partition"]),
                offset=int(told["offset"]),
                window=told["window"],
                error=told["error"],
                attempts=int(told["attempts"]),
                first_failure=told["since"],
            )
        except (KeyError, ValueError):
            return None


def restored(message: Message) -> Message:
    """The message that a dead letter was made of."""
    headers = {
        name: value for name, value in message.headers.items() if not name.startswith(_PREFIX)
    }
    return message._replace(headers=headers)


class Resolution(StrEnum):
    """What a person has done with a dead letter."""

    REPLAYED = "replayed"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Marker:
    """Says that dead letters are dealt with; it may stand in any partition of their stream.

    Attributes:
        places: Where they stand in the dead-letter stream, in which this is a message too.
        resolution: What was done with them.
    """

    places: tuple[Position, ...]
    resolution: Resolution

    def message(self, content_type: str) -> Message:
        """The message that says so, with an empty payload of some type, without an id."""
        headers = {
            f"{_PREFIX}places": " ".join(f"{one.partition}/{one.offset}" for one in self.places),
            f"{_PREFIX}resolution": self.resolution.value,
        }
        return Message(b"", content_type, headers=headers, type=MARKER_TYPE)

    @classmethod
    def of(cls, message: Message) -> Self | None:
        """What a marker says; ``None``: the message is none, or not a whole one."""
        if message.type != MARKER_TYPE:
            return None
        try:
            places = message.headers[f"{_PREFIX}places"].split()
            resolution = Resolution(message.headers[f"{_PREFIX}resolution"])
            return cls(tuple(map(_place, places)), resolution)
        except (KeyError, ValueError):
            return None


def _place(text: str) -> Position:
    partition, offset = text.split("/")
    return Position(int(partition), int(offset))
