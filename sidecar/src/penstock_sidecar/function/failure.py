"""What the end of a call means: this is where gRPC's statuses become penstock's errors."""

from asyncio import InvalidStateError
from typing import Final

import grpc

from penstock.plugin import NotReady, PenstockError, PermanentError

BROKEN_OFF: Final = (grpc.aio.AioRpcError, grpc.aio.BaseError, InvalidStateError)
"""What a write, or its end, raises on a call that has ended; how that ended, a read says."""

# CANCELLED: a host that shuts down ends its calls so. UNIMPLEMENTED: another host took the
# address since its protocol was learnt.
_GONE = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.UNIMPLEMENTED,
    }
)


_REFUSALS: Final = ("Invoker: Unsupported Media Type", "Invoker: Not Acceptable")
_LONGEST: Final = 2000  # characters


class FunctionFailed(PermanentError):
    """The function failed, or its host broke the protocol.

    Attributes:
        input: The input that it failed at, where the host tells: counted from 0 in the order in
            which they were written; all before it are done, and were reported so.
        retryable: Whether another try may go better: not where a content type cannot be read, or
            none that the output may have can be written.
    """

    def __init__(
        self, message: str, failed_input: int | None = None, *, retryable: bool = True
    ) -> None:
        super().__init__(message)
        self.input = failed_input
        self.retryable = retryable


def failure_of(
    code: grpc.StatusCode, details: str, address: str, failed_input: int | None = None
) -> PenstockError:
    """The error that a call's status stands for; its text is one line of bounded length.

    Args:
        code: The status.
        details: Its text.
        address: Who was called, for the text.
        failed_input: What the host says of the input that it failed at.
    """
    reason = details or "no reason given"
    if code in _GONE:
        return NotReady(_line(f"the function at {address} is gone ({code.name}): {reason}"))
    refused = code is grpc.StatusCode.INVALID_ARGUMENT and reason.startswith(_REFUSALS)
    text = _line(f"the function failed with {code.name}: {reason}")
    return FunctionFailed(text, failed_input, retryable=not refused)


def _line(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
