"""One gateway for everybody: its protocols on one port, the provisioner on another."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from types import TracebackType
from typing import TYPE_CHECKING, Self

import grpc
from aiohttp import web
from grpc_health.v1 import health, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from penstock.plugin import Address, Gateway, Health, StreamSettings
from penstock.server.access import authentication
from penstock.server.access.access import Access
from penstock.server.access.guarded_gateway import GuardedGateway
from penstock.server.access.scoped_gateway import ScopedGateway
from penstock.server.batch_service import BatchGatewayService
from penstock.server.calls import Calls
from penstock.server.catalog import StreamCatalog
from penstock.server.certificate import Certificate
from penstock.server.external_scaler import ExternalScaler
from penstock.server.health import HealthReport, log_health
from penstock.server.liiklus_service import LiiklusService
from penstock.server.port import check_port
from penstock.server.provisioner import Provisioner
from penstock.server.refusals import nobody_is_told
from penstock.wire.channel import SERVER_OPTIONS
from penstock.wire.protocol import externalscaler_pb2, gateway_pb2, liiklus_pb2
from penstock.wire.protocol.externalscaler_pb2_grpc import add_ExternalScalerServicer_to_server
from penstock.wire.protocol.gateway_pb2_grpc import add_BatchGatewayServicer_to_server
from penstock.wire.protocol.liiklus_pb2_grpc import add_LiiklusServiceServicer_to_server

if TYPE_CHECKING:
    from penstock.observability.tracing import Tracer
    from penstock.server.measured_gateway import MeasuredGateway
    from penstock.server.metrics import GatewayMetrics

GATEWAY_PORT = 6565
PROVISIONER_PORT = 8080
GRACE_SECONDS = 5.0

_EVERY_INTERFACE = ("", "0.0.0.0", "::")
_SERVICES = (
    liiklus_pb2.DESCRIPTOR.services_by_name["LiiklusService"].full_name,
    gateway_pb2.DESCRIPTOR.services_by_name["BatchGateway"].full_name,
    externalscaler_pb2.DESCRIPTOR.services_by_name["ExternalScaler"].full_name,
)


class GatewayServer:
    """Opens a gateway and serves it from `async with` on until that is left, or `stop`.

    Args:
        gateway: What is served; the server opens and closes it.
        host: Address to listen on.
        port: Of the gateway protocols, KEDA's external scaler, health and reflection; 0 takes
            a free one.
        provisioner_port: Of the provisioner; 0 takes a free one, ``None`` leaves it out.
        advertised: Where clients reach the gateway protocols, `host:port` or a host with the
            same port; left out: `host`, or the loopback where that is every interface.
        check_interval: Seconds between two checks of the gateway for the health service, and
            between two looks at a lag for a client of KEDA's that waits for a change.
        tell_health: Told when the gateway cannot serve, with each new reason, and when it can
            again; left out: the log is.
        name: What metrics call the gateway.
        metrics: Where its traffic is counted. Left out: on the port of the provisioner, at
            `/metrics`; nowhere without one.
        tracer: What makes spans of sampled messages; left out: there are none.
        certificate: What both ports are encrypted with; left out: they are not.
        namespace: The one whose streams are served; left out: every topic is.
        access: Who decides what callers may do; left out: everybody may do everything.

    Attributes:
        catalog: What is known of the topics.
        address: `host:port` that clients use; there once the server is entered.
        provisioner_port: The port that was taken; ``None`` without a provisioner.
    """

    address: str
    _provisioner: Provisioner

    def __init__(
        self,
        gateway: Gateway,
        *,
        host: str = "127.0.0.1",
        port: int = GATEWAY_PORT,
        provisioner_port: int | None = PROVISIONER_PORT,
        advertised: str | None = None,
        check_interval: float = 2.0,
        tell_health: Callable[[Health], None] = log_health,
        name: str = "gateway",
        metrics: "GatewayMetrics | None" = None,
        tracer: "Tracer | None" = None,
        certificate: Certificate | None = None,
        namespace: str | None = None,
        access: Access | None = None,
    ) -> None:
        self.catalog = StreamCatalog()
        self.provisioner_port = provisioner_port
        self._gateway = gateway
        self._measured: MeasuredGateway | None = None
        if metrics is not None or provisioner_port is not None:
            self._gateway = self._measured = _measure(gateway, name, metrics)
        if tracer is not None:
            self._gateway = _trace(self._gateway, name, tracer)
        if namespace is not None:
            self._gateway = ScopedGateway(self._gateway, namespace)
        self._open_to_all = self._gateway
        if access is not None:
            self._gateway = GuardedGateway(self._gateway, access)
        self._access = access
        self._certificate = certificate
        self._host = host
        self._port = port
        self._advertised = advertised
        self._check_interval = check_interval
        self._tell_health = tell_health
        self._running = AsyncExitStack()
        self._grace = GRACE_SECONDS
        self._stopped = asyncio.Event()

    async def __aenter__(self) -> Self:
        """Open the gateway and serve it.

        Raises:
            UsageError: A port is in use, or the host is not one of this machine.
        """
        check_port(self._host, self._port, "the gateway")
        if self.provisioner_port is not None:
            check_port(self._host, self.provisioner_port, "the provisioner")
        async with AsyncExitStack() as running:
            running.callback(self._stopped.set)
            await running.enter_async_context(self._gateway)
            self.address = await self._serve_grpc(running)
            page = self._measured.page if self._measured else None
            self._provisioner = Provisioner(self._gateway, self.catalog, self.address, page)
            if self.provisioner_port is not None:
                self.provisioner_port = await self._serve_http(running, self.provisioner_port)
            self._running = running.pop_all()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    async def provision(self, stream: StreamSettings) -> Address:
        """Make a stream, and hold publishers to its content type.

        Returns:
            Its topic, and where clients reach the gateway.

        Raises:
            PenstockError: As `Gateway.provision`.
        """
        return await self._provisioner.provision(stream)

    async def serve_forever(self) -> None:
        """Wait until the server is stopped."""
        await self._stopped.wait()

    async def stop(self, grace: float = GRACE_SECONDS) -> None:
        """Take no more calls, end the open streams, and close the gateway; safe to call twice.

        Args:
            grace: Seconds in which calls that are being answered may still end well.
        """
        self._grace = grace
        running, self._running = self._running, AsyncExitStack()
        await running.aclose()

    async def _serve_grpc(self, running: AsyncExitStack) -> str:
        """Start the gRPC server; its address for clients."""
        admit = authentication.of_calls(self._access) if self._access else None
        calls = Calls(admit, authentication.GUARDED_SERVICES)
        server = grpc.aio.server(interceptors=[calls], options=SERVER_OPTIONS)
        refused = self._measured.refused if self._measured else nobody_is_told
        liiklus = LiiklusService(self._gateway, self.catalog, refused)
        batch = BatchGatewayService(self._gateway, self.catalog, refused)
        if self._measured:
            self._measured.watch(batch.sessions)
        add_LiiklusServiceServicer_to_server(liiklus, server)
        add_BatchGatewayServicer_to_server(batch, server)
        scaler = ExternalScaler(self._open_to_all, self._check_interval)
        add_ExternalScalerServicer_to_server(scaler, server)
        report = HealthReport(self._gateway, _SERVICES, self._check_interval, self._tell_health)
        health_pb2_grpc.add_HealthServicer_to_server(report.servicer, server)
        names = (*_SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME)
        reflection.enable_server_reflection(names, server)
        where = _join(self._host, self._port)
        if self._certificate:
            port = server.add_secure_port(where, self._certificate.for_grpc())
        else:
            port = server.add_insecure_port(where)

        async def stop() -> None:
            await report.stop()
            calls.end_streams()
            await server.stop(self._grace)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._grace):
                    await calls.all_streams_ended()

        running.push_async_callback(stop)
        await report.start()
        await server.start()
        return self._address_of(port)

    async def _serve_http(self, running: AsyncExitStack, port: int) -> int:
        """Start the provisioner; its port."""
        application = self._provisioner.application()
        if self._access:
            application.middlewares.append(authentication.of_requests(self._access))
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=GRACE_SECONDS)
        running.push_async_callback(runner.cleanup)
        await runner.setup()
        encryption = self._certificate.for_http() if self._certificate else None
        await web.TCPSite(runner, self._host, port, ssl_context=encryption).start()
        return int(runner.addresses[0][1])

    def _address_of(self, port: int) -> str:
        if self._advertised is None:
            host = "127.0.0.1" if self._host in _EVERY_INTERFACE else self._host
            return _join(host, port)
        has_port = self._advertised.rpartition(":")[2].isdecimal()
        return self._advertised if has_port else _join(self._advertised, port)


# What counts and what traces is loaded where that is asked for.
def _measure(gateway: Gateway, name: str, metrics: "GatewayMetrics | None") -> "MeasuredGateway":
    from penstock.server.measured_gateway import MeasuredGateway  # noqa: PLC0415

    return MeasuredGateway(gateway, name, metrics)


def _trace(gateway: Gateway, name: str, tracer: "Tracer") -> Gateway:
    from penstock.server.traced_gateway import TracedGateway  # noqa: PLC0415

    return TracedGateway(gateway, name, tracer)


def _join(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
