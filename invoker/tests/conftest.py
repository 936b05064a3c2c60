"""A function behind a real server, and clients of both protocols made of generated stubs."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from typing import Any, NamedTuple

import grpc
import pytest

from penstock.plugin import NO_HEADERS, Message
from penstock.wire.channel import open_channel
from penstock.wire.columns import pack_messages, spread, unpack_messages
from penstock.wire.protocol.function_pb2 import InputFrames, Inputs, OutputFrames, Start
from penstock.wire.protocol.function_pb2_grpc import BatchFunctionStub
from penstock.wire.protocol.riff_pb2 import InputFrame, InputSignal, OutputSignal, StartFrame
from penstock.wire.protocol.riff_pb2_grpc import RiffStub
from penstock_invoker.server import InvokerServer
from penstock_invoker.signature import read_function

PATIENCE = 10.0  # seconds for what happens at once where it is right

Host = Callable[[Callable[..., Any]], Awaitable["Invoker"]]


class Given(NamedTuple):
    """An output as the client sees it."""

    payload: bytes
    content_type: str = "text/plain"
    output: int = 0
    headers: Mapping[str, str] = NO_HEADERS


class _Sent(NamedTuple):
    payload: bytes
    content_type: str = "text/plain"
    input: int = 0
    headers: Mapping[str, str] = NO_HEADERS


Sent = bytes | tuple[Any, ...]
"""An input as the client sends it: a text in plain, or payload, content type, input, headers."""


class RiffCall:
    """One call over riff's protocol, frame by frame."""

    def __init__(self, call: grpc.aio.StreamStreamCall[InputSignal, OutputSignal]) -> None:
        self.call = call

    async def start(
        self,
        expected: Sequence[str] = ("text/plain",),
        inputs: Sequence[str] = (),
        outputs: Sequence[str] = (),
    ) -> None:
        start = StartFrame(expectedContentTypes=expected, inputNames=inputs, outputNames=outputs)
        await self.call.write(InputSignal(start=start))

    async def send(self, *messages: Sent) -> None:
        for one in map(_sent, messages):
            frame = InputFrame(
                payload=one.payload,
                contentType=one.content_type,
                headers=one.headers,
                argIndex=one.input,
            )
            await self.call.write(InputSignal(data=frame))

    async def end(self) -> None:
        await self.call.done_writing()

    async def receive(self) -> Given | None:
        """The next output; none: the call has ended well."""
        async with asyncio.timeout(PATIENCE):
            signal = await self.call.read()
        if not isinstance(signal, OutputSignal):
            return None
        data = signal.data
        return Given(data.payload, data.contentType, data.resultIndex, dict(data.headers))

    async def rest(self) -> list[Given]:
        """Every output until the call ends well."""
        given = []
        while (one := await self.receive()) is not None:
            given.append(one)
        return given

    async def status(self) -> tuple[grpc.StatusCode, str]:
        """How the call ended, past the outputs that it gave before."""
        with suppress(grpc.aio.AioRpcError):
            await self.rest()
        async with asyncio.timeout(PATIENCE):
            return await self.call.code(), await self.call.details()


class BatchCall:
    """One call over the batch protocol, frame by frame."""

    def __init__(self, call: grpc.aio.StreamStreamCall[InputFrames, OutputFrames]) -> None:
        self.call = call
        self.inputs_done = 0

    async def start(
        self,
        expected: Sequence[str] = ("text/plain",),
        inputs: Sequence[str] = (),
        outputs: Sequence[str] = (),
    ) -> None:
        start = Start(expected_content_types=expected, input_names=inputs, output_names=outputs)
        await self.call.write(InputFrames(start=start))

    async def send(self, *messages: Sent) -> None:
        """Send messages in one frame."""
        sent = list(map(_sent, messages))
        columns = pack_messages(
            [Message(one.payload, one.content_type, headers=one.headers) for one in sent]
        )
        await self.send_frame(Inputs(messages=columns, arg_index=[one.input for one in sent]))

    async def send_frame(self, inputs: Inputs) -> None:
        await self.call.write(InputFrames(data=inputs))

    async def end(self) -> None:
        await self.call.done_writing()

    async def receive_frame(self) -> OutputFrames | None:
        """The next frame; none: the call has ended well."""
        async with asyncio.timeout(PATIENCE):
            frame = await self.call.read()
        return frame if isinstance(frame, OutputFrames) else None

    async def frames(self) -> list[OutputFrames]:
        """Every frame until the call ends well."""
        frames = []
        while (frame := await self.receive_frame()) is not None:
            frames.append(frame)
        return frames

    async def rest(self) -> list[Given]:
        """Every output until the call ends well."""
        return [given for frame in await self.frames() for given in _given(frame)]

    async def status(self) -> tuple[grpc.StatusCode, str]:
        """How the call ended, past the outputs that it gave before."""
        with suppress(grpc.aio.AioRpcError):
            await self.rest()
        async with asyncio.timeout(PATIENCE):
            return await self.call.code(), await self.call.details()


Call = RiffCall | BatchCall


class Invoker:
    """A function that is served.

    Attributes:
        server: What serves it.
    """

    def __init__(self, server: InvokerServer, channel: grpc.aio.Channel) -> None:
        self.server = server
        self._riff = RiffStub(channel)
        self._batch = BatchFunctionStub(channel)

    def riff(self) -> RiffCall:
        """Open a call over riff's protocol."""
        return RiffCall(self._riff.Invoke())

    def batch(self) -> BatchCall:
        """Open a call over the batch protocol."""
        return BatchCall(self._batch.Invoke())

    async def invoke(
        self,
        call: Call,
        messages: Sequence[Sent],
        expected: Sequence[str] = ("text/plain",),
        inputs: Sequence[str] = (),
        outputs: Sequence[str] = (),
    ) -> list[Given]:
        """A whole call: everything sent, then everything received."""
        await call.start(expected, inputs, outputs)
        await call.send(*messages)
        await call.end()
        return await call.rest()

    async def refused(
        self,
        call: Call,
        messages: Sequence[Sent],
        expected: Sequence[str] = ("text/plain",),
        inputs: Sequence[str] = (),
        outputs: Sequence[str] = (),
    ) -> tuple[grpc.StatusCode, str]:
        """The status and the text of a call that fails by the last frame that is sent.

        A client of grpc.aio that is still writing when a call ends may see an error of its own.
        """
        await call.start(expected, inputs, outputs)
        if messages:
            await call.send(*messages)
        return await call.status()


def _sent(message: Sent) -> _Sent:
    return _Sent(*message) if isinstance(message, tuple) else _Sent(message)


def _given(frame: OutputFrames) -> list[Given]:
    messages = unpack_messages(frame.messages)
    indexes = spread(frame.result_index, 0, len(messages), "result_index")
    return [
        Given(one.payload, one.content_type, index, one.headers)
        for one, index in zip(messages, indexes, strict=False)
    ]


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    """Serves a function on a free port until the test ends."""
    async with AsyncExitStack() as stack:

        async def start(function: Callable[..., Any]) -> Invoker:
            hosted = read_function(getattr(function, "__name__", "function"), function)
            server = InvokerServer(hosted, host="127.0.0.1", port=0)
            await stack.enter_async_context(server)
            channel = open_channel(server.address)
            await stack.enter_async_context(channel)
            return Invoker(server, channel)

        yield start
