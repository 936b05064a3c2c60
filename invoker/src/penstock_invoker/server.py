"""The server that a function is behind: both function protocols on one port."""

import socket
from types import TracebackType
from typing import Self

import grpc.aio

from penstock.plugin import UsageError
from penstock.wire.channel import SERVER_OPTIONS
from penstock.wire.protocol.function_pb2_grpc import add_BatchFunctionServicer_to_server
from penstock.wire.protocol.riff_pb2_grpc import add_RiffServicer_to_server
from penstock_invoker.batch_service import BatchService
from penstock_invoker.failure_log import FailureLog
from penstock_invoker.riff_service import RiffService
from penstock_invoker.signature import Function


class InvokerServer:
    """Serves a function while it is entered.

    Args:
        function: The function.
        host: The interface's address; every interface by default, as probes come from outside.
        port: 0 takes a free one.

    Raises:
        UsageError: On entering: the address cannot be listened on.
    """

    def __init__(self, function: Function, *, host: str = "0.0.0.0", port: int = 8081) -> None:
        self.port = port
        """Where it listens, once it is entered."""
        self.host = host
        self._server = grpc.aio.server(options=SERVER_OPTIONS)
        failures = FailureLog(function.name)
        add_RiffServicer_to_server(RiffService(function, failures), self._server)
        add_BatchFunctionServicer_to_server(BatchService(function, failures), self._server)

    @property
    def address(self) -> str:
        """`host:port`."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    async def __aenter__(self) -> Self:
        _check_is_free(self.host, self.port)
        try:
            self.port = self._server.add_insecure_port(self.address)
        except RuntimeError as error:
            raise UsageError(f"cannot listen on {self.address}: {error}") from error
        await self._server.start()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop(0)

    async def stop(self, grace: float) -> None:
        """Take no new calls, let the running ones end, and cancel those left after the grace.

        Args:
            grace: Seconds.
        """
        await self._server.stop(grace)


def _check_is_free(host: str, port: int) -> None:
    """Ask the system itself: gRPC does not tell why it cannot listen."""
    try:
        [family, *_, address] = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise UsageError(
            f"cannot listen on {host}, port {port}: {error.strerror}; choose another port with "
            "GRPC_PORT or --port, another interface with PENSTOCK_HOST or --host"
        ) from error
