"""riff's function protocol: the batch protocol with one message in a frame, and without keys."""

from collections.abc import AsyncIterator

from penstock.wire.columns import spread, unpack_messages
from penstock.wire.protocol.columns_pb2 import Headers, MessageColumns
from penstock.wire.protocol.function_pb2 import InputFrames, Inputs, OutputFrames, Start
from penstock.wire.protocol.riff_pb2 import InputSignal, OutputFrame, OutputSignal
from penstock.wire.protocol.riff_pb2_grpc import RiffServicer
from penstock_invoker.call import Context, answer, received
from penstock_invoker.errors import InvalidCall
from penstock_invoker.failure_log import FailureLog
from penstock_invoker.signature import Function


class RiffService(RiffServicer):
    """Answers riff's streaming processors.

    Args:
        function: The function that is served.
        failures: Where what it raises is printed.
    """

    def __init__(self, function: Function, failures: FailureLog) -> None:
        self._function = function
        self._failures = failures

    # The stubs know handlers that yield; grpc.aio also takes those that write.
    async def Invoke(self, request_iterator: object, context: Context) -> None:  # type: ignore[override] # noqa: N802
        """Carry out one call, of one window."""
        del request_iterator

        async def write(frame: OutputFrames) -> None:
            for signal in _signals(frame):
                await context.write(signal)

        frames = _frames(received(context))
        await answer(self._function, frames, write, context, failures=self._failures, trailers=None)


async def _frames(signals: AsyncIterator[InputSignal]) -> AsyncIterator[InputFrames]:
    async for signal in signals:
        match signal.WhichOneof("frame"):
            case "start":
                yield _start(signal)
            case "data":
                yield _data(signal)
            case _:
                yield InputFrames()


def _start(signal: InputSignal) -> InputFrames:
    start = signal.start
    return InputFrames(
        start=Start(
            expected_content_types=start.expectedContentTypes,
            input_names=start.inputNames,
            output_names=start.outputNames,
        )
    )


def _data(signal: InputSignal) -> InputFrames:
    data = signal.data
    if data.argIndex < 0:
        raise InvalidCall(f"a message is for input {data.argIndex}: inputs are counted from 0")
    columns = MessageColumns(payload=(data.payload,), content_type=(data.contentType,))
    if data.headers:
        columns.headers.append(Headers(entries=data.headers))
    return InputFrames(data=Inputs(messages=columns, arg_index=(data.argIndex,)))


def _signals(frame: OutputFrames) -> list[OutputSignal]:
    messages = unpack_messages(frame.messages)
    indexes = spread(frame.result_index, 0, len(messages), "result_index")
    return [
        OutputSignal(
            data=OutputFrame(
                payload=message.payload,
                contentType=message.content_type,
                headers=message.headers,
                resultIndex=index,
            )
        )
        for message, index in zip(messages, indexes, strict=False)
    ]
