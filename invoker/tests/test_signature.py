"""How a function's signature is read, and what is wrong with those that cannot be hosted."""

import functools
import typing
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Callable,
    Generator,
    Iterable,
    Iterator,
    Sequence,
)
from typing import Annotated, Any

import pytest

from penstock.plugin import UsageError
from penstock_invoker import Message, Output
from penstock_invoker.signature import Function, Giving, read_function


def read(call: Callable[..., Any]) -> Function:
    return read_function("module:function", call)


def types(function: Function) -> list[str]:
    return [str(parameter.type) for parameter in function.parameters]


def function(parameter: Any, result: Any = Any) -> Callable[..., Any]:
    """A plain function of one parameter with these annotations."""

    def given(values: Any) -> Any:
        return values

    given.__annotations__ = {"values": parameter, "return": result}
    return given


@pytest.mark.parametrize(
    ("annotation", "asynchronous"),
    [
        (Iterator[int], False),
        (Iterable[int], False),
        (Generator[int, None, None], False),
        (typing.Iterator[int], False),
        (Annotated[Iterator[int], "of something"], False),
        ("Iterator[int]", False),
        (AsyncIterator[int], True),
        (AsyncIterable[int], True),
        (AsyncGenerator[int, None], True),
        ("AsyncIterator[int]", True),
    ],
)
def test_a_parameter_that_is_an_iterator_is_a_stream(
    annotation: Any, *, asynchronous: bool
) -> None:
    found = read(function(annotation))
    assert found.takes_streams
    assert found.asynchronous is asynchronous
    assert types(found) == ["int"]


@pytest.mark.parametrize("annotation", [int, list[int], Sequence[int], dict, str, "int | None"])
def test_any_other_parameter_is_a_value(annotation: Any) -> None:
    found = read(function(annotation))
    assert not found.takes_streams
    assert not found.asynchronous


def test_a_stream_that_does_not_say_of_what_is_of_anything() -> None:
    assert types(read(function(Iterator))) == ["Any"]
    assert types(read(function(typing.AsyncIterator))) == ["Any"]


def test_a_message_is_received_whole() -> None:
    for annotation, type_ in (
        (Message[int], "int"),
        (Message, "Any"),
        (Iterator[Message[int]], "int"),
    ):
        [parameter] = read(function(annotation)).parameters
        assert (parameter.whole, str(parameter.type)) == (True, type_)


@pytest.mark.parametrize(
    ("annotation", "giving", "results"),
    [
        (Any, Giving.VALUE, ["Any"]),
        (int, Giving.VALUE, ["int"]),
        (None, Giving.VALUE, ["None"]),
        (list[int], Giving.VALUE, ["list[int]"]),
        (tuple[int, str], Giving.VALUE, ["tuple[int, str]"]),
        (Message[int], Giving.VALUE, ["int"]),
        (Output[int], Giving.VALUE, ["Any"]),
        (Output[int] | None, Giving.VALUE, ["Any"]),
        (str | Iterator[str], Giving.VALUE, ["Any"]),
        (Iterator[int], Giving.STREAM, ["int"]),
        (Iterable[Output[int]], Giving.STREAM, ["Any"]),
        (AsyncIterator[Message[int]], Giving.STREAM, ["int"]),
        (tuple[Iterator[int], Iterable[str]], Giving.STREAMS, ["int", "str"]),
        (tuple[AsyncIterator[int], AsyncIterator[str]], Giving.STREAMS, ["int", "str"]),
    ],
)
def test_what_is_given(annotation: Any, giving: Giving, results: list[str]) -> None:
    found = read(function(int, annotation))
    assert (found.giving, [str(one) for one in found.results]) == (giving, results)


def test_a_parameter_with_a_default_is_no_input() -> None:
    def upper(text: str, mark: str = "!", *more: str, end: str = "", **others: str) -> str:
        return mark.join((text, *more, *others)) + end

    assert [parameter.name for parameter in read(upper).parameters] == ["text"]


def test_a_wrapped_function_is_read_through_its_wrapper() -> None:
    def upper(text: str) -> str:
        return text

    @functools.wraps(upper)
    def wrapper(*arguments: Any) -> Any:
        return upper(*arguments)

    assert types(read(wrapper)) == ["str"]


class Plain:
    """Nothing that pydantic knows."""


def two(left: int, right: int) -> int:
    return left + right


def mixed(left: Iterator[int], right: int) -> None: ...


def mixed_streams(left: Iterator[int], right: AsyncIterator[int]) -> None: ...


def nothing() -> int:
    return 1


def by_keyword(*, text: str) -> str:
    return text


async def waits_for_a_blocking_stream(numbers: Iterator[int]) -> int:
    return sum(numbers)


async def yields_from_a_blocking_stream(numbers: Iterator[int]) -> AsyncIterator[int]:
    for number in numbers:
        yield number


def blocks_on_an_async_stream(numbers: AsyncIterator[int]) -> Iterator[object]:
    yield numbers


def unknown_name(text: "Sting") -> None: ...  # type: ignore[name-defined] # noqa: F821 - the test


def no_expression(text: "str or(") -> None: ...  # type: ignore[valid-type] # noqa: F722 - the test


def plain(value: Plain) -> None: ...


def no_type(value: [int]) -> None: ...  # type: ignore[valid-type, misc] # the test


@pytest.mark.parametrize(
    ("call", "complaint"),
    [
        (two, "takes 2 values (left, right): a function of values has one parameter"),
        (mixed, "mixes its inputs: expected AsyncIterator[T] for each of them"),
        (mixed_streams, "mixes its inputs: expected AsyncIterator[T] for each of them"),
        (nothing, "takes no input: expected one parameter for each input"),
        (by_keyword, "takes text by keyword only"),
        (waits_for_a_blocking_stream, "annotate its inputs with AsyncIterator instead"),
        (yields_from_a_blocking_stream, "annotate its inputs with AsyncIterator instead"),
        (blocks_on_an_async_stream, "is not async, so it cannot read an AsyncIterator"),
        (unknown_name, "has an annotation that cannot be read: name 'Sting' is not defined"),
        (no_expression, "has an annotation that cannot be read: Forward reference must be"),
        (plain, "messages cannot be read as"),
        (no_type, "messages cannot be read as [<class 'int'>], the type of value: expected str"),
        (max, "does not say what it takes"),
    ],
)
def test_a_function_that_cannot_be_hosted(call: Callable[..., Any], complaint: str) -> None:
    with pytest.raises(UsageError) as failure:
        read(call)
    text = str(failure.value)
    assert text.startswith("module:function")
    assert complaint in text
    assert "\n" not in text
