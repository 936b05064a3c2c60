"""A call of a function of one value that fails names the input it failed at."""

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from penstock.plugin import Message as WireMessage
from penstock.wire.call_metadata import FAILED_INPUT, REPORTS_INPUTS
from penstock.wire.columns import pack_messages
from penstock.wire.protocol.function_pb2 import Inputs
from penstock_invoker import Message

if TYPE_CHECKING:
    from invoker.tests.conftest import BatchCall, Host

COUNT = 500
BAD = "bad"


def plain(text: str) -> str:
    if text == BAD:
        raise ValueError("no good")
    return text


async def plain_async(text: str) -> str:
    return plain(text)


def generator(text: str) -> Iterator[str]:
    yield plain(text)


async def generator_async(text: str) -> AsyncIterator[str]:
    yield plain(text)


def leaving(text: str) -> str:
    if text == BAD:
        sys.exit(3)
    return text


def of_another_type(text: str) -> int:
    wrong: Any = text
    return wrong if text == BAD else int(text)


def unwritable(text: str) -> Any:
    return {1} if text == BAD else text


def without_text(text: str) -> str:
    class Odd(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    if text == BAD:
        raise Odd
    return text


def with_an_id_that_is_none(text: str) -> Any:
    wrong: Any = 5
    return Message(text, id=wrong if text == BAD else text)


def with_headers_that_are_none(text: str) -> Any:
    wrong: Any = 5
    return Message(text, headers=wrong if text == BAD else {})


def with_headers_that_cannot_be_sent(text: str) -> Any:
    return Message(text, headers={"h": "\udc80" if text == BAD else text})


FUNCTIONS = (
    (plain, "ValueError: no good"),
    (plain_async, "ValueError: no good"),
    (generator, "ValueError: no good"),
    (generator_async, "ValueError: no good"),
    (leaving, "SystemExit: 3"),
    (of_another_type, "declared to give int, and gave str"),
    (unwritable, "Not Acceptable: output 0 expects text/plain"),
    (without_text, "Odd: its text cannot be had"),
    (with_an_id_that_is_none, "id, type, source and time (5, '', '', '') are not all text"),
    (with_headers_that_are_none, "TypeError: "),
    (with_headers_that_cannot_be_sent, "are not all text"),
)


def texts(bad: int, count: int = COUNT) -> Inputs:
    payloads = [BAD if number == bad else str(number) for number in range(count)]
    return inputs(*(WireMessage(payload.encode(), "text/plain") for payload in payloads))


def inputs(*messages: WireMessage) -> Inputs:
    return Inputs(messages=pack_messages(messages))


async def fed(call: "BatchCall", *frames: Inputs, expected: str = "text/plain") -> None:
    await call.start([expected])
    for frame in frames:
        await call.send_frame(frame)


async def failure(call: "BatchCall") -> tuple[list[bytes], int, str | None, str]:
    """Outputs, how many inputs are done, the input that failed, and the reason."""
    payloads: list[bytes] = []
    done = 0
    try:
        while (frame := await call.receive_frame()) is not None:
            payloads += frame.messages.payload
            done = frame.inputs_done
    except grpc.aio.AioRpcError as error:
        return payloads, done, named(error), error.details() or ""
    pytest.fail("the call ended well")


def named(error: grpc.aio.AioRpcError) -> str | None:
    metadata = error.trailing_metadata()
    value = metadata.get(FAILED_INPUT) if metadata is not None else None
    assert value is None or isinstance(value, str)
    return value


@pytest.mark.parametrize("bad", [0, 250, COUNT - 1], ids=["first", "middle", "last"])
@pytest.mark.parametrize(
    ("function", "reason"), FUNCTIONS, ids=[one.__name__ for one, _ in FUNCTIONS]
)
async def test_all_before_the_input_that_failed_is_given(
    host: "Host", function: Callable[..., Any], reason: str, bad: int
) -> None:
    call = (await host(function)).batch()
    await fed(call, texts(bad))
    payloads, done, failed, text = await failure(call)
    assert payloads == [b"%d" % number for number in range(bad)]
    assert (done, failed) == (bad, str(bad))
    assert reason in text


async def test_inputs_are_counted_over_all_frames(host: "Host") -> None:
    call = (await host(plain)).batch()
    await fed(call, texts(-1, 300), texts(-1, 300), texts(7, 300))
    payloads, done, failed, _ = await failure(call)
    assert (len(payloads), done, failed) == (607, 607, "607")


async def test_a_payload_that_cannot_be_read_is_named(host: "Host") -> None:
    def double(number: dict[str, int]) -> dict[str, int]:
        return {"n": 2 * number["n"]}

    call = (await host(double)).batch()
    payloads = [b'{"n":' if number == 250 else b'{"n":%d}' % number for number in range(COUNT)]
    frame = inputs(*(WireMessage(payload, "application/json") for payload in payloads))
    await fed(call, frame, expected="application/json")
    found, done, failed, text = await failure(call)
    assert found == [b'{"n":%d}' % (2 * number) for number in range(250)]
    assert (done, failed) == (250, "250")
    assert text.startswith("Invoker: input number: this application/json cannot be read as dict")


async def test_a_type_that_cannot_be_read_is_named(host: "Host") -> None:
    call = (await host(plain)).batch()
    types = ["text/plain", "text/plain", "image/png", "text/plain"]
    await fed(call, inputs(*(WireMessage(b"1", type_) for type_ in types)))
    _, done, failed, text = await failure(call)
    assert (done, failed) == (2, "2")
    assert text.startswith("Invoker: Unsupported Media Type: ")


async def test_the_first_that_failed_is_named_where_a_later_one_has_failed_as_well(
    host: "Host",
) -> None:
    """What the function gives is written behind its back, so it may be further."""

    def odd(text: str) -> Any:
        if text == "4":
            raise ValueError("later")
        return {1} if text == "2" else text

    call = (await host(odd)).batch()
    await fed(call, texts(-1, 10))
    payloads, done, failed, text = await failure(call)
    assert (payloads, done, failed) == ([b"0", b"1"], 2, "2")
    assert "later" not in text


async def test_outputs_of_the_input_that_failed_do_not_make_it_done(host: "Host") -> None:
    def some(text: str) -> Iterator[str]:
        yield text
        yield plain(text)

    call = (await host(some)).batch()
    await fed(call, texts(1, 3))
    payloads, done, failed, _ = await failure(call)
    assert (payloads, done, failed) == ([b"0", b"0", b"bad"], 1, "1")


@pytest.mark.parametrize("text", ["€" * 5000, "😀" * 900, "lone \udc80"])
async def test_the_number_comes_whatever_the_reason_says(host: "Host", text: str) -> None:
    """A client refuses headers that are too long, at random where they are so by little."""

    def fail(_: str) -> str:
        raise ValueError(text)

    invoker = await host(fail)
    for _ in range(10):
        call = invoker.batch()
        await fed(call, texts(-1, 1))
        _, _, failed, reason = await failure(call)
        assert failed == "0"
        assert reason.startswith(
            ("ValueError: €€€€", "ValueError: 😀😀😀", "ValueError: lone \\udc80")
        )


async def test_a_function_of_streams_names_none(host: "Host") -> None:
    def stream(texts: Iterator[str]) -> Iterator[str]:
        return map(plain, texts)

    async def stream_async(texts: AsyncIterator[str]) -> AsyncIterator[str]:
        async for text in texts:
            yield plain(text)

    def unwritten(texts: Iterator[str]) -> Iterator[Any]:
        return map(unwritable, texts)

    for function in (stream, stream_async, unwritten):
        call = (await host(function)).batch()
        await fed(call, texts(2, 3))
        payloads, done, failed, _ = await failure(call)
        assert (payloads, done, failed) == ([b"0", b"1"], 0, None)


async def test_a_failure_that_is_not_that_of_an_input_names_none(host: "Host") -> None:
    invoker = await host(plain)
    refused = invoker.batch()
    await fed(refused, Inputs(messages=texts(-1, 1).messages, arg_index=[1]))
    assert (await failure(refused))[2] is None
    impossible = invoker.batch()
    await fed(impossible, expected="image/png")
    _, _, failed, text = await failure(impossible)
    assert failed is None
    assert text.startswith("Invoker: Not Acceptable: ")
    several = invoker.batch()
    await several.start(inputs=["a", "b"])
    assert (await failure(several))[2] is None


async def test_riffs_protocol_is_as_it_was(host: "Host") -> None:
    call = (await host(plain)).riff()
    await call.start()
    await call.send(b"1", BAD.encode())
    assert await call.status() == (grpc.StatusCode.UNKNOWN, "ValueError: no good")
    assert FAILED_INPUT not in dict(await call.call.trailing_metadata())


@pytest.mark.parametrize("function", [plain, plain_async, generator])
async def test_a_host_says_at_once_that_it_reports_inputs(
    host: "Host", function: Callable[..., Any]
) -> None:
    call = (await host(function)).batch()
    assert (await call.call.initial_metadata()).get(REPORTS_INPUTS) == "true"
    call.call.cancel()


async def test_a_call_that_fails_at_once_says_in_its_trailers_that_inputs_are_reported(
    host: "Host",
) -> None:
    call = (await host(plain)).batch()
    await call.call.done_writing()
    assert (await call.status())[0] is grpc.StatusCode.INVALID_ARGUMENT
    assert dict(await call.call.trailing_metadata())[REPORTS_INPUTS] == "true"


async def test_a_host_says_at_once_that_it_cannot_report_inputs(host: "Host") -> None:
    def stream(texts: Iterator[str]) -> Iterator[str]:
        return texts

    call = (await host(stream)).batch()
    assert (await call.call.initial_metadata()).get(REPORTS_INPUTS) == "false"
    call.call.cancel()
