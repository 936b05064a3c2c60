"""What a message of the tests is: a number, and all that follows from it."""

from typing import NamedTuple

INPUT, OUTPUT = "in", "out"
"""The processor's aliases of its streams."""

KEYS = 64


class Place(NamedTuple):
    """Where a record is in its topic."""

    partition: int
    offset: int


class Output(NamedTuple):
    """A record that came out of the processor.

    Attributes:
        number: The message that it is made of.
        id: Its id, as the sidecar made it.
        key: Its key.
        place: Where it is.
    """

    number: int
    id: str
    key: bytes | None
    place: Place


def key_of(number: int) -> bytes:
    """The key of a message."""
    return b"key-%d" % (number % KEYS)


def id_of(group: str, input_place: Place) -> str:
    """The id of the output that a group makes of the record at a place of the input."""
    return f"{group}/{INPUT}/{input_place.partition}/{input_place.offset}/{OUTPUT}/0"
