"""gRPC health of the server's services: what the gateway says of itself."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from grpc_health.v1.health import aio
from grpc_health.v1.health_pb2 import HealthCheckResponse

from penstock.plugin import Gateway, Health

_LOGGER = logging.getLogger(__name__)


def log_health(health: Health) -> None:
    """Log that a gateway cannot serve, and that it can again."""
    if health.ready:
        _LOGGER.info("the gateway is ready again")
    else:
        _LOGGER.warning("the gateway is not ready: %s", health.message)


class HealthReport:
    """Asks a gateway again and again whether it can serve, and says so for each service.

    Args:
        gateway: Who is asked.
        services: Full names of the services; the empty name, of the whole server, is added.
        interval: Seconds between two questions.
        tell: Told when the gateway cannot serve, with each new reason, and when it can again.
        patience: Seconds after which a gateway that has not answered is not ready.

    Attributes:
        servicer: Answers the health protocol.
    """

    def __init__(
        self,
        gateway: Gateway,
        services: Sequence[str],
        interval: float,
        tell: Callable[[Health], None] = log_health,
        patience: float = 5.0,
    ) -> None:
        self.servicer = aio.HealthServicer()
        self._gateway = gateway
        self._services = ("", *services)
        self._interval = interval
        self._tell = tell
        self._patience = patience
        self._last: Health | None = None
        self._watch: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Ask once, and from then on in the background."""
        await self._update()
        self._watch = asyncio.create_task(self._update_for_ever())

    async def stop(self) -> None:
        """Say NOT_SERVING of everything, and ask no more."""
        if self._watch is not None:
            self._watch.cancel()
        await self.servicer.enter_graceful_shutdown()

    async def _update_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._interval)
            await self._update()

    async def _update(self) -> None:
        health = await self._ask()
        before, self._last = self._last or Health(ready=True), health
        if health != before and not (health.ready and before.ready):
            self._tell(health)
        status = HealthCheckResponse.SERVING if health.ready else HealthCheckResponse.NOT_SERVING
        for service in self._services:
            await self.servicer.set(service, status)

    async def _ask(self) -> Health:
        try:
            async with asyncio.timeout(self._patience):
                return await self._gateway.check()
        except TimeoutError:
            return Health(ready=False, message=f"it did not answer within {self._patience:g} s")
        # A plugin that breaks its promise not to raise must not end the watch over it.
        except Exception as error:
            _LOGGER.exception("checking the gateway failed")
            return Health(ready=False, message=f"its check raised {type(error).__name__}")
