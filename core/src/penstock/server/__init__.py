"""The gateway server: serves any plugin over gRPC and HTTP."""

from penstock.server.gateway_server import GatewayServer

__all__ = ["GatewayServer"]
