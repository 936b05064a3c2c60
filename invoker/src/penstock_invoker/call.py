"""A gRPC call of either protocol: its end is told to the caller as a status."""

from collections.abc import AsyncIterator
from typing import Any

import grpc.aio

from penstock.plugin import PermanentError
from penstock.wire.call_metadata import FAILED_INPUT
from penstock.wire.protocol.function_pb2 import InputFrames
from penstock_invoker.errors import FunctionExited, InputFailed, InvalidCall, describe, short
from penstock_invoker.failure_log import FailureLog
from penstock_invoker.invocation import Write, invoke
from penstock_invoker.signature import Function

Context = grpc.aio.ServicerContext[Any, Any]
Metadata = tuple[tuple[str, str], ...]


async def received(context: Context) -> AsyncIterator[Any]:
    """What the client sends, to its end.

    A client that cancels, or whose connection breaks, looks like one that has sent everything. The
    call is cancelled a moment later, which must come before a function takes what it has seen for
    all there is: what core knows of the call arrives in order, so one more read is behind it.
    """
    while (frame := await context.read()) is not grpc.aio.EOF:
        yield frame
    await context.read()


async def answer(
    function: Function,
    frames: AsyncIterator[InputFrames],
    write: Write,
    context: Context,
    *,
    failures: FailureLog,
    trailers: Metadata | None,
) -> None:
    """Carry out a call of a function; a failure ends the call and nothing else.

    What the function itself raises is printed, for its author.

    Args:
        function: The function.
        frames: What the caller sends.
        write: Takes what it gets.
        context: The call, which is told how it ended.
        failures: Where it is printed.
        trailers: What the caller is told when the call fails, beside which input it failed at;
            ``None``: the protocol tells nothing there, not even that.
    """
    trailing = trailers or ()
    try:
        await invoke(function, frames, write)
    except grpc.aio.BaseError:  # the client is gone
        return
    except InputFailed as failure:
        error = failure.error
        if trailers is not None:
            trailing = (*trailers, (FAILED_INPUT, str(failure.number)))
    # A function raises what it likes.
    except Exception as caught:  # noqa: BLE001
        error = caught
    else:
        return
    await context.abort(*_status(error, failures), trailing)


def _status(error: Exception, failures: FailureLog) -> tuple[grpc.StatusCode, str]:
    if isinstance(error, InvalidCall):
        return grpc.StatusCode.INVALID_ARGUMENT, short(str(error))
    if isinstance(error, PermanentError):
        return grpc.StatusCode.UNKNOWN, short(str(error))
    raised = (isinstance(error, FunctionExited) and error.__cause__) or error
    failures.write(raised)
    return grpc.StatusCode.UNKNOWN, describe(raised)
