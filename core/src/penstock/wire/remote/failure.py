"""What a gRPC status means to a caller: this is where it becomes one of penstock's errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import grpc

from penstock.plugin import NotReady, PenstockError, PermanentError, TemporaryError, Unsupported

CALL_SECONDS: Final = 60.0
"""How long a gateway may take to answer one call."""

_PERMANENT = frozenset(
    {
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.ALREADY_EXISTS,
        grpc.StatusCode.OUT_OF_RANGE,
    }
)
# Not permanent: rights are given and taken, and a message is not to blame for its sender's.
_NOT_LET_IN = frozenset({grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNAUTHENTICATED})
_PAUSE = 5.0  # seconds before somebody who was not let in tries again
# What gRPC says itself, without a status of its own for it.
_TOO_LARGE = "larger than max"
_CUT_OFF = "Internal error from Core"  # a write met the end of its stream, and hid the reason


class NotSpoken(PenstockError):
    """The server does not have the service that was called."""


@contextmanager
def failures(address: str) -> Iterator[None]:
    """Raise penstock's errors in place of gRPC's, with the cause kept.

    Args:
        address: Who was called, for the text.
    """
    try:
        yield
    except grpc.aio.AioRpcError as error:
        raise failure_of(error, address) from error


def failure_of(error: grpc.aio.AioRpcError, address: str) -> PenstockError:
    """The error that a status stands for. What nobody knows to be permanent is temporary."""
    code, reason = error.code(), error.details() or "no reason given"
    if code is grpc.StatusCode.UNIMPLEMENTED:
        return NotSpoken(f"gateway {address}: {reason}")
    if code is grpc.StatusCode.FAILED_PRECONDITION:
        return Unsupported(reason)
    if code in _PERMANENT or (code is grpc.StatusCode.RESOURCE_EXHAUSTED and _TOO_LARGE in reason):
        return PermanentError(reason)
    if code is grpc.StatusCode.UNAVAILABLE:
        return NotReady(f"gateway {address} is not available: {reason}")
    return _temporary(code, reason, address)


def _temporary(code: grpc.StatusCode, reason: str, address: str) -> TemporaryError:
    if code in _NOT_LET_IN:
        return TemporaryError(f"gateway {address}: {reason}", retry_after=_PAUSE)
    if reason == _CUT_OFF:
        return TemporaryError(f"gateway {address} ended the call while it was written to")
    return TemporaryError(f"gateway {address} failed ({code.name}): {reason}")


def silent(address: str, seconds: float) -> TemporaryError:
    """The error of a gateway that has not answered for so long."""
    return NotReady(f"gateway {address} has not answered for {seconds:g} s")
