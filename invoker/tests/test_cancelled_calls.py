"""Calls that end before their function does: its work stops, and nothing of it is left."""

import asyncio
import itertools
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

import grpc
import pytest

from penstock.wire.channel import open_channel
from penstock.wire.protocol.columns_pb2 import MessageColumns
from penstock.wire.protocol.riff_pb2 import InputFrame, InputSignal, StartFrame
from penstock.wire.protocol.riff_pb2_grpc import RiffStub
from penstock_invoker import CallCancelled
from penstock_invoker.arguments import match_arguments
from penstock_invoker.inbox import Inbox
from penstock_invoker.outbox import CAPACITY, Outbox
from penstock_invoker.runner import Runner
from penstock_invoker.signature import read_function
from penstock_invoker.task_runner import TaskRunner
from penstock_invoker.thread_runner import ThreadRunner

if TYPE_CHECKING:
    from invoker.tests.conftest import Host, Invoker

PATIENCE = 10.0


class Trace:
    """What a function leaves behind when it is stopped."""

    def __init__(self) -> None:
        self.thread = threading.current_thread()
        self.closed = threading.Event()
        self.error: BaseException | None = None

    async def wait_until_closed(self) -> None:
        assert await asyncio.to_thread(self.closed.wait, PATIENCE)

    async def wait_until_thread_ended(self) -> None:
        await asyncio.to_thread(self.thread.join, PATIENCE)
        assert not self.thread.is_alive()


async def cancel_after_one_output(host: "Host", function: object) -> None:
    assert callable(function)
    running = (await host(function)).riff()
    await running.start()
    await running.send(b"a")
    assert await running.receive() == (b"a", "text/plain", 0, {})
    running.call.cancel()


async def test_an_async_generator_is_cancelled_and_closed(host: "Host") -> None:
    trace = Trace()

    async def echo(texts: AsyncIterator[str]) -> AsyncIterator[str]:
        try:
            async for text in texts:
                yield text
        except BaseException as error:
            trace.error = error
            raise
        finally:
            await asyncio.sleep(0)  # what is asynchronous may be finished too
            trace.closed.set()

    await cancel_after_one_output(host, echo)
    await trace.wait_until_closed()
    assert isinstance(trace.error, asyncio.CancelledError)


async def test_a_coroutine_is_cancelled_where_it_waits(host: "Host") -> None:
    trace = Trace()
    entered = asyncio.Event()

    async def wait(text: str) -> str:
        entered.set()
        try:
            return text or await asyncio.Future()
        finally:
            trace.closed.set()

    running = (await host(wait)).riff()
    await running.start()
    await running.send(b"")
    async with asyncio.timeout(PATIENCE):
        await entered.wait()
    running.call.cancel()
    await trace.wait_until_closed()


async def test_a_generator_that_waits_for_input_is_told(host: "Host") -> None:
    traces: list[Trace] = []

    def echo(texts: Iterator[str]) -> Iterator[str]:
        trace = Trace()
        traces.append(trace)
        try:
            yield from texts
        except BaseException as error:
            trace.error = error
            raise
        finally:
            trace.closed.set()

    await cancel_after_one_output(host, echo)
    await traces[0].wait_until_closed()
    assert isinstance(traces[0].error, CallCancelled)
    await traces[0].wait_until_thread_ended()


async def test_a_function_that_reads_to_the_end_never_sees_a_false_end(host: "Host") -> None:
    traces: list[Trace] = []
    totals: list[int] = []

    entered = threading.Event()

    def total(numbers: Iterator[int]) -> int:
        traces.append(Trace())
        entered.set()
        totals.append(sum(numbers))
        return totals[-1]

    running = (await host(total)).riff()
    await running.start()
    await running.send(b"1")
    await asyncio.to_thread(entered.wait, PATIENCE)
    running.call.cancel()
    await traces[0].wait_until_thread_ended()
    assert totals == []


async def test_a_generator_that_gives_without_end_is_closed(host: "Host") -> None:
    traces: list[Trace] = []

    def endless(text: str) -> Iterator[str]:
        traces.append(Trace())
        try:
            while True:
                yield text
        except GeneratorExit as error:
            traces[0].error = error
            raise
        finally:
            traces[0].closed.set()

    await cancel_after_one_output(host, endless)
    await traces[0].wait_until_closed()
    assert isinstance(traces[0].error, GeneratorExit)
    await traces[0].wait_until_thread_ended()


@pytest.mark.parametrize("generator", [False, True])
async def test_a_function_of_values_is_not_called_again(*, generator: bool) -> None:
    seen: list[str] = []
    outbox = Outbox()

    def note(text: str) -> None:
        seen.append(text)
        outbox.close()

    def note_and_give_nothing(text: str) -> Iterator[str]:
        note(text)
        yield from ()

    inbox = Inbox(1, on_change=outbox.wake)
    function = read_function("note", note_and_give_nothing if generator else note)
    runner = ThreadRunner(function, match_arguments(function, ["texts"]), inbox, outbox)
    inbox.put(0, MessageColumns(payload=[b"a", b"b"], content_type=["text/plain"]))
    runner.start()
    while outbox.running:
        await outbox.wait(PATIENCE)
    assert seen == ["a"]


@pytest.mark.parametrize("blocking", [False, True])
async def test_a_function_whose_outputs_nobody_takes_is_held_up(*, blocking: bool) -> None:
    def count(_: str) -> Iterator[int]:
        yield from itertools.count()

    async def count_async(_: str) -> AsyncIterator[int]:
        for number in itertools.count():
            yield number

    outbox = Outbox()
    inbox = Inbox(1, on_change=outbox.wake)
    function = read_function("count", count if blocking else count_async)
    kind: type[Runner] = ThreadRunner if blocking else TaskRunner
    runner = kind(function, match_arguments(function, ["texts"]), inbox, outbox)
    inbox.put(0, MessageColumns(payload=[b"a"], content_type=["text/plain"]))
    runner.start()
    for round_ in range(3):
        while len(outbox.items) < CAPACITY:
            await outbox.wait(PATIENCE)
        taken = outbox.drain()
        assert [value for _, _, value in taken] == [
            round_ * CAPACITY + number for number in range(CAPACITY)
        ]
    runner.cancel()
    outbox.close()
    inbox.close()
    while outbox.running:
        await outbox.wait(PATIENCE)


async def test_an_async_function_that_never_waits_leaves_the_others_their_turn() -> None:
    async def note(text: str) -> str:
        return text

    outbox = Outbox()
    inbox = Inbox(1, on_change=outbox.wake)
    function = read_function("note", note)
    runner = TaskRunner(function, match_arguments(function, ["texts"]), inbox, outbox)
    for _ in range(2):
        inbox.put(0, MessageColumns(payload=[b"a"] * 10, content_type=["text/plain"]))
    inbox.end()
    runner.start()
    await outbox.wait(PATIENCE)
    assert outbox.inputs_done == 10
    await runner.ended()
    assert outbox.inputs_done == 20


async def test_a_message_that_cannot_be_read_is_not_the_functions_to_forgive(
    host: "Host",
) -> None:
    def forgiving(numbers: Iterator[int]) -> Iterator[str]:
        while True:
            try:
                yield str(next(numbers))
            except StopIteration:
                return
            except Exception as error:  # noqa: BLE001 - that is the test
                yield str(error)

    async def forgiving_async(numbers: AsyncIterator[int]) -> AsyncIterator[str]:
        while True:
            try:
                yield str(await anext(numbers))
            except StopAsyncIteration:
                return
            except Exception as error:  # noqa: BLE001 - that is the test
                yield str(error)

    for function in (forgiving, forgiving_async):
        code, text = await (invoker := await host(function)).refused(
            invoker.riff(), [b"1", b"many"]
        )
        assert code == grpc.StatusCode.UNKNOWN
        assert "this text/plain cannot be read as int" in text


@pytest.mark.parametrize("blocking", [False, True])
async def test_a_client_that_is_gone_ends_its_call(host: "Host", *, blocking: bool) -> None:
    """Its channel is closed, in the middle of outputs that it does not read."""
    traces: list[Trace] = []

    def endless(_: str) -> Iterator[bytes]:
        traces.append(Trace())
        try:
            while True:
                yield bytes(10_000)
        finally:
            traces[0].closed.set()

    async def endless_async(_: str) -> AsyncIterator[bytes]:
        traces.append(Trace())
        try:
            while True:
                yield bytes(10_000)
        finally:
            traces[0].closed.set()

    invoker = await host(endless if blocking else endless_async)
    async with open_channel(invoker.server.address) as channel:
        running = RiffStub(channel).Invoke()
        start = StartFrame(expectedContentTypes=["application/octet-stream"])
        await running.write(InputSignal(start=start))
        await running.write(InputSignal(data=InputFrame(payload=b"a", contentType="text/plain")))
        await running.read()
    await traces[0].wait_until_closed()


async def test_stopping_lets_running_calls_end_and_takes_no_new_ones(host: "Host") -> None:
    entered, go_on = threading.Event(), threading.Event()

    def wait(text: str) -> str:
        entered.set()
        go_on.wait(PATIENCE)
        return text

    invoker = await host(wait)
    running = invoker.riff()
    await running.start()
    await running.send(b"a")
    await running.end()
    await asyncio.to_thread(entered.wait, PATIENCE)
    stopping = asyncio.create_task(invoker.server.stop(PATIENCE))
    async with asyncio.timeout(PATIENCE):
        while await late(invoker) != grpc.StatusCode.UNAVAILABLE:
            pass
    go_on.set()
    assert await running.rest() == [(b"a", "text/plain", 0, {})]
    await stopping


async def late(invoker: "Invoker") -> grpc.StatusCode:
    """The status of a call over a new connection, which would be refused for what it expects."""
    async with open_channel(invoker.server.address) as channel:
        call = RiffStub(channel).Invoke()
        with suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
            await call.write(InputSignal(start=StartFrame(expectedContentTypes=["nonsense"])))
        return await call.code()


async def test_stopping_cancels_what_is_left_after_the_grace(host: "Host") -> None:
    trace = Trace()
    entered = asyncio.Event()

    async def wait(_: str) -> str:
        entered.set()
        try:
            return await asyncio.Future()
        finally:
            trace.closed.set()

    invoker = await host(wait)
    running = invoker.riff()
    await running.start()
    await running.send(b"a")
    async with asyncio.timeout(PATIENCE):
        await entered.wait()
        await invoker.server.stop(0.01)
        await trace.wait_until_closed()
    assert (await running.status())[0] == grpc.StatusCode.UNAVAILABLE
