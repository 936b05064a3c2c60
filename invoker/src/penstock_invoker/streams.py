"""What a call of a function gives, as streams of outputs; and how bare values get a cover."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

from penstock_invoker.arguments import Envelope
from penstock_invoker.message import Message, Output
from penstock_invoker.signature import Function, Giving


def streams_of(function: Function, result: Any) -> list[Any]:
    """What one call gave: an iterable, sync or async, for each output it has values for."""
    if result is None:
        return []
    if function.giving is Giving.STREAMS or _is_tuple_of_iterators(result):
        return list(result)
    if function.giving is Giving.STREAM or _is_iterator(result):
        return [result]
    return [(result,)]


def gives_one(function: Function, result: Any) -> bool:
    """Whether what one call gave is one value, or none."""
    return function.giving is Giving.VALUE and not _is_iterator(result)


def covered(value: Any, envelope: Envelope | None) -> Any:
    """An output of a one-value function with the key and headers of the input it came from."""
    if envelope is None or value is None or isinstance(value, Message):
        return value
    if isinstance(value, Output):
        return Output(value.to, covered(value.value, envelope))
    return Message(value, envelope.key, envelope.headers)


def _is_tuple_of_iterators(result: Any) -> bool:
    return type(result) is tuple and bool(result) and all(map(_is_iterator, result))


_classes: dict[type, bool] = {}


def _is_iterator(value: object) -> bool:
    """Whether a value is a stream, whatever the annotations say."""
    kind = type(value)
    if kind not in _classes:  # asked for each message, and abstract classes are slow to answer
        _classes[kind] = issubclass(kind, (Iterator, AsyncIterator))
    return _classes[kind]
