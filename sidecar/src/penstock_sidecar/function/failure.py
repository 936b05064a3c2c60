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


class FunctionFailed(PermanentError):
    """The function failed: given the same messages, it would again."""


def failure_of(code: grpc.StatusCode, details: str, address: str) -> PenstockError:
    """The error that a call's status stands for.

    Args:
        code: The status.
        details: Its text.
        address: Who was called, for the text.
    """
    reason = details or "no reason given"
    if code in _GONE:
        return NotReady(f"the function at {address} is gone ({code.name}): {reason}")
    return FunctionFailed(f"the function failed with {code.name}: {reason}")
