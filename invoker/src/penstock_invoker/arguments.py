"""The inputs of one call: which parameter each goes to, and its messages read as values."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any, NamedTuple

from pydantic import ValidationError

from penstock.media_type import OCTET_STREAM, MediaType
from penstock.wire.columns import unpack_messages
from penstock.wire.protocol.columns_pb2 import MessageColumns
from penstock_invoker.codecs import Reader, find_reader
from penstock_invoker.errors import BadValue, InvalidCall, UnsupportedMediaType, counted, describe
from penstock_invoker.message import Message
from penstock_invoker.signature import Function, Parameter


class Envelope(NamedTuple):
    """What an output of a one-value function has of its input where it names nothing itself."""

    key: bytes | None
    headers: Mapping[str, str]


class Values(NamedTuple):
    """The messages of a frame as the function takes them.

    Attributes:
        values: As many as could be read, from the first on.
        envelopes: What belongs to each; `None` where there is neither a key nor a header.
        error: Why the message after the last value cannot be read.
    """

    values: Sequence[Any]
    envelopes: Iterable[Envelope | None]
    error: Exception | None


class Argument:
    """Reads the messages of one input.

    Args:
        parameter: Where they go.
        label: The input's name or number, for messages to a person.
    """

    def __init__(self, parameter: Parameter, label: str) -> None:
        self.parameter = parameter
        self._label = label
        self._readers: dict[str, Reader] = {}

    def read(self, columns: MessageColumns) -> Values:
        """The values of a frame, whose columns have been checked."""
        error: Exception | None = None
        try:
            values = self._read_column(columns)
        # Readers are pydantic's and the user's, and raise what they like; what cannot be read is
        # found one by one, so that everything before it counts.
        except Exception:  # noqa: BLE001
            values, error = self._read_each(columns)
        if not (self.parameter.whole or columns.key or columns.headers):
            return Values(values, repeat(None), error)
        messages = unpack_messages(columns)
        envelopes = [Envelope(message.key, message.headers) for message in messages]
        if self.parameter.whole:
            values = [
                Message(value, one.key, one.headers, one.content_type, *one[4:])
                for value, one in zip(values, messages, strict=False)
            ]
        return Values(values, envelopes, error)

    def _read_column(self, columns: MessageColumns) -> list[Any]:
        content_types = columns.content_type
        if len(content_types) > 1:
            pairs = zip(columns.payload, content_types, strict=True)
            return [self._reader(content_type)(payload) for payload, content_type in pairs]
        reader = self._reader(content_types[0] if content_types else "")
        return list(map(reader, columns.payload))

    def _read_each(self, columns: MessageColumns) -> tuple[list[Any], Exception | None]:
        values: list[Any] = []
        for message in unpack_messages(columns):
            try:
                values.append(self._reader(message.content_type)(message.payload))
            except UnsupportedMediaType as error:
                return values, error
            except Exception as error:  # noqa: BLE001 - whatever a reader raises
                return values, self._unreadable(message.content_type, error)
        return values, None

    def _reader(self, content_type: str) -> Reader:
        reader = self._readers.get(content_type)
        if reader is None:
            reader = self._readers[content_type] = self._find_reader(content_type)
        return reader

    def _find_reader(self, content_type: str) -> Reader:
        try:
            media_type = MediaType.parse(content_type)
        except ValueError as error:
            raise UnsupportedMediaType(f"{self._label}: {error}") from None
        reader = find_reader(self.parameter.type, media_type)
        if reader is None:
            raise UnsupportedMediaType(
                f"{self._label} is {media_type}, from which a parameter of type "
                f"{self.parameter.type} cannot be read"
            )
        return reader

    def _unreadable(self, content_type: str, error: Exception) -> BadValue:
        reason = describe(error)
        if isinstance(error, ValidationError):
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"]))
            reason = f"{where}: {first['msg']}" if where else first["msg"]
        return BadValue(
            f"{self._label}: this {content_type or OCTET_STREAM} cannot be read as "
            f"{self.parameter.type}: {reason}"
        )


def match_arguments(function: Function, input_names: Sequence[str]) -> list[Argument]:
    """What reads each input of a call, in the order of the inputs.

    An input goes to the parameter of its name; the others fill the other parameters in order.

    Args:
        function: The function that is called.
        input_names: As the call's start gives them; none: the caller does not say.

    Raises:
        InvalidCall: There are not as many inputs as the function takes.
    """
    free = {parameter.name: parameter for parameter in function.parameters}
    names = list(input_names) or list(free)
    if len(names) != len(free):
        raise InvalidCall(
            f"{function.name} takes {counted(len(free), 'input')} ({', '.join(free)}), and the "
            f"call has {len(names)} ({', '.join(names)})"
        )
    named = [free.pop(name, None) for name in names]
    others = iter(free.values())
    return [
        Argument(parameter or next(others), f"input {name}")
        for name, parameter in zip(names, named, strict=True)
    ]
