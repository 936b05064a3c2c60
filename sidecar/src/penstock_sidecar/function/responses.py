"""What comes back in a call, to its last frame, and how the call ended."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from types import TracebackType
from typing import Any, Final, Generic, NamedTuple, TypeVar

import grpc

from penstock.plugin import NotReady
from penstock.wire.call_metadata import FAILED_INPUT, REPORTS_INPUTS
from penstock_sidecar.function.failure import BROKEN_OFF, failure_of

Response = TypeVar("Response")
Value = TypeVar("Value")

# What grpc.aio puts in place of a call's status when a write meets the end of the call.
_WRITE_CUT_OFF: Final = "Internal error from Core"
_LOOK_SECONDS: Final = 0.005
_LOOKS: Final = 200
_DIGITS: Final = 19


class _Status(NamedTuple):
    code: grpc.StatusCode
    details: str
    failed_input: int | None = None


class Responses(Generic[Response]):
    """Reads a call that is written to at the same time.

    A host may end a call while it is being written to: a function fails, or wants no more. Then
    grpc.aio puts an error of its own in place of the call's status, before the true one has come
    or after it, and a plain `read` gives up what had been sent before. Iterating reads on to the
    end; and the true status is taken down when it comes first, or waited for when it does not.

    Args:
        call: The call.
        address: Who was called, for the texts of errors.
    """

    written = 0
    """How many inputs were written, or are being: no other can have failed."""

    def __init__(self, call: grpc.aio.StreamStreamCall[Any, Response], address: str) -> None:
        self._call = call
        self._address = address
        self._frames: AsyncIterator[Response] = aiter(call)
        self._status: _Status | None = None
        self._disconnected = False
        self.writing = Writing(self)
        call.add_done_callback(self._note)

    @property
    def reports(self) -> bool | None:
        """Whether the host says in its initial metadata that it reports inputs.

        ``None``: it has not come yet, or the call ended without.
        """
        metadata = _at_once(self._call.initial_metadata())
        if metadata is None:
            return None
        said = metadata.get(REPORTS_INPUTS)
        return None if said is None and self._call.done() else said == "true"

    async def next(self) -> Response | None:
        """Wait for the next frame; ``None``: the call ended well.

        Raises:
            FunctionFailed: It ended with an error.
            NotReady: The host is gone.
        """
        try:
            return await anext(self._frames)
        except (StopAsyncIteration, grpc.aio.AioRpcError) as end:
            code, details, failed_input = await self._end()
            if code is grpc.StatusCode.OK:
                return None
            if failed_input is not None and failed_input >= self.written:
                failed_input = None
            raise failure_of(code, details, self._address, failed_input) from end
        except asyncio.CancelledError:
            if not self.was_disconnected():
                raise
            text = f"the function at {self._address} is gone: the connection to it was given up"
            raise NotReady(text) from None

    def disconnect(self) -> None:
        """Break the call off, as if its host had gone."""
        self._disconnected = True
        self._call.cancel()

    def was_disconnected(self) -> bool:
        """Whether `disconnect` is why something was cancelled: then the task itself was not."""
        task = asyncio.current_task()
        return self._disconnected and not (task and task.cancelling())

    async def _end(self) -> _Status:
        """The status of the call, which has ended."""
        for _ in range(_LOOKS):
            self._note(self._call)
            if self._status:
                return self._status
            # It is on its way, and nothing tells of a second status but looking.
            await asyncio.sleep(_LOOK_SECONDS)
        return _Status(grpc.StatusCode.UNAVAILABLE, "it ended without a status")

    def _note(self, _call: object) -> None:
        code, details = _known(self._call.code()), _known(self._call.details())
        if details != _WRITE_CUT_OFF and self._status is None:
            metadata = _known(self._call.trailing_metadata())
            self._status = _Status(code, details, _number(metadata.get(FAILED_INPUT)))


class Writing:
    """Stands around each write: one that meets the end of the call is dropped, and
    `Responses.next` tells of the end.

    Args:
        responses: Of the call.
    """

    def __init__(self, responses: Responses[Any]) -> None:
        self._responses = responses

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        return isinstance(error, BROKEN_OFF) or (
            isinstance(error, asyncio.CancelledError) and self._responses.was_disconnected()
        )


def _number(text: object) -> int | None:
    """What a host names an input by; ``None``: it named none."""
    if isinstance(text, str) and text.isascii() and text.isdigit():
        return int(text[:_DIGITS])
    return None


def _known(known: Coroutine[Any, Any, Value]) -> Value:
    """The result of a coroutine that has nothing to wait for."""
    value = _at_once(known)
    assert value is not None, "a call that is done knows its status"
    return value


def _at_once(coroutine: Coroutine[Any, Any, Value]) -> Value | None:
    """The result of a coroutine; ``None``: it has something to wait for."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        value: Value = stop.value
        return value
    coroutine.close()
    return None
