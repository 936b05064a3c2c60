"""Finds objects that went while no watch looked: a watch that begins anew tells what is there."""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from penstock.operator.desired import KubernetesObject
from penstock.operator.edge.cache import Cache
from penstock.operator.edge.client import KubernetesClient
from penstock.plugin import PenstockError

_LOG = logging.getLogger(__name__)


class Watched(NamedTuple):
    """Objects that are watched: of a kind, with a label."""

    api_version: str
    kind: str
    selector: str = ""


class Sweep:
    """Asks for the names of all that is watched, and drops from the cache what is not among them.

    Args:
        cache: What is thought to be there.
        client: Asks.
        watched: Of what.
        namespaces: Where; none: everywhere.
        gone: Told of each object that went.
    """

    def __init__(
        self,
        cache: Cache,
        client: KubernetesClient,
        watched: Iterable[Watched],
        namespaces: Collection[str],
        gone: Callable[[KubernetesObject], None],
    ) -> None:
        self._cache = cache
        self._client = client
        self._watched = tuple(watched)
        self._namespaces = tuple(namespaces) or ("",)
        self._gone = gone

    async def run(self, seconds: float) -> None:
        """Do so once in so many seconds, until it is cancelled."""
        while True:
            await asyncio.sleep(seconds)
            try:
                await self.once()
            except PenstockError as error:
                # The next time will do.
                _LOG.debug("not all objects could be listed: %s", error)
            # One that nobody expected must not end it for good.
            except Exception:  # noqa: BLE001
                _LOG.exception("looking for what went failed")

    async def once(self) -> None:
        """Do so now.

        Raises:
            PenstockError: The API server did not answer.
        """
        for watched in self._watched:
            for namespace in self._namespaces:
                await self._sweep(watched, namespace)

    async def _sweep(self, watched: Watched, namespace: str) -> None:
        found = await self._client.versions(
            watched.api_version, watched.kind, namespace, watched.selector
        )
        for value in self._cache.of_kind(watched.kind, namespace):
            metadata = value["metadata"]
            if metadata["uid"] in found.uids or int(metadata["resourceVersion"]) > found.version:
                continue
            went = {**value, "metadata": {**metadata, "resourceVersion": str(found.version)}}
            self._cache.drop(went)
            self._gone(went)
