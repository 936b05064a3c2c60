"""What is known of a call that failed: with the invoker as a process, and hosts of other makers."""

import asyncio
import logging
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from textwrap import dedent
from typing import Any

import grpc
import pytest

from penstock.plugin import Message, NotReady
from penstock.wire.call_metadata import FAILED_INPUT, REPORTS_INPUTS
from penstock.wire.channel import SERVER_OPTIONS
from penstock.wire.protocol.function_pb2 import InputFrames, OutputFrames
from penstock.wire.protocol.function_pb2_grpc import (
    BatchFunctionServicer,
    add_BatchFunctionServicer_to_server,
)
from penstock_sidecar.engine.commands import Part
from penstock_sidecar.function import FunctionCall, FunctionFailed, FunctionHost, Start

FUNCTIONS = dedent(
    """
    import os
    from collections.abc import AsyncIterator, Iterator


    def value(text: str) -> str:
        if text == "bad":
            raise ValueError("no good:\\n" + text)
        return text


    async def value_async(text: str) -> str:
        return value(text)


    def generator(text: str) -> Iterator[str]:
        yield value(text)


    def record(one: dict[str, int]) -> str:
        return str(one["n"])


    def typed(text: str) -> int:
        return text if text == "bad" else int(text)


    def unacceptable(text: str):
        return {"no": "text"} if text == "bad" else text


    def stream(texts: Iterator[str]) -> Iterator[str]:
        return map(value, texts)


    def crash(text: str) -> str:
        if text == "bad":
            os._exit(7)
        return text
    """
)
START = Start(["text/plain"], ["in"], ["out"])
PATIENCE = 10.0
COUNT = 500

Serve = Callable[..., "Invoker"]
Connect = Callable[..., Any]


class Invoker:
    """A function's host, as a process that can be killed and started again."""

    def __init__(self, folder: Path, function: str, port: int) -> None:
        self.address = f"127.0.0.1:{port}"
        self._folder = folder
        self._command = (
            *(sys.executable, "-m", "penstock_invoker", f"failing:{function}"),
            *("--host", "127.0.0.1", "--port", str(port)),
        )
        self.start()

    def start(self) -> None:
        with (self._folder / "log").open("w") as log:
            self.process = subprocess.Popen(self._command, cwd=self._folder, stderr=log)

    @property
    def log(self) -> str:
        """What it has written to standard error since it was started."""
        return (self._folder / "log").read_text()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def serve(tmp_path: Path, free_port: int) -> Iterator[Serve]:
    """Serves a function of `FUNCTIONS` in a process."""
    (tmp_path / "failing.py").write_text(FUNCTIONS)
    started: list[Invoker] = []

    def start(function: str) -> Invoker:
        started.append(Invoker(tmp_path, function, free_port))
        return started[-1]

    yield start
    for one in started:
        one.kill()


@pytest.fixture
async def find() -> AsyncIterator[Connect]:
    """Finds a host."""
    hosts: list[FunctionHost] = []

    async def one(address: str, **options: Any) -> FunctionHost:
        hosts.append(FunctionHost(address, START, **options))
        async with asyncio.timeout(PATIENCE):
            await hosts[-1].find()
        return hosts[-1]

    yield one
    for host in hosts:
        await host.close()


def texts(bad: int, count: int = COUNT) -> list[Message]:
    payloads = ["bad" if number == bad else str(number) for number in range(count)]
    return [Message(payload.encode(), "text/plain") for payload in payloads]


class Ended:
    """A call that was read to its end: what it gave, and why it failed."""

    def __init__(self) -> None:
        self.payloads: list[bytes] = []
        self.done = 0
        self.failure: FunctionFailed | None = None

    @property
    def error(self) -> FunctionFailed:
        assert self.failure, "the call ended well"
        return self.failure


async def until(condition: Callable[[], bool]) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(PATIENCE):
        while True:
            if condition():
                return
            await asyncio.sleep(0.005)


async def read(call: FunctionCall) -> Ended:
    """Read a call to its end."""
    ended = Ended()
    try:
        async with asyncio.timeout(PATIENCE):
            while (outputs := await call.read()) is not None:
                ended.payloads += [message.payload for message in outputs.messages]
                ended.done = max(ended.done, outputs.inputs_done)
    except FunctionFailed as error:
        ended.failure = error
    return ended


async def called(call: FunctionCall, *batches: Sequence[Message]) -> Ended:
    for batch in batches:
        assert await call.write([Part(0, batch)])
    return await read(call)


@pytest.mark.parametrize("bad", [0, 250, COUNT - 1], ids=["first", "middle", "last"])
@pytest.mark.parametrize(
    ("function", "reason"),
    [
        ("value", "UNKNOWN: ValueError: no good: bad"),
        ("value_async", "UNKNOWN: ValueError: no good: bad"),
        ("generator", "UNKNOWN: ValueError: no good: bad"),
        ("typed", "declared to give int, and gave str"),
        ("unacceptable", "INVALID_ARGUMENT: Invoker: Not Acceptable: output out"),
    ],
)
async def test_the_input_that_failed_is_known_and_what_came_before_it(
    serve: Serve, find: Connect, function: str, reason: str, bad: int
) -> None:
    invoker = serve(function)
    host = await find(invoker.address)
    ended = await called(host.call(), texts(bad))
    assert ended.payloads == [b"%d" % number for number in range(bad)]
    assert (ended.done, ended.error.input) == (bad, bad)
    assert reason in str(ended.error)
    assert "\n" not in str(ended.error)
    assert ended.error.retryable is (function != "unacceptable")
    if "ValueError" in reason:
        assert "Traceback" in invoker.log


async def test_json_that_cannot_be_parsed_in_the_middle_of_a_batch(
    serve: Serve, find: Connect
) -> None:
    host = await find(serve("record").address)
    payloads = [b'{"n": ' if number == 250 else b'{"n": %d}' % number for number in range(COUNT)]
    batch = [Message(payload, "application/json") for payload in payloads]
    ended = await called(host.call(), batch)
    assert ended.payloads == [b"%d" % number for number in range(250)]
    assert (ended.done, ended.error.input, ended.error.retryable) == (250, 250, True)


async def test_a_type_that_cannot_be_read_is_not_worth_another_try(
    serve: Serve, find: Connect
) -> None:
    host = await find(serve("value").address)
    batch = [*texts(-1, 3), Message(b"4", "image/png")]
    ended = await called(host.call(), batch)
    assert (ended.done, ended.error.input, ended.error.retryable) == (3, 3, False)
    assert "INVALID_ARGUMENT: Invoker: Unsupported Media Type: input in is image/png" in str(
        ended.error
    )


@pytest.mark.parametrize("function", ["value", "value_async"])
async def test_the_number_survives_a_failure_that_meets_a_write(
    serve: Serve, find: Connect, function: str
) -> None:
    """Where the failure finds the writing is chance: in a write, before one, or after it."""
    host = await find(serve(function).address)
    met = 0
    for turn in range(60):
        call = host.call()
        bad = 1000 + 10 * turn
        reading = asyncio.create_task(read(call))
        written = 0
        while await call.write([Part(0, texts(bad - written, 100))]):
            written += 100
        met += 1
        ended = await reading
        assert ended.payloads == [b"%d" % (number % 100) for number in range(bad)]
        assert (ended.done, ended.error.input) == (bad, bad)
        assert "ValueError: no good: bad" in str(ended.error)
    assert met == 60


async def test_parts_of_several_inputs_are_counted_as_they_were_written(
    functions: Any, find: Connect
) -> None:
    """As a host sees them: one after the other, whatever input each is of."""
    made = await hosted(functions, Failing(at=4))
    host = await find(made)
    call = host.call()
    assert await call.write([Part(1, texts(-1, 3)), Part(0, texts(-1, 1)), Part(1, texts(-1, 2))])
    ended = await read(call)
    assert ended.error.input == 4


async def test_a_function_of_streams_names_no_input(serve: Serve, find: Connect) -> None:
    host = await find(serve("stream").address)
    call = host.call()
    assert call.reports is False
    ended = await called(call, texts(2, 4))
    assert (ended.payloads, ended.error.input) == ([b"0", b"1"], None)
    assert ended.error.retryable


async def test_over_riffs_protocol_no_input_is_named(serve: Serve, find: Connect) -> None:
    host = await find(serve("value").address, batches=False)
    call = host.call()
    assert (host.reports, call.reports) == (False, False)
    ended = await called(call, texts(2, 4))
    assert (ended.payloads, ended.error.input) == ([b"0", b"1"], None)
    unsupported = await called(host.call(), [Message(b"4", "image/png")])
    assert (unsupported.error.input, unsupported.error.retryable) == (None, False)


class Failing(BatchFunctionServicer):
    """A host of another maker, which ends each call when it has had its first messages."""

    def __init__(
        self,
        at: object = None,
        code: grpc.StatusCode = grpc.StatusCode.UNKNOWN,
        details: str = "boom",
        reports: str | None = None,
        answer: str | None = None,
    ) -> None:
        self._metadata = () if at is None else ((FAILED_INPUT, str(at)),)
        self._status = code, details
        self._reports = reports
        self._answer = () if answer is None else ((REPORTS_INPUTS, answer),)

    async def Invoke(  # noqa: N802 - as the stubs have it
        self,
        request_iterator: AsyncIterator[InputFrames],
        context: grpc.aio.ServicerContext[InputFrames, OutputFrames],
    ) -> AsyncIterator[OutputFrames]:
        if await anext(request_iterator, None) is None:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "no start", self._answer)
        if self._reports:
            await context.send_initial_metadata(((REPORTS_INPUTS, self._reports),))
        await anext(request_iterator)
        yield OutputFrames(inputs_done=1)
        await context.abort(*self._status, self._metadata)


async def hosted(functions: Any, servicer: Failing) -> str:
    server = grpc.aio.server(options=SERVER_OPTIONS)
    add_BatchFunctionServicer_to_server(servicer, server)
    served = await functions._start(server, [], 0)
    address: str = served.address
    return address


@pytest.mark.parametrize("at", ["", "-1", "x", "1.5", 6, 10**30])
async def test_a_number_that_no_input_has_is_not_believed(
    functions: Any, find: Connect, at: object
) -> None:
    host = await find(await hosted(functions, Failing(at)))
    ended = await called(host.call(), texts(-1, 6))
    assert ended.error.input is None
    assert str(ended.error) == "the function failed with UNKNOWN: boom"


async def test_a_deadline_of_the_hosts_own_is_a_failure_of_the_function(
    functions: Any, find: Connect
) -> None:
    code = grpc.StatusCode.DEADLINE_EXCEEDED
    host = await find(await hosted(functions, Failing(1, code, "too slow")))
    ended = await called(host.call(), texts(-1, 2))
    assert (ended.error.input, ended.error.retryable) == (1, True)


@pytest.mark.parametrize(("answer", "reports"), [("true", True), ("false", False)])
async def test_a_host_may_answer_in_the_trailers_of_the_question(
    functions: Any, find: Connect, answer: str, reports: bool
) -> None:
    host = await find(await hosted(functions, Failing(answer=answer)))
    assert host.reports is reports


async def test_a_host_that_says_so_after_the_start_reports_inputs(
    functions: Any, find: Connect
) -> None:
    for said, reports in (("true", True), ("false", False), (None, False)):
        host = await find(await hosted(functions, Failing(reports=said)))
        call = host.call()
        assert (host.reports, call.reports) == (None, None)
        assert await call.write([Part(0, texts(-1, 1))])
        await call.read()
        assert call.reports is reports


async def test_a_host_that_is_killed_is_found_again_at_its_port(
    serve: Serve, find: Connect, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    invoker = serve("value")
    host = await find(invoker.address)
    caplog.clear()
    call = host.call()
    assert await call.write([Part(0, texts(-1, 2))])
    assert await call.read()
    reading = asyncio.create_task(read(call))
    invoker.kill()
    with pytest.raises(NotReady, match=f"the function at {invoker.address} is gone"):
        await reading
    finding = asyncio.create_task(host.find())
    await until(lambda: "waiting: the function has not opened its port" in caplog.text)
    lost = host.call()
    await lost.write([Part(0, texts(-1, 1))])
    with pytest.raises(NotReady):
        await read(lost)
    invoker.start()
    async with asyncio.timeout(PATIENCE):
        await finding
    assert caplog.text.count("waiting: ") == 1
    ended = await called(host.call(), texts(1, 2))
    assert (ended.payloads, ended.error.input) == ([b"0"], 1)


async def test_a_function_that_ends_its_process_is_gone(serve: Serve, find: Connect) -> None:
    host = await find(serve("crash").address)
    with pytest.raises(NotReady):
        await called(host.call(), texts(2, 3))


@pytest.mark.parametrize("function", ["value", "value_async", "generator"])
async def test_our_invoker_is_known_to_report_inputs_before_anything_is_written(
    serve: Serve, find: Connect, function: str
) -> None:
    host = await find(serve(function).address)
    assert (host.reports, host.call().reports) == (True, True)


async def test_a_reason_is_one_line_of_bounded_length(functions: Any, find: Connect) -> None:
    stack = "Bad\n\tat com.example.Function\n" * 1000
    host = await find(await hosted(functions, Failing(details=stack)))
    ended = await called(host.call(), texts(-1, 1))
    text = str(ended.error)
    assert text.startswith("the function failed with UNKNOWN: Bad at com.example.Function Bad at")
    assert len(text) == 2000
    assert "\n" not in text
