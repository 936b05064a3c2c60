"""What comes back in a call, to its last frame, and how the call ended."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any, Final, Generic, TypeVar

import grpc

from penstock_sidecar.function.failure import failure_of

Response = TypeVar("Response")
Value = TypeVar("Value")

# What grpc.aio puts in place of a call's status when a write meets the end of the call.
_WRITE_CUT_OFF: Final = "Internal error from Core"
_LOOK_SECONDS: Final = 0.005
_LOOKS: Final = 200

Status = tuple[grpc.StatusCode, str]


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

    def __init__(self, call: grpc.aio.StreamStreamCall[Any, Response], address: str) -> None:
        self._call = call
        self._address = address
        self._frames: AsyncIterator[Response] = aiter(call)
        self._status: Status | None = None
        call.add_done_callback(self._note)

    async def next(self) -> Response | None:
        """Wait for the next frame; ``None``: the call ended well.

        Raises:
            FunctionFailed: It ended with an error.
            NotReady: The host is gone.
        """
        try:
            return await anext(self._frames)
        except (StopAsyncIteration, grpc.aio.AioRpcError) as end:
            code, details = await self._end()
            if code is grpc.StatusCode.OK:
                return None
            raise failure_of(code, details, self._address) from end

    async def _end(self) -> Status:
        """The status of the call, which has ended."""
        for _ in range(_LOOKS):
            self._note(self._call)
            if self._status:
                return self._status
            # It is on its way, and nothing tells of a second status but looking.
            await asyncio.sleep(_LOOK_SECONDS)
        return grpc.StatusCode.UNAVAILABLE, "it ended without a status"

    def _note(self, _call: object) -> None:
        code, details = _at_once(self._call.code()), _at_once(self._call.details())
        if details != _WRITE_CUT_OFF and self._status is None:
            self._status = code, details


def _at_once(known: Coroutine[Any, Any, Value]) -> Value:
    """The result of a coroutine that has nothing to wait for."""
    try:
        known.send(None)
    except StopIteration as stop:
        value: Value = stop.value
        return value
    known.close()
    raise AssertionError("a call that is done knows its status")
