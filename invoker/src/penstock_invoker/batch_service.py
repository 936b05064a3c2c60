"""penstock's function protocol: many messages in a frame."""

import grpc.aio

from penstock.wire.call_metadata import REPORTS_INPUTS
from penstock.wire.protocol.function_pb2_grpc import BatchFunctionServicer
from penstock_invoker.call import Context, answer, received
from penstock_invoker.failure_log import FailureLog
from penstock_invoker.signature import Function


class BatchService(BatchFunctionServicer):
    """Answers sidecars that speak the batch protocol.

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
        says = ((REPORTS_INPUTS, "false" if self._function.takes_streams else "true"),)
        try:
            await context.send_initial_metadata(says)
        except grpc.aio.BaseError:  # the client is gone
            return
        await answer(
            self._function,
            received(context),
            context.write,
            context,
            failures=self._failures,
            trailers=says,
        )
