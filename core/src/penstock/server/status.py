"""What a client is told of an error: the gRPC status of each class of the tree."""

import logging

import grpc

from penstock.plugin import PenstockError, TemporaryError, Unsupported
from penstock.server.access.refusal import NotAllowed, NotAuthenticated

_LOGGER = logging.getLogger(__name__)
_LONGEST = 2000  # characters; details travel in a header, and clients take 8 KiB of those


def status_of(error: BaseException) -> tuple[grpc.StatusCode, str]:
    """The status and its text for what a handler raised.

    `Unsupported` is FAILED_PRECONDITION and never UNIMPLEMENTED: by that, clients know that a
    server does not have a service at all. An error that nobody raised on purpose is logged here
    with its traceback, and the client is told no more than that it happened.
    """
    if not isinstance(error, PenstockError):
        _LOGGER.error("a call failed", exc_info=error)
        name = type(error).__name__
        return grpc.StatusCode.INTERNAL, f"the gateway failed ({name}); its log says why"
    if isinstance(error, NotAuthenticated):
        code = grpc.StatusCode.UNAUTHENTICATED
    elif isinstance(error, NotAllowed):
        code = grpc.StatusCode.PERMISSION_DENIED
    elif isinstance(error, TemporaryError):
        code = grpc.StatusCode.UNAVAILABLE
    elif isinstance(error, Unsupported):
        code = grpc.StatusCode.FAILED_PRECONDITION
    else:
        code = grpc.StatusCode.INVALID_ARGUMENT
    return code, str(error)[:_LONGEST]
