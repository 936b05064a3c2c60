"""What a function takes and gives, read from its signature."""

import collections.abc
import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from types import UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin, get_type_hints

from pydantic import PydanticUndefinedAnnotation, PydanticUserError

from penstock.plugin import UsageError
from penstock_invoker.message import WRAPPERS, Message
from penstock_invoker.value_type import ANY, ValueType

# Tuples, not sets: an annotation need not be hashable.
_BLOCKING_STREAMS = (
    collections.abc.Iterator,
    collections.abc.Iterable,
    collections.abc.Generator,
)
_ASYNC_STREAMS = (
    collections.abc.AsyncIterator,
    collections.abc.AsyncIterable,
    collections.abc.AsyncGenerator,
)
_POSITIONAL = {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}


class Giving(Enum):
    """What one call of a function gives."""

    VALUE = "a value; or an iterator of values, which only shows when it is there"
    STREAM = "a stream of values"
    STREAMS = "a tuple of streams, one for each output"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter that messages go to.

    Attributes:
        name: Its name.
        type: The type of one message's value.
        whole: Whether it receives a `Message` instead of the bare value.
    """

    name: str
    type: ValueType
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Function:
    """A function that can be hosted.

    Attributes:
        name: `module:function`.
        call: The function itself.
        parameters: One for each input, in order.
        takes_streams: Whether each parameter is an iterator over all messages of its input; else
            there is one parameter, and the function is applied to each message.
        asynchronous: Whether it runs on the event loop; else it may block, and gets a thread.
        coroutine: Whether its result is awaited.
        giving: What one call gives.
        results: The type of each output's values; one entry where the function does not say how
            many outputs it has.
    """

    name: str
    call: Callable[..., Any]
    parameters: tuple[Parameter, ...]
    takes_streams: bool = False
    asynchronous: bool = False
    coroutine: bool = False
    giving: Giving = Giving.VALUE
    results: tuple[ValueType, ...] = (ANY,)


class _Stream(NamedTuple):
    """What an annotation such as `AsyncIterator[T]` says."""

    asynchronous: bool
    item: Any


def read_function(name: str, call: Callable[..., Any]) -> Function:
    """Read a function's signature.

    Args:
        name: What it is called in messages.
        call: A function, a method or an object that can be called.

    Raises:
        UsageError: It cannot be hosted; the text says why.
    """
    hints = _type_hints(name, call)
    inputs = {parameter: hints.get(parameter, Any) for parameter in _inputs(name, call)}
    streams = [_stream(annotation) for annotation in inputs.values()]
    async_generator = _is(inspect.isasyncgenfunction, call)
    coroutine = _is(inspect.iscoroutinefunction, call)
    giving, results, gives_async = _read_result(hints.get("return", Any))
    if async_generator or _is(inspect.isgeneratorfunction, call):
        giving = Giving.STREAM
    asynchronous = async_generator or coroutine or gives_async
    if any(streams):
        takes_async = _agreed(name, streams)
        if asynchronous and not takes_async:
            raise UsageError(
                f"{name} runs on the event loop, where a blocking iterator would hold up "
                "everything: annotate its inputs with AsyncIterator instead of Iterator"
            )
        if takes_async and _is(inspect.isgeneratorfunction, call):
            raise UsageError(
                f"{name} is not async, so it cannot read an AsyncIterator: write async def, or "
                "annotate its inputs with Iterator"
            )
        asynchronous = takes_async
    elif len(inputs) > 1:
        raise UsageError(
            f"{name} takes {len(inputs)} values ({', '.join(inputs)}): a function of values has "
            "one parameter, and is applied to each message; one that reads several inputs takes "
            "each as an AsyncIterator[T] or an Iterator[T]"
        )
    return Function(
        name=name,
        call=call,
        parameters=tuple(
            _parameter(name, parameter, stream.item if stream else annotation)
            for (parameter, annotation), stream in zip(inputs.items(), streams, strict=True)
        ),
        takes_streams=any(streams),
        asynchronous=asynchronous,
        coroutine=coroutine,
        giving=giving,
        results=results,
    )


def _agreed(name: str, streams: list[_Stream | None]) -> bool:
    """Whether the streams are asynchronous: all of them or none."""
    families = {stream and stream.asynchronous for stream in streams}
    if len(families) > 1:
        raise UsageError(
            f"{name} mixes its inputs: expected AsyncIterator[T] for each of them, or Iterator[T] "
            "for each"
        )
    return bool(families.pop())


def _inputs(name: str, call: Callable[..., Any]) -> list[str]:
    """The parameters that messages go to: those that a call must give."""
    try:
        parameters = inspect.signature(call).parameters.values()
    except (TypeError, ValueError) as error:
        raise UsageError(f"{name} does not say what it takes: wrap it in a def") from error
    required = [one for one in parameters if one.default is inspect.Parameter.empty]
    for parameter in required:
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            raise UsageError(
                f"{name} takes {parameter.name} by keyword only: inputs are given by position; "
                "write it before the *, or give it a default"
            )
    inputs = [one.name for one in required if one.kind in _POSITIONAL]
    if not inputs:
        raise UsageError(f"{name} takes no input: expected one parameter for each input")
    return inputs


def _type_hints(name: str, call: Callable[..., Any]) -> dict[str, Any]:
    """The annotations, those written as text evaluated."""
    target: Any = call
    while isinstance(target, functools.partial):
        target = target.func
    if not inspect.isroutine(target):
        target = type(target).__call__
    try:
        return get_type_hints(inspect.unwrap(target), include_extras=True)
    # Evaluating an annotation runs whatever it holds.
    except Exception as error:
        raise UsageError(f"{name} has an annotation that cannot be read: {error}") from error


def _parameter(function: str, name: str, annotation: Any) -> Parameter:
    whole = (get_origin(annotation) or annotation) is Message
    if whole:
        annotation = next(iter(get_args(annotation)), Any)
    type_ = ValueType(annotation)
    try:
        type_.adapter  # noqa: B018 - made here so that a bad type is refused at the start
    except (PydanticUserError, PydanticUndefinedAnnotation) as error:
        raise UsageError(
            f"{function}: messages cannot be read as {type_}, the type of {name}: expected str, "
            "bytes, int, float, bool, dict, list, a dataclass or a pydantic model "
            f"({str(error).splitlines()[0]})"
        ) from error
    return Parameter(name, type_, whole)


def _read_result(annotation: Any) -> tuple[Giving, tuple[ValueType, ...], bool]:
    """What is given, the type of each output's values, and whether a stream is asynchronous."""
    if stream := _stream(annotation):
        return Giving.STREAM, (_result(stream.item),), stream.asynchronous
    members = get_args(annotation) if get_origin(annotation) is tuple else ()
    streams = [stream for member in members if (stream := _stream(member))]
    if streams and len(streams) == len(members):
        results = tuple(_result(stream.item) for stream in streams)
        return Giving.STREAMS, results, any(stream.asynchronous for stream in streams)
    return Giving.VALUE, (_result(annotation),), False


def _result(annotation: Any) -> ValueType:
    """The type of an output's values; who gives an `Output`, or maybe a stream, says nothing."""
    origin = get_origin(annotation) or annotation
    if origin is Message:
        return _result(next(iter(get_args(annotation)), Any))
    if origin in {Union, UnionType}:
        members = [get_origin(member) or member for member in get_args(annotation)]
        others = (*WRAPPERS, *_BLOCKING_STREAMS, *_ASYNC_STREAMS)
        return ANY if any(one in others for one in members) else ValueType(annotation)
    return ANY if origin in WRAPPERS else ValueType(annotation)


def _stream(annotation: Any) -> _Stream | None:
    if get_origin(annotation) is Annotated:
        return _stream(get_args(annotation)[0])
    origin = get_origin(annotation) or annotation
    item = next(iter(get_args(annotation)), Any)
    if origin in _ASYNC_STREAMS:
        return _Stream(asynchronous=True, item=item)
    return _Stream(asynchronous=False, item=item) if origin in _BLOCKING_STREAMS else None


def _is(predicate: Callable[[object], bool], call: Callable[..., Any]) -> bool:
    """Whether a predicate of `inspect` holds for a function, or for what an object calls."""
    return predicate(call) or predicate(type(call).__call__)
