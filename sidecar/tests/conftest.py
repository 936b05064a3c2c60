"""Functions behind either protocol, as real gRPC servers."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

import grpc
import pytest

from penstock.plugin import Message
from penstock.wire.channel import SERVER_OPTIONS
from penstock.wire.columns import pack_messages, unpack_messages
from penstock.wire.protocol import function_pb2, riff_pb2
from penstock.wire.protocol.function_pb2_grpc import (
    BatchFunctionServicer,
    add_BatchFunctionServicer_to_server,
)
from penstock.wire.protocol.riff_pb2_grpc import RiffServicer, add_RiffServicer_to_server
from tests.servers import ports

Item = tuple[int, Message]
"""A message, and the number of its input or output."""

Stream = Callable[[AsyncIterator[Item]], AsyncIterator[Item]]
"""A function of streams: from everything that a call is given to everything it answers."""

Each = Callable[[Item], Sequence[Item]]
"""A function of one value."""


class Refusal(Exception):
    """What a function raises to end its call with a status."""

    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        super().__init__(details)
        self.code = code


@dataclass
class Call:
    """What a function's host was told in one call."""

    expected: Sequence[str] = ()
    inputs: Sequence[str] = ()
    outputs: Sequence[str] = ()
    items: list[Item] = field(default_factory=list)
    finished: bool = False


class RiffHost(RiffServicer):
    """Serves a function of streams as riff's invokers do."""

    def __init__(self, function: Stream, calls: list[Call]) -> None:
        self._function = function
        self._calls = calls

    async def Invoke(  # noqa: N802 - as the stubs have it
        self,
        request_iterator: AsyncIterator[riff_pb2.InputSignal],
        context: grpc.aio.ServicerContext[riff_pb2.InputSignal, riff_pb2.OutputSignal],
    ) -> AsyncIterator[riff_pb2.OutputSignal]:
        start = (await anext(request_iterator)).start
        call = Call(start.expectedContentTypes, start.inputNames, start.outputNames)
        self._calls.append(call)

        async def items() -> AsyncIterator[Item]:
            async for signal_ in request_iterator:
                data = signal_.data
                message = Message(data.payload, data.contentType, headers=dict(data.headers))
                call.items.append((data.argIndex, message))
                yield call.items[-1]
            call.finished = True

        try:
            async for number, message in self._function(items()):
                yield riff_pb2.OutputSignal(
                    data=riff_pb2.OutputFrame(
                        payload=message.payload,
                        contentType=message.content_type,
                        headers=dict(message.headers),
                        resultIndex=number,
                    )
                )
        except Refusal as refusal:
            await context.abort(refusal.code, str(refusal))


class BatchHost(BatchFunctionServicer):
    """Serves a function of streams over penstock's protocol; it cannot tell inputs."""

    def __init__(self, function: Stream, calls: list[Call]) -> None:
        self._function = function
        self._calls = calls

    async def Invoke(  # noqa: N802 - as the stubs have it
        self,
        request_iterator: AsyncIterator[function_pb2.InputFrames],
        context: grpc.aio.ServicerContext[function_pb2.InputFrames, function_pb2.OutputFrames],
    ) -> AsyncIterator[function_pb2.OutputFrames]:
        call = await begin(request_iterator, context, self._calls)

        async def items() -> AsyncIterator[Item]:
            async for frame in request_iterator:
                for item in unpack(frame.data):
                    call.items.append(item)
                    yield item
            call.finished = True

        try:
            async for number, message in self._function(items()):
                yield function_pb2.OutputFrames(
                    messages=pack_messages([message]), result_index=[number]
                )
        except Refusal as refusal:
            await context.abort(refusal.code, str(refusal))


class OneValueHost(BatchFunctionServicer):
    """Serves a function of one value over penstock's protocol; it tells inputs and progress."""

    def __init__(self, function: Each, calls: list[Call]) -> None:
        self._function = function
        self._calls = calls

    async def Invoke(  # noqa: N802 - as the stubs have it
        self,
        request_iterator: AsyncIterator[function_pb2.InputFrames],
        context: grpc.aio.ServicerContext[function_pb2.InputFrames, function_pb2.OutputFrames],
    ) -> AsyncIterator[function_pb2.OutputFrames]:
        call = await begin(request_iterator, context, self._calls)
        async for frame in request_iterator:
            results, messages, origins = [], [], []
            for item in unpack(frame.data):
                for number, message in self._function(item):
                    results.append(number)
                    messages.append(message)
                    origins.append(len(call.items))
                call.items.append(item)
            yield function_pb2.OutputFrames(
                messages=pack_messages(messages) if messages else None,
                result_index=results,
                input_index=origins,
                inputs_done=len(call.items),
            )
        call.finished = True


async def begin(
    frames: AsyncIterator[function_pb2.InputFrames],
    context: grpc.aio.ServicerContext[function_pb2.InputFrames, function_pb2.OutputFrames],
    calls: list[Call],
) -> Call:
    first = await anext(frames, None)
    if first is None:
        # A question whether the service is here.
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "no start")
    start = first.start
    call = Call(start.expected_content_types, start.input_names, start.output_names)
    calls.append(call)
    return call


def unpack(inputs: function_pb2.Inputs) -> list[Item]:
    messages = unpack_messages(inputs.messages)
    numbers = inputs.arg_index or [0]
    if len(numbers) == 1:
        numbers = list(numbers) * len(messages)
    return list(zip(numbers, messages, strict=True))


@dataclass
class ServedFunction:
    """A function's host that runs in the test."""

    address: str
    server: grpc.aio.Server
    calls: list[Call]


class Functions:
    """Starts function hosts, and stops them at the end."""

    def __init__(self) -> None:
        self._servers: list[grpc.aio.Server] = []

    async def riff(self, function: Stream, port: int = 0) -> ServedFunction:
        calls: list[Call] = []
        server = grpc.aio.server(options=SERVER_OPTIONS)
        add_RiffServicer_to_server(RiffHost(function, calls), server)
        return await self._start(server, calls, port)

    async def streams(self, function: Stream, port: int = 0) -> ServedFunction:
        calls: list[Call] = []
        server = grpc.aio.server(options=SERVER_OPTIONS)
        add_BatchFunctionServicer_to_server(BatchHost(function, calls), server)
        return await self._start(server, calls, port)

    async def one_value(self, function: Each, port: int = 0) -> ServedFunction:
        calls: list[Call] = []
        server = grpc.aio.server(options=SERVER_OPTIONS)
        add_BatchFunctionServicer_to_server(OneValueHost(function, calls), server)
        return await self._start(server, calls, port)

    async def _start(self, server: grpc.aio.Server, calls: list[Call], port: int) -> ServedFunction:
        bound = server.add_insecure_port(f"127.0.0.1:{port}")
        await server.start()
        self._servers.append(server)
        return ServedFunction(f"127.0.0.1:{bound}", server, calls)

    async def stop(self) -> None:
        for server in self._servers:
            await server.stop(None)


@pytest.fixture
async def functions() -> AsyncIterator[Functions]:
    """Starts function hosts."""
    made = Functions()
    yield made
    await made.stop()


@pytest.fixture
def free_port() -> int:
    """A port that nobody listens on, and that no other server or client of a test is given."""
    return ports.free_port()
