"""Messages flow: whichever way to the gateway, and over either function protocol."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

import pytest

from penstock.plugin import Message
from penstock.window import Window, WindowType

Item = tuple[int, Message]
PAIRS = Window(type=WindowType.COUNT, count=2)


class Call(Protocol):
    expected: Sequence[str]
    inputs: Sequence[str]
    outputs: Sequence[str]
    items: list[Item]
    finished: bool


class Served(Protocol):
    address: str
    calls: list[Call]


class Functions(Protocol):
    async def riff(self, function: Callable[[AsyncIterator[Item]], Any]) -> Served: ...
    async def streams(self, function: Callable[[AsyncIterator[Item]], Any]) -> Served: ...
    async def one_value(self, function: Callable[[Item], Sequence[Item]]) -> Served: ...


class Bench(Protocol):
    async def make(self, topic: str, partitions: int) -> None: ...
    async def publish(self, topic: str, *texts: str, key: bytes | None = None) -> None: ...
    async def start(
        self,
        function: str,
        window: Window | None = None,
        *,
        inputs: Sequence[str] = ("in",),
        outputs: Mapping[str, str] | None = None,
    ) -> None: ...
    async def outputs(self, count: int, topic: str = "out") -> list[Message]: ...
    async def acked(self, topic: str = "in") -> Mapping[int, int]: ...
    async def until_acked(self, offset: int, topic: str = "in") -> None: ...
    async def stop(self, grace: float = 5.0) -> None: ...


Until = Callable[[Callable[[], Awaitable[bool] | bool]], Awaitable[None]]


def upper(item: Item) -> Sequence[Item]:
    """A function of one value."""
    return [(0, Message(item[1].payload.upper(), "text/plain", headers={"seen": "yes"}))]


async def join(items: AsyncIterator[Item]) -> AsyncIterator[Item]:
    """All messages of a window as one, when it has ended."""
    texts = [f"{number}{message.payload.decode()}" async for number, message in items]
    yield 0, Message(" ".join(texts).encode(), "text/plain")


@pytest.fixture(params=["riff", "streams"])
async def joining(request: pytest.FixtureRequest, functions: Functions) -> Served:
    """A host of `join`, of either protocol."""
    serve = functions.riff if request.param == "riff" else functions.streams
    return await serve(join)


def texts(messages: Sequence[Message]) -> list[str]:
    return [message.payload.decode() for message in messages]


async def test_a_function_of_one_value_is_settled_inside_a_long_window(
    bench: Bench, functions: Functions
) -> None:
    await bench.publish("in", "a", "b", "c")
    await bench.start((await functions.one_value(upper)).address)
    assert texts(await bench.outputs(3)) == ["A", "B", "C"]
    await bench.until_acked(2)


async def test_outputs_have_the_key_of_their_input_and_an_id_that_is_always_the_same(
    bench: Bench, functions: Functions
) -> None:
    await bench.publish("in", "a", key=b"k\xff")
    await bench.start((await functions.one_value(upper)).address)
    (message,) = await bench.outputs(1)
    assert message == Message(
        b"A", "text/plain", b"k\xff", {"seen": "yes"}, "g/in/0/0/out/0", "riff-event", "g"
    )


async def test_a_count_window_is_one_call_of_exactly_so_many_messages(
    bench: Bench, joining: Served
) -> None:
    await bench.publish("in", "a", "b", "c", "d", "e")
    await bench.start(joining.address, PAIRS)
    assert texts(await bench.outputs(2)) == ["0a 0b", "0c 0d"]
    await bench.until_acked(3)
    await bench.publish("in", "f")
    assert texts(await bench.outputs(3)) == ["0a 0b", "0c 0d", "0e 0f"]
    await bench.until_acked(5)


async def test_a_tumbling_window_is_one_call_of_what_came_in_its_time(
    bench: Bench, joining: Served
) -> None:
    await bench.publish("in", "a", "b")
    await bench.start(joining.address, Window(size=0.1))
    assert texts(await bench.outputs(1)) == ["0a 0b"]
    await bench.until_acked(1)
    await bench.publish("in", "c")
    assert texts(await bench.outputs(2)) == ["0a 0b", "0c"]


async def test_a_call_begins_with_what_is_expected_of_it(
    direct_bench: Bench, joining: Served
) -> None:
    await direct_bench.publish("two", "b")
    sinks = {"out": "text/plain", "more": "application/json"}
    await direct_bench.start(
        joining.address, Window(size=0.05), inputs=["one", "two"], outputs=sinks
    )
    assert texts(await direct_bench.outputs(1)) == ["1b"]
    (call,) = joining.calls
    assert list(call.expected) == ["text/plain", "application/json"]
    assert list(call.inputs) == ["one", "two"]
    assert list(call.outputs) == ["out", "more"]


async def test_windows_are_of_all_inputs(bench: Bench, joining: Served) -> None:
    await bench.publish("one", "a")
    await bench.publish("two", "b")
    await bench.start(joining.address, PAIRS, inputs=["one", "two"])
    (message,) = await bench.outputs(1)
    assert sorted(message.payload.decode().split()) == ["0a", "1b"]
    await bench.until_acked(0, "one")
    await bench.until_acked(0, "two")


async def test_every_output_has_a_stream_of_its_own(
    direct_bench: Bench, functions: Functions
) -> None:
    def both(item: Item) -> Sequence[Item]:
        return [(1, item[1]), (0, item[1]), (1, item[1])]

    await direct_bench.publish("in", "a", "b")
    host = await functions.one_value(both)
    sinks = {"left": "text/plain", "right": "text/plain"}
    await direct_bench.start(host.address, outputs=sinks)
    assert texts(await direct_bench.outputs(2, "left")) == ["a", "b"]
    right = await direct_bench.outputs(4, "right")
    assert texts(right) == ["a", "a", "b", "b"]
    assert [message.id for message in right] == [
        "g/in/0/0/right/0",
        "g/in/0/0/right/1",
        "g/in/0/1/right/0",
        "g/in/0/1/right/1",
    ]


async def test_a_function_may_have_no_output(bench: Bench, functions: Functions) -> None:
    await bench.publish("in", "a", "b")
    host = await functions.one_value(lambda _: [])
    await bench.start(host.address, outputs={})
    await bench.until_acked(1)


async def test_over_riffs_protocol_a_key_travels_as_a_header(
    direct_bench: Bench, functions: Functions
) -> None:
    async def echo(items: AsyncIterator[Item]) -> AsyncIterator[Item]:
        async for item in items:
            yield item

    host = await functions.riff(echo)
    await direct_bench.publish("in", "a", key=b"k")
    await direct_bench.publish("in", "b", key=b"\xff")
    await direct_bench.publish("in", "c")
    await direct_bench.start(host.address)
    assert [message.key for message in await direct_bench.outputs(3)] == [b"k", None, None]
    assert [message.headers for _, message in host.calls[0].items] == [
        {"partitionkey": "k"},
        {},
        {},
    ]
    assert [message.headers for message in await direct_bench.outputs(3)] == [{}, {}, {}]


async def test_a_call_that_ends_before_its_window_is_followed_by_another(
    direct_bench: Bench, functions: Functions
) -> None:
    async def first(items: AsyncIterator[Item]) -> AsyncIterator[Item]:
        yield await anext(items)

    host = await functions.streams(first)
    await direct_bench.publish("in", "a")
    await direct_bench.start(host.address)
    assert texts(await direct_bench.outputs(1)) == ["a"]
    await direct_bench.until_acked(0)
    await direct_bench.publish("in", "b")
    assert texts(await direct_bench.outputs(2)) == ["a", "b"]
    assert len(host.calls) == 2


async def test_order_is_kept_within_a_partition_and_everything_arrives(
    bench: Bench, functions: Functions
) -> None:
    await bench.make("n_in", partitions=4)
    numbers = [str(number) for number in range(500)]
    for key in range(8):
        await bench.publish("n_in", *numbers, key=b"%d" % key)
    host = await functions.one_value(upper)
    await bench.start(host.address, Window(size=0.5), inputs=["n_in"])
    by_key: dict[bytes | None, list[str]] = {}
    for message in await bench.outputs(4000):
        by_key.setdefault(message.key, []).append(message.payload.decode())
    assert by_key == {b"%d" % key: numbers for key in range(8)}


async def test_large_messages_pass(bench: Bench, functions: Functions) -> None:
    async def echo(items: AsyncIterator[Item]) -> AsyncIterator[Item]:
        async for item in items:
            yield item

    large = "x" * 5_000_000
    await bench.publish("in", large, large, large)
    await bench.start((await functions.streams(echo)).address, Window(size=0.2))
    assert texts(await bench.outputs(3)) == [large] * 3


async def test_a_stop_finishes_the_open_window(bench: Bench, joining: Served, until: Until) -> None:
    await bench.publish("in", "a", "b")
    await bench.start(joining.address)
    await until(lambda: bool(joining.calls and len(joining.calls[0].items) == 2))
    await bench.stop()
    assert texts(await bench.outputs(1)) == ["0a 0b"]
    assert await bench.acked() == {0: 1}
