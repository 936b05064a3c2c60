"""The client of the function's host, over either protocol."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from typing import Any, Protocol

import grpc
import pytest

from penstock.plugin import Message, NotReady
from penstock_sidecar.engine.commands import Part
from penstock_sidecar.function import FunctionCall, FunctionFailed, FunctionHost, Outputs, Start

Item = tuple[int, Message]
Stream = Callable[[AsyncIterator[Item]], Any]
START = Start(["text/plain"], ["in"], ["out"])
MESSAGE = Message(b"x" * 1000, "text/plain")


class Served(Protocol):
    address: str
    server: grpc.aio.Server


class Functions(Protocol):
    async def riff(self, function: Stream, port: int = 0) -> Served: ...
    async def streams(self, function: Stream, port: int = 0) -> Served: ...


Serve = Callable[[Stream], Any]


@pytest.fixture(params=["riff", "streams"])
def serve(request: pytest.FixtureRequest, functions: Functions) -> Serve:
    """Serves a function over either protocol."""
    return functions.riff if request.param == "riff" else functions.streams


@pytest.fixture
async def connect() -> AsyncIterator[Callable[[str], Any]]:
    """Connects to a host."""
    hosts: list[FunctionHost] = []

    async def one(address: str) -> FunctionHost:
        hosts.append(FunctionHost(address, START))
        await hosts[-1].connect()
        return hosts[-1]

    yield one
    for host in hosts:
        await host.close()


async def read_all(call: FunctionCall, found: list[Message]) -> None:
    """Read a call to its end."""
    async with asyncio.timeout(10):
        while outputs := await call.read():
            found += outputs.messages


async def write_on(call: FunctionCall) -> None:
    """Write until the call takes no more."""
    while await call.write([Part(0, [MESSAGE])]):
        pass


async def test_a_failure_in_the_middle_of_writing_is_the_one_that_the_function_gave(
    serve: Serve, connect: Callable[[str], Any]
) -> None:
    async def fail(items: AsyncIterator[Item]) -> AsyncIterator[Item]:
        await anext(items)
        for _ in range(5):
            yield 0, MESSAGE
        raise ValueError("boom")

    host = await connect((await serve(fail)).address)
    # Where the failure finds the writing is chance.
    for _ in range(30):
        call = host.call()
        writing = asyncio.create_task(write_on(call))
        found: list[Message] = []
        with pytest.raises(FunctionFailed, match=r"UNKNOWN: .*boom"):
            await read_all(call, found)
        assert len(found) == 5
        await writing


async def test_a_call_that_ends_well_in_the_middle_of_writing_has_ended_well(
    serve: Serve, connect: Callable[[str], Any]
) -> None:
    async def first(items: AsyncIterator[Item]) -> AsyncIterator[Item]:
        item = await anext(items)
        for _ in range(5):
            yield item

    host = await connect((await serve(first)).address)
    for _ in range(30):
        call = host.call()
        writing = asyncio.create_task(write_on(call))
        found: list[Message] = []
        await read_all(call, found)
        assert len(found) == 5
        await writing


async def test_a_host_is_asked_which_protocol_it_speaks(
    functions: Functions, connect: Callable[[str], Any]
) -> None:
    async def echo(items: AsyncIterator[Item]) -> AsyncIterator[Item]:
        async for item in items:
            yield item

    assert (await connect((await functions.riff(echo)).address)).protocol == "riff's protocol"
    batch = await connect((await functions.streams(echo)).address)
    assert batch.protocol == "penstock's batch protocol"


async def test_another_host_at_the_same_address_is_asked_again(
    functions: Functions, connect: Callable[[str], Any]
) -> None:
    async def echo(items: AsyncIterator[Item]) -> AsyncIterator[Item]:
        async for item in items:
            yield item

    served = await functions.streams(echo)
    host = await connect(served.address)
    await served.server.stop(None)
    await functions.riff(echo, int(served.address.rpartition(":")[2]))
    await host.connect()
    call = host.call()
    assert await call.write([Part(0, [MESSAGE])])
    await call.finish()
    outputs = await call.read()
    assert isinstance(outputs, Outputs)
    assert [message.payload for message in outputs.messages] == [MESSAGE.payload]


async def test_calls_that_are_open_when_the_host_is_connected_to_anew_end(
    serve: Serve, connect: Callable[[str], Any]
) -> None:
    """Whatever they are at: reading, writing to a host that takes no more, or nothing."""

    async def hang(items: AsyncIterator[Item]) -> AsyncIterator[Item]:
        yield await anext(items)
        await asyncio.Event().wait()

    host = await connect((await serve(hang)).address)
    busy, idle, new = (host.call() for _ in range(3))
    for call in (busy, idle):
        assert await call.write([Part(0, [MESSAGE])])
        assert await call.read()
    writing = asyncio.create_task(write_on(busy))
    reading = asyncio.create_task(busy.read())
    async with asyncio.timeout(10):
        await host.connect()
        await writing
        for call_read in (reading, idle.read(), new.read()):
            with pytest.raises(NotReady, match="is gone"):
                await call_read
        assert not await idle.write([Part(0, [MESSAGE])])
        await idle.finish()
        call = host.call()
        assert await call.write([Part(0, [MESSAGE])])
        assert await call.read()


async def test_a_host_that_does_not_answer_leaves_the_connection_as_it_was(
    functions: Functions, connect: Callable[[str], Any]
) -> None:
    async def echo(items: AsyncIterator[Item]) -> AsyncIterator[Item]:
        async for item in items:
            yield item

    served = await functions.streams(echo)
    host = await connect(served.address)
    await served.server.stop(None)
    with pytest.raises(NotReady):
        await host.connect()
    call = host.call()
    await call.write([Part(0, [MESSAGE])])
    with pytest.raises(NotReady):
        await call.read()


async def test_who_is_cancelled_while_the_host_is_connected_to_anew_stays_cancelled(
    serve: Serve, connect: Callable[[str], Any]
) -> None:
    async def hang(items: AsyncIterator[Item]) -> AsyncIterator[Item]:
        yield await anext(items)
        await asyncio.Event().wait()

    host = await connect((await serve(hang)).address)
    call = host.call()
    assert await call.write([Part(0, [MESSAGE])])
    assert await call.read()
    reading = asyncio.create_task(call.read())
    await asyncio.sleep(0)
    reading.cancel()
    await host.connect()
    with pytest.raises(asyncio.CancelledError):
        await reading


async def test_a_port_that_is_not_open_is_not_ready(free_port: int) -> None:
    host = FunctionHost(f"127.0.0.1:{free_port}", START)
    with pytest.raises(NotReady, match=f"has not opened its port 127.0.0.1:{free_port}"):
        await host.connect()


async def test_what_listens_but_does_not_answer_is_not_ready(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("penstock_sidecar.function.host.PROBE_SECONDS", 0.2)
    # The kernel takes the connection, and nobody ever reads it.
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        host = FunctionHost(address, START)
        with pytest.raises(NotReady, match=f"the function at {address} does not answer"):
            await host.connect()
        await host.close()


async def test_a_call_that_is_cancelled_holds_nobody_up(
    serve: Serve, connect: Callable[[str], Any]
) -> None:
    async def hang(items: AsyncIterator[Item]) -> AsyncIterator[Item]:
        async for item in items:
            await asyncio.Event().wait()
            yield item

    host = await connect((await serve(hang)).address)
    call = host.call()
    await call.write([Part(0, [MESSAGE])])
    call.cancel()
    assert not await call.write([Part(0, [MESSAGE])])
    await call.finish()
