"""Finds out who calls before a call is answered, on both ports of a gateway."""

from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from penstock.server.access.access import Access
from penstock.server.access.caller import bearer_token, calling
from penstock.server.access.refusal import NotAuthenticated
from penstock.wire.protocol import gateway_pb2, liiklus_pb2

_Context = grpc.aio.ServicerContext[Any, Any]
Admit = Callable[[_Context], Awaitable[None]]

GUARDED_SERVICES = frozenset(
    {
        liiklus_pb2.DESCRIPTOR.services_by_name["LiiklusService"].full_name,
        gateway_pb2.DESCRIPTOR.services_by_name["BatchGateway"].full_name,
    }
)
"""Those that move messages. Health and reflection tell nothing that is anybody's, and KEDA, which
has no token to send, is told of lags alone."""


def of_calls(access: Access) -> Admit:
    """What a gRPC server does before each call."""

    async def admit(context: _Context) -> None:
        metadata = context.invocation_metadata() or ()
        found = [value for key, value in metadata if key == "authorization"]
        calling.set(await access.identify(bearer_token(str(found[0]) if found else "")))

    return admit


def of_requests(access: Access) -> Middleware:
    """What an HTTP server does before each request; metrics are shown to everybody."""

    @web.middleware
    async def admit(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path != "/metrics":
            try:
                token = bearer_token(request.headers.get("Authorization", ""))
                calling.set(await access.identify(token))
            except NotAuthenticated as error:
                challenge = {"WWW-Authenticate": "Bearer"}
                return web.Response(status=401, text=str(error), headers=challenge)
        return await handler(request)

    return admit
