"""Functions of every kind, over both protocols."""

import threading
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from penstock_invoker import Message, Output

if TYPE_CHECKING:
    from invoker.tests.conftest import Call, Host, Invoker

PROTOCOLS = pytest.mark.parametrize("protocol", ["riff", "batch"])


def call(invoker: "Invoker", protocol: str) -> "Call":
    return invoker.riff() if protocol == "riff" else invoker.batch()


def plain(text: str) -> str | None:
    return text.upper() if text else None


async def coroutine(text: str) -> str | None:
    return text.upper() if text else None


def generator(text: str) -> Iterator[str]:
    yield from text.upper()


async def async_generator(text: str) -> AsyncIterator[str]:
    for letter in text.upper():
        yield letter


def without_annotations(text):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201 - as told
    return text.upper()


def generator_without_annotations(text):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201
    yield from text.upper()


def iterable(text: str) -> Iterable[str]:
    return list(text.upper())


def value_or_iterator(text: str) -> str | Iterator[str]:
    return iter(text.upper()) if text == "a" else text.upper()


class Shout:
    """An object that is called, with a parameter that is no input."""

    def __call__(self, text: str, mark: str = "") -> str:
        return text.upper() + mark


class ShoutLater:
    """The same, asynchronous."""

    async def __call__(self, text: str) -> str:
        return text.upper()


def shout(mark: str, text: str) -> str:
    return text.upper() + mark


@PROTOCOLS
@pytest.mark.parametrize(
    "function",
    [
        plain,
        coroutine,
        generator,
        async_generator,
        without_annotations,
        generator_without_annotations,
        iterable,
        value_or_iterator,
    ],
)
async def test_functions_of_values(
    host: "Host", protocol: str, function: Callable[..., Any]
) -> None:
    invoker = await host(function)
    given = await invoker.invoke(call(invoker, protocol), [b"a", b"", b"b", b"c"])
    assert [one.payload for one in given if one.payload] == [b"A", b"B", b"C"]
    assert {one.content_type for one in given} == {"text/plain"}


@pytest.mark.parametrize("function", [Shout(), ShoutLater(), partial(shout, ""), str.upper])
async def test_whatever_can_be_called_is_a_function(
    host: "Host", function: Callable[..., Any]
) -> None:
    invoker = await host(function)
    assert [one.payload for one in await invoker.invoke(invoker.riff(), [b"a"])] == [b"A"]


async def test_a_list_is_one_value_and_an_iterator_many(host: "Host") -> None:
    def words(text: str) -> list[str]:
        return text.split()

    invoker = await host(words)
    [given] = await invoker.invoke(invoker.riff(), [b"a b"], expected=["application/json"])
    assert given.payload == b'["a","b"]'


def averages(numbers: Iterator[int]) -> Iterator[float]:
    total = 0
    for count, number in enumerate(numbers, 1):
        total += number
        yield total / count


async def averages_async(numbers: AsyncIterator[int]) -> AsyncIterator[float]:
    total = count = 0
    async for number in numbers:
        total, count = total + number, count + 1
        yield total / count


def averages_nested(numbers: Iterator[int]) -> Iterator[float]:
    return averages(numbers)


async def averages_awaited(numbers: AsyncIterator[int]) -> AsyncIterator[float]:
    return averages_async(numbers)


@PROTOCOLS
@pytest.mark.parametrize("function", [averages, averages_async, averages_nested, averages_awaited])
async def test_functions_of_streams(
    host: "Host", protocol: str, function: Callable[..., Any]
) -> None:
    invoker = await host(function)
    running = call(invoker, protocol)
    given = await invoker.invoke(running, [b"1", b"2", b"6"], expected=["application/json"])
    assert [one.payload for one in given] == [b"1.0", b"1.5", b"3.0"]


async def test_a_function_of_streams_answers_while_its_input_goes_on(host: "Host") -> None:
    for function in (averages, averages_async):
        running = (await host(function)).riff()
        await running.start(["application/json"])
        for number, average in ((b"1", b"1.0"), (b"2", b"1.5"), (b"6", b"3.0")):
            await running.send(number)
            assert await running.receive() == (average, "application/json", 0, {})


async def test_an_output_is_sent_while_its_function_is_busy(host: "Host") -> None:
    def busy(texts: Iterator[str]) -> Iterator[str]:
        yield next(texts)
        threading.Event().wait(60)

    running = (await host(busy)).riff()
    await running.start()
    await running.send(b"a")
    assert await running.receive() == (b"a", "text/plain", 0, {})


def total(numbers: Iterator[int]) -> int:
    return sum(numbers)


async def total_async(numbers: AsyncIterator[int]) -> int:
    return sum([number async for number in numbers])


def nothing(numbers: Iterator[int]) -> None:
    sum(numbers)


@PROTOCOLS
async def test_a_function_of_streams_may_give_one_value_or_none(
    host: "Host", protocol: str
) -> None:
    for function, expected in ((total, [b"6"]), (total_async, [b"6"]), (nothing, [])):
        invoker = await host(function)
        given = await invoker.invoke(call(invoker, protocol), [b"1", b"2", b"3"])
        assert [one.payload for one in given] == expected


async def join(orders: AsyncIterator[str], users: AsyncIterator[str]) -> AsyncIterator[Output[str]]:
    known = {user async for user in users}
    async for order in orders:
        yield Output("bills" if order in known else 1, order)


def join_blocking(orders: Iterator[str], users: Iterator[str]) -> Iterator[Output[str]]:
    known = set(users)
    for order in orders:
        yield Output("bills" if order in known else 1, order)


@PROTOCOLS
@pytest.mark.parametrize("function", [join, join_blocking])
async def test_several_inputs_and_outputs_by_name(
    host: "Host", protocol: str, function: Callable[..., Any]
) -> None:
    invoker = await host(function)
    # The inputs in another order than the parameters.
    sent = [(b"ann", "text/plain", 1), (b"bob", "text/plain", 1), (b"ann", "text/plain", 0)]
    given = await invoker.invoke(
        call(invoker, protocol), sent, ["text/plain"] * 2, ["users", "orders"], ["bills", "lost"]
    )
    assert [(one.payload, one.output) for one in given] == [(b"ann", 0), (b"bob", 1)]


@PROTOCOLS
async def test_inputs_of_other_names_are_taken_in_order(host: "Host", protocol: str) -> None:
    invoker = await host(join)
    sent = [(b"ann", "text/plain", 0), (b"ann", "text/plain", 1)]
    for names in (["in-1", "in-2"], ["orders", "people"], ["people", "users"], []):
        given = await invoker.invoke(
            call(invoker, protocol), sent, ["text/plain"] * 2, names, ["bills", "lost"]
        )
        assert [(one.payload, one.output) for one in given] == [(b"ann", 0)]
    # One name is enough to tell the two apart.
    given = await invoker.invoke(
        call(invoker, protocol),
        [(b"ann", "text/plain", 1)],
        ["text/plain"] * 2,
        ["users", "purchases"],
        ["bills", "lost"],
    )
    assert [(one.payload, one.output) for one in given] == [(b"ann", 1)]


@pytest.mark.parametrize("function", [join, join_blocking])
async def test_an_input_is_read_however_much_waits_of_another(
    host: "Host", function: Callable[..., Any]
) -> None:
    """The function wants its second input first, behind more than the buffers hold."""
    running = (await host(function)).batch()
    await running.start(["text/plain"] * 2, ["orders", "users"], ["bills", "lost"])
    order = b"x" * 1024 * 1024
    for _ in range(32):
        await running.send((order, "text/plain", 0))
    await running.send((order, "text/plain", 1))
    await running.end()
    given = await running.rest()
    assert [(len(one.payload), one.output) for one in given] == [(len(order), 0)] * 32


def halves(numbers: Iterator[int]) -> tuple[Iterator[int], Iterator[float]]:
    read = list(numbers)
    return (number * 2 for number in read), (number / 2 for number in read)


async def halves_async(
    numbers: AsyncIterator[int],
) -> tuple[AsyncIterator[int], AsyncIterator[float]]:
    read = [number async for number in numbers]

    async def times(factor: float) -> AsyncIterator[Any]:
        for number in read:
            yield number * factor

    return times(2), times(0.5)


def halves_untold(numbers: Iterator[int]):  # type: ignore[no-untyped-def] # noqa: ANN201 - as told
    return halves(numbers)


@PROTOCOLS
@pytest.mark.parametrize("function", [halves, halves_async, halves_untold])
async def test_a_tuple_of_streams_has_one_for_each_output(
    host: "Host", protocol: str, function: Callable[..., Any]
) -> None:
    invoker = await host(function)
    expected = ["text/plain", "application/json"]
    given = await invoker.invoke(call(invoker, protocol), [b"3", b"4"], expected)
    assert [one.payload for one in given if one.output == 0] == [b"6", b"8"]
    assert [one.payload for one in given if one.output == 1] == [b"1.5", b"2.0"]


async def test_a_message_is_received_whole(host: "Host") -> None:
    seen: list[Message[float]] = []

    async def look(numbers: AsyncIterator[Message[float]]) -> None:
        seen.extend([number async for number in numbers])

    invoker = await host(look)
    await invoker.invoke(invoker.batch(), [(b"1", "application/json", 0, {"trace": "a"})])
    assert seen == [Message(1.0, headers={"trace": "a"}, content_type="application/json")]


async def test_a_message_is_given_as_it_says(host: "Host") -> None:
    def say(text: str) -> Message[str]:
        return Message(text, headers={"said": text}, content_type="text/plain; charset=utf-16-be")

    invoker = await host(say)
    given = await invoker.invoke(invoker.riff(), [b"a"], expected=["application/json, text/*"])
    assert given == [(b"\x00a", "text/plain; charset=utf-16-be", 0, {"said": "a"})]
    code, text = await invoker.refused(invoker.riff(), [b"a"], expected=["application/json"])
    assert code.name == "INVALID_ARGUMENT"
    assert text.startswith("Invoker: Not Acceptable: output 0 expects application/json, and")


@pytest.mark.parametrize(
    ("message", "complaint"),
    [
        (Message("a", key="k"), "key 'k' is not bytes"),  # type: ignore[arg-type] # the test
        (Message("a", headers={"n": 1}), "headers {'n': 1} are not all text"),  # type: ignore[dict-item] # the test
    ],
)
async def test_a_message_that_is_none_is_refused(
    host: "Host", message: Message[str], complaint: str
) -> None:
    def say(_: str) -> Message[str]:
        return message

    invoker = await host(say)
    code, text = await invoker.refused(invoker.riff(), [b"a"])
    assert (code.name, text) == ("UNKNOWN", f"Invoker: output 0: {complaint}")
