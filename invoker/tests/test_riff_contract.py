"""What an invoker owes, sentence by sentence, over riff's protocol."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

import grpc
import pytest

from penstock.wire.protocol.riff_pb2 import InputSignal, StartFrame
from penstock_invoker import Output

if TYPE_CHECKING:
    from invoker.tests.conftest import Host

INVALID = grpc.StatusCode.INVALID_ARGUMENT
UNKNOWN = grpc.StatusCode.UNKNOWN


def upper(text: str) -> str:
    if text == "fail":
        raise ValueError("not this text")
    return text.upper()


def raw(payload: bytes) -> bytes:
    return payload


def anything(value):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN201 - that is the test
    return value


async def average(numbers: AsyncIterator[float]) -> AsyncIterator[float]:
    read = [number async for number in numbers]
    yield sum(read) / len(read)


async def echo_both(
    left: AsyncIterator[str], right: AsyncIterator[str]
) -> tuple[AsyncIterator[str], AsyncIterator[str]]:
    return left, right


async def test_a_function_is_applied_to_each_message(host: "Host") -> None:
    invoker = await host(upper)
    given = await invoker.invoke(invoker.riff(), [b"a", b"b"])
    assert given == [(b"A", "text/plain", 0, {}), (b"B", "text/plain", 0, {})]


async def test_without_a_start_the_call_fails_and_the_process_lives(host: "Host") -> None:
    called = threading.Event()

    def note(text: str) -> str:
        called.set()
        return text

    invoker = await host(note)
    early = invoker.riff()
    await early.send(b"a")
    code, text = await early.status()
    assert (code, text.startswith("Invoker: a call begins with its start")) == (INVALID, True)
    assert not called.is_set()
    assert await invoker.invoke(invoker.riff(), [b"a"])


async def test_a_call_without_any_frame_fails(host: "Host") -> None:
    call = (await host(upper)).riff()
    await call.end()
    assert (await call.status())[0] == INVALID


async def test_an_empty_signal_is_no_start(host: "Host") -> None:
    call = (await host(upper)).riff()
    await call.call.write(InputSignal())
    assert (await call.status())[0] == INVALID


async def test_a_second_start_fails_the_call_and_the_process_lives(host: "Host") -> None:
    invoker = await host(upper)
    call = invoker.riff()
    await call.start()
    await call.send(b"a")
    await call.call.write(InputSignal(start=StartFrame(expectedContentTypes=["text/plain"])))
    code, text = await call.status()
    assert (code, text.startswith("Invoker: a call has one start")) == (INVALID, True)
    assert await invoker.invoke(invoker.riff(), [b"a"])


async def test_nothing_is_done_before_the_start(host: "Host") -> None:
    calls = 0

    async def eager(numbers: AsyncIterator[str]) -> AsyncIterator[str]:
        nonlocal calls
        calls += 1
        yield "first"
        async for number in numbers:
            yield number

    invoker = await host(eager)
    waiting, other = invoker.riff(), invoker.riff()
    await other.start()
    assert await other.receive() == (b"first", "text/plain", 0, {})
    assert calls == 1
    await waiting.start()
    assert await waiting.receive() == (b"first", "text/plain", 0, {})


@pytest.mark.parametrize(
    ("expected", "content_type"),
    [
        ("text/plain", "text/plain"),
        ("application/json, text/plain", "application/json"),
        ("image/png, text/plain", "text/plain"),
        ("text/*", "text/plain"),
        ("*/*", "text/plain"),
        ("application/*", "application/json"),
        ("", "application/octet-stream"),
    ],
)
async def test_each_output_has_the_first_expected_type_that_can_be_produced(
    host: "Host", expected: str, content_type: str
) -> None:
    invoker = await host(upper)
    [given] = await invoker.invoke(invoker.riff(), [b"a"], expected=[expected])
    assert given.content_type == content_type


async def test_each_output_has_a_type_of_its_own(host: "Host") -> None:
    invoker = await host(echo_both)
    sent = [(b"a", "text/plain", 0), (b"b", "text/plain", 1)]
    expected = ["text/plain", "application/json"]
    given = await invoker.invoke(invoker.riff(), sent, expected=expected)
    assert sorted(given) == [(b'"b"', "application/json", 1, {}), (b"a", "text/plain", 0, {})]


@pytest.mark.parametrize("expected", ["image/png", "image/*", "nonsense", "image/png, video/mp4"])
async def test_a_type_that_cannot_be_produced_is_not_acceptable(
    host: "Host", expected: str
) -> None:
    invoker = await host(upper)
    code, text = await invoker.refused(invoker.riff(), [], expected=[expected])
    assert code == INVALID
    assert text.startswith("Invoker: Not Acceptable")
    assert expected in text
    assert "text/plain" in text  # what it could be


async def test_a_value_of_no_declared_type_is_not_acceptable_when_it_is_there(
    host: "Host",
) -> None:
    invoker = await host(anything)
    sent = [(b"[1]", "application/json")]
    code, text = await invoker.refused(invoker.riff(), sent, expected=["text/plain"])
    assert (code, text.startswith("Invoker: Not Acceptable")) == (INVALID, True)


@pytest.mark.parametrize("content_type", ["image/png", "text", "text/plain; charset=klingon"])
async def test_an_input_type_that_cannot_be_read_is_unsupported(
    host: "Host", content_type: str
) -> None:
    invoker = await host(upper)
    code, text = await invoker.refused(invoker.riff(), [(b"a", content_type)])
    assert code == INVALID
    assert text.startswith("Invoker: Unsupported Media Type")
    assert content_type in text


async def test_a_value_that_cannot_be_read_is_unknown(host: "Host") -> None:
    invoker = await host(average)
    sent = [(b"many", "application/json")]
    code, text = await invoker.refused(invoker.riff(), sent, expected=["application/json"])
    assert code == UNKNOWN
    assert text.startswith("Invoker: input numbers: this application/json cannot be read as float")


async def test_a_value_that_cannot_be_written_is_unknown(host: "Host") -> None:
    invoker = await host(upper)
    sent = [("€".encode(), "text/plain")]
    expected = ["text/plain; charset=iso-8859-1"]
    code, text = await invoker.refused(invoker.riff(), sent, expected=expected)
    assert code == UNKNOWN
    assert "cannot be written as text/plain; charset=iso-8859-1: UnicodeEncodeError" in text


async def test_a_missing_content_type_means_octet_stream(host: "Host") -> None:
    invoker = await host(anything)
    sent = [(b"\xff\x00", "")]
    given = await invoker.invoke(invoker.riff(), sent, expected=["application/octet-stream"])
    assert given == [(b"\xff\x00", "application/octet-stream", 0, {})]


async def test_the_charset_of_a_text_is_honoured_in_and_out(host: "Host") -> None:
    invoker = await host(upper)
    sent = [("é".encode("latin-1"), "text/plain;charset=ISO-8859-1")]
    given = await invoker.invoke(invoker.riff(), sent, expected=["text/plain;charset=utf-16-le"])
    assert given == [("É".encode("utf-16-le"), "text/plain;charset=utf-16-le", 0, {})]


async def test_bytes_of_any_type_are_taken_and_given_as_they_are(host: "Host") -> None:
    invoker = await host(raw)
    sent = [(b"\xff\x00", "image/png"), (b"\xe9", "text/plain; charset=latin-1")]
    given = await invoker.invoke(invoker.riff(), sent, expected=["image/png"])
    assert [one.payload for one in given] == [b"\xff\x00", b"\xe9"]
    assert {one.content_type for one in given} == {"image/png"}


async def test_reading_inputs_never_waits_for_writing_outputs(host: "Host") -> None:
    """Ten times what the buffers hold goes in before the first output is taken."""
    count, size = 5000, 32 * 1024
    invoker = await host(raw)
    call = invoker.batch()
    await call.start(["application/octet-stream"])
    frame = [(bytes(size), "application/octet-stream")] * 100
    for _ in range(count // 100):
        async with asyncio.timeout(10):
            await call.send(*frame)
    await call.end()
    assert len(await call.rest()) == count


async def test_order_is_kept_for_each_argument_and_each_result(host: "Host") -> None:
    invoker = await host(echo_both)
    sent = [(b"%d" % number, "text/plain", number % 2) for number in range(400)]
    given = await invoker.invoke(invoker.riff(), sent, expected=["text/plain"] * 2)
    for index in (0, 1):
        numbers = [int(one.payload) for one in given if one.output == index]
        assert numbers == list(range(index, 400, 2))


async def test_calls_run_at_the_same_time_and_share_no_state(host: "Host") -> None:
    invoker = await host(average)
    calls = [invoker.riff() for _ in range(20)]
    for call in calls:
        await call.start(["application/json"])
    for number in range(3):
        for index, call in enumerate(calls):
            await call.send((b"%d" % (index + number), "application/json"))
    for index, call in enumerate(calls):
        await call.end()
        [given] = await call.rest()
        assert float(given.payload) == index + 1


async def test_blocking_functions_run_at_the_same_time(host: "Host") -> None:
    together = threading.Barrier(20)

    def meet(text: str) -> str:
        together.wait(10)
        return text

    invoker = await host(meet)
    calls = [invoker.invoke(invoker.riff(), [b"a"]) for _ in range(20)]
    assert len(await asyncio.gather(*calls)) == 20


async def test_the_call_ends_when_the_last_output_ends(host: "Host") -> None:
    async def split(
        numbers: AsyncIterator[int],
    ) -> tuple[AsyncIterator[str], AsyncIterator[int]]:
        async def none() -> AsyncIterator[str]:
            for text in tuple[str, ...]():
                yield text

        return none(), numbers

    call = (await host(split)).riff()
    await call.start(["text/plain", "text/plain"])
    for number in (b"1", b"2"):
        await call.send(number)
        assert await call.receive() == (number, "text/plain", 1, {})
    await call.end()
    assert await call.receive() is None


async def test_a_function_that_has_had_enough_ends_the_call(host: "Host") -> None:
    async def first(texts: AsyncIterator[str]) -> str:
        return await anext(texts)

    call = (await host(first)).riff()
    await call.start()
    await call.send(b"a", b"b")
    assert [one.payload for one in await call.rest()] == [b"a"]
    assert (await call.status())[0] == grpc.StatusCode.OK


@pytest.mark.parametrize("blocking", [False, True])
async def test_an_error_on_any_output_ends_the_call_at_once(
    host: "Host", *, blocking: bool
) -> None:
    async def split(
        left: AsyncIterator[str], right: AsyncIterator[str]
    ) -> tuple[AsyncIterator[str], AsyncIterator[str]]:
        async def fail() -> AsyncIterator[str]:
            async for text in right:
                if text == "gone":
                    raise LookupError(text)
                yield text

        return left, fail()

    def split_blocking(
        left: Iterator[str], right: Iterator[str]
    ) -> tuple[Iterator[str], Iterator[str]]:
        def fail() -> Iterator[str]:
            for text in right:
                if text == "gone":
                    raise LookupError(text)
                yield text

        return left, fail()

    call = (await host(split_blocking if blocking else split)).riff()
    await call.start(["text/plain"] * 2)
    await call.send((b"a", "text/plain", 0), (b"gone", "text/plain", 1))
    assert await call.status() == (UNKNOWN, "LookupError: gone")


async def test_a_function_that_raises_ends_the_call_and_the_process_lives(
    host: "Host", capsys: pytest.CaptureFixture[str]
) -> None:
    invoker = await host(upper)
    call = invoker.riff()
    await call.start()
    await call.send(b"a", b"fail")
    assert await call.receive() == (b"A", "text/plain", 0, {})
    assert await call.status() == (UNKNOWN, "ValueError: not this text")
    assert [one.payload for one in await invoker.invoke(invoker.riff(), [b"c"])] == [b"C"]
    # The function's author sees where, and of the traceback only what is theirs.
    printed = capsys.readouterr().err
    assert "upper failed:" in printed
    assert 'raise ValueError("not this text")' in printed
    assert "thread_runner.py" not in printed


async def test_a_traceback_is_printed_once_however_often_a_message_is_tried(
    host: "Host", capsys: pytest.CaptureFixture[str]
) -> None:
    async def fail(text: str) -> str:
        raise ValueError(text)

    invoker = await host(fail)
    for text in (b"a", b"a", b"b", b"a"):
        for call in (invoker.riff(), invoker.batch()):
            await call.start()
            await call.send(text)
            assert (await call.status())[0] is UNKNOWN
    printed = capsys.readouterr().err
    assert printed.count("Traceback") == 2
    assert printed.count("ValueError: a\n") == printed.count("ValueError: b\n") == 1
    again = [line for line in printed.splitlines() if " failed again: " in line]
    assert len(again) == 6
    assert again[0].endswith("failed again: ValueError: a (its traceback is above)")


@pytest.mark.parametrize(
    ("blocking", "exit_"),
    [
        (True, SystemExit(3)),
        (True, StopIteration(3)),
        (False, SystemExit(3)),
        (False, asyncio.CancelledError(3)),
    ],
)
async def test_a_function_that_exits_ends_its_call_alone(
    host: "Host",
    capsys: pytest.CaptureFixture[str],
    exit_: BaseException,
    *,
    blocking: bool,
) -> None:
    def leave(_: str) -> str:
        raise exit_

    async def leave_async(_: str) -> str:
        raise exit_

    invoker = await host(leave if blocking else leave_async)
    expected = f"{type(exit_).__name__}: 3"
    assert await invoker.refused(invoker.riff(), [b"a"]) == (UNKNOWN, expected)
    assert (await invoker.refused(invoker.riff(), [b"a"]))[0] == UNKNOWN
    assert "FunctionExited" not in capsys.readouterr().err, "that is none of the author's"


async def test_an_input_that_does_not_exist_fails_the_call(host: "Host") -> None:
    invoker = await host(upper)
    for index in (1, -1):
        code, text = await invoker.refused(invoker.riff(), [(b"a", "text/plain", index)])
        assert (code, f"input {index}" in text) == (INVALID, True)


async def test_headers_come_in_and_go_out(host: "Host") -> None:
    invoker = await host(upper)
    [given] = await invoker.invoke(invoker.riff(), [(b"a", "text/plain", 0, {"trace": "1"})])
    assert given == (b"A", "text/plain", 0, {"trace": "1"})


async def test_a_call_of_another_shape_than_the_function_is_refused_at_once(
    host: "Host",
) -> None:
    invoker = await host(echo_both)
    code, text = await invoker.refused(invoker.riff(), [], ["text/plain"] * 2, ["left"])
    assert (code, text) == (
        INVALID,
        "Invoker: echo_both takes 2 inputs (left, right), and the call has 1 (left)",
    )
    code, text = await invoker.refused(invoker.riff(), [], ["text/plain"], ["left", "right"])
    assert (code, text) == (INVALID, "Invoker: echo_both gives 2 outputs, and the call has 1")


async def test_a_value_for_an_output_that_does_not_exist_fails_the_call(host: "Host") -> None:
    def route(text: str) -> Output[str]:
        return Output(text, text)

    invoker = await host(route)
    expected, outputs = ["text/plain"] * 2, ["here", "there"]
    call = invoker.riff()
    given = await invoker.invoke(call, [b"there", b"here"], expected, outputs=outputs)
    assert [(one.payload, one.output) for one in given] == [(b"there", 1), (b"here", 0)]
    code, text = await invoker.refused(invoker.riff(), [b"else"], expected, outputs=outputs)
    assert code == UNKNOWN
    assert text.endswith("gave a value for output else, and the call has outputs here, there")


async def test_a_processor_without_outputs_takes_functions_that_give_nothing(
    host: "Host",
) -> None:
    def sink(text: str) -> str | None:
        return text if text == "b" else None

    invoker = await host(sink)
    assert await invoker.invoke(invoker.riff(), [b"a"], expected=[]) == []
    code, text = await invoker.refused(invoker.riff(), [b"b"], expected=[])
    assert code == UNKNOWN
    assert text.endswith("gave a value for output 0, and the call has no outputs")
