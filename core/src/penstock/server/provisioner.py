"""The provisioner: riff's way to have a stream made, `PUT /<namespace>/<stream>` over HTTP.

`DELETE` of the same path, which riff did not know, removes a stream and its data for good. Metrics
are on the same port: no stream has a path of one word.
"""

from typing import TYPE_CHECKING

import grpc
from aiohttp import web

from penstock.plugin import Address, Gateway, StreamName, StreamSettings
from penstock.server.catalog import StreamCatalog
from penstock.server.status import status_of
from penstock.server.stream_request import read_request

if TYPE_CHECKING:
    from penstock.observability.metrics_page import MetricsPage

_LARGEST_BODY = 64 * 1024  # bytes
# Every other status is the client's fault.
_HTTP_STATUS = {
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.INTERNAL: 500,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.PERMISSION_DENIED: 403,
}


class Provisioner:
    """Makes streams on a gateway and removes them; keeps in the catalog what they hold.

    Args:
        gateway: Where the streams are made; it is open.
        catalog: Learns the streams' content types.
        address: `host:port` of the gateway protocol, for clients.
        metrics: What `GET /metrics` shows; ``None``: it is not answered.
    """

    def __init__(
        self,
        gateway: Gateway,
        catalog: StreamCatalog,
        address: str,
        metrics: "MetricsPage | None" = None,
    ) -> None:
        self._gateway = gateway
        self._catalog = catalog
        self._address = address
        self._metrics = metrics
        self._topics: dict[StreamName, str] = {}

    async def provision(self, stream: StreamSettings, *, declare: bool = True) -> Address:
        """Make a stream, or find it made.

        Args:
            stream: The stream.
            declare: Hold publishers to its content type from now on.

        Returns:
            Where it is, never without the gateway.

        Raises:
            PenstockError: As `Gateway.provision`.
        """
        address = await self._gateway.provision(stream)
        self._topics[StreamName(stream.namespace, stream.name)] = address.topic
        if declare:
            self._catalog.declare(address.topic, stream.content_type)
        return address._replace(gateway=address.gateway or self._address)

    async def deprovision(self, stream: StreamSettings) -> None:
        """Remove a stream and its data for good; one that is not there is no error.

        Raises:
            PenstockError: As `Gateway.deprovision`.
        """
        await self._gateway.deprovision(stream)
        if topic := self._topics.pop(StreamName(stream.namespace, stream.name), None):
            self._catalog.forget(topic)

    def application(self) -> web.Application:
        """The HTTP side of it."""
        application = web.Application(client_max_size=_LARGEST_BODY)
        if self._metrics:
            application.router.add_get("/metrics", self._show_metrics)
        application.router.add_route("*", r"/{path:[\s\S]*}", self._answer)
        return application

    async def _show_metrics(self, request: web.Request) -> web.Response:
        assert self._metrics, "there is no route without"
        page = await self._metrics.render(request.headers.get("Accept", ""))
        return web.Response(body=page.content, headers={"Content-Type": page.content_type})

    async def _answer(self, request: web.Request) -> web.Response:
        if request.method not in ("PUT", "DELETE"):
            raise web.HTTPMethodNotAllowed(request.method, ["PUT", "DELETE"])
        try:
            # As it was sent: what is decoded first can be a path that nobody asked for.
            asked = read_request(request.raw_path, await request.read())
            if request.method == "DELETE":
                await self.deprovision(asked.settings)
                return web.Response(status=204)
            created = StreamName(asked.settings.namespace, asked.settings.name) not in self._topics
            address = await self.provision(asked.settings, declare=asked.gives_content_type)
        except web.HTTPException:
            raise
        # Whatever a plugin raises is answered; what nobody expected is logged there.
        except Exception as error:  # noqa: BLE001
            code, text = status_of(error)
            return web.Response(status=_HTTP_STATUS.get(code, 400), text=text)
        answer = address._asdict()
        # riff's clients know the other two.
        if not address.drift:
            del answer["drift"]
        return web.json_response(answer, status=201 if created else 200)
