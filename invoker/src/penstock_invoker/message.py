"""What a function may take and give in place of a bare value."""

from collections.abc import Mapping
from typing import Generic, NamedTuple, TypeVar

from penstock.plugin import NO_HEADERS

Value = TypeVar("Value")
Other = TypeVar("Other")


class Message(NamedTuple, Generic[Value]):
    """A value and what travels with it.

    A parameter annotated `Message[T]` receives it whole. Given as an output it stands for
    itself: where a bare value of a one-value function keeps the key and the headers of the
    message it came from, a `Message` has those that it names.

    Attributes:
        value: The payload, read; or what is to be written as one.
        key: Messages with one key go to one partition; ``None`` is unkeyed.
        headers: The event's extensions, names in lower case.
        content_type: Media type of the payload as it came; empty for an output leaves the choice
            to the invoker, else it must fit the output's stream.
        id, type, source, time: The event's attributes, each empty where the publisher left it
            so; an empty id of an output is filled in by whoever publishes it.
    """

    value: Value
    key: bytes | None = None
    headers: Mapping[str, str] = NO_HEADERS
    content_type: str = ""
    id: str = ""
    type: str = ""
    source: str = ""
    time: str = ""

    def with_value(self, value: Other) -> "Message[Other]":
        """Another value under the same key and headers, as an output of its own."""
        return Message(value, self.key, self.headers)


class Output(NamedTuple, Generic[Value]):
    """A value for one of several outputs.

    Attributes:
        to: The output's name, or its index from 0.
        value: The value, or a `Message` of it.
    """

    to: str | int
    value: Value


WRAPPERS = (Message, Output)
"""The types that are not values themselves."""
