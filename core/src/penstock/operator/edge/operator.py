"""The operator as a process: kopf watches, a queue takes up what changed, a reconciler works."""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AsyncExitStack
from typing import Any

import kopf

from penstock.operator.dependents import BUILD_API_VERSION, Key, dependents
from penstock.operator.desired import KubernetesObject
from penstock.operator.edge.cache import Cache
from penstock.operator.edge.client import KubernetesClient
from penstock.operator.edge.definitions import wait_for_definitions
from penstock.operator.edge.provisioner import ProvisionerClient, as_it_is
from penstock.operator.edge.reconciler import Reconciler, ServedKind
from penstock.operator.edge.sweep import Sweep, Watched
from penstock.operator.edge.work_queue import WorkQueue
from penstock.operator.labels import MANAGED_BY, MANAGER
from penstock.resources.models import API_VERSION

_LOG = logging.getLogger(__name__)

_EXIT_SECONDS = 10.0
_CORE_KINDS = ("Gateway", "Stream", "Processor")
_MADE_HERE = f"{MANAGED_BY}={MANAGER}"
_CONFIG_MAPS = Watched("v1", "ConfigMap", _MADE_HERE)
_CHILDREN = (
    Watched("apps/v1", "Deployment", _MADE_HERE),
    Watched("v1", "Service", _MADE_HERE),
    _CONFIG_MAPS,
    Watched("v1", "Secret", _MADE_HERE),
)
_BUILDS = (Watched(BUILD_API_VERSION, "Function"), Watched(BUILD_API_VERSION, "Container"))
_OF_CONCRETE_GATEWAYS = (Watched(API_VERSION, "Gateway"), _CONFIG_MAPS)


class Operator:
    """Serves resources of a cluster until it is told to stop.

    Args:
        connection: Where the API server is, and who one is.
        core: Whether gateways, streams and processors are served.
        kinds: The concrete kinds of gateways that are served, by name.
        namespaces: Where; none: everywhere.
        sidecar_image: What runs beside functions.
        resolve: Where the URL of a provisioner is reached from here.
        sweep_seconds: How often it is asked what went while no watch looked.
        health_port: Where `GET /healthz` is answered while it is alive.
    """

    def __init__(
        self,
        connection: kopf.ConnectionInfo,
        *,
        core: bool,
        kinds: Mapping[str, ServedKind],
        namespaces: Collection[str] = (),
        sidecar_image: str = "",
        resolve: Callable[[str], str] = as_it_is,
        sweep_seconds: float = 300.0,
        health_port: int | None = None,
    ) -> None:
        self._connection = connection
        self._namespaces = namespaces
        self._served = {*kinds, *(_CORE_KINDS if core else ())}
        self._watched = list(_watched(self._served, core=core))
        self._sweep_seconds = sweep_seconds
        self._health_port = health_port
        self._cache = Cache()
        self._client = KubernetesClient(connection)
        self._provisioner = ProvisionerClient(resolve)
        reconciler = Reconciler(
            self._cache,
            self._client,
            self._provisioner,
            kinds=kinds,
            sidecar_image=sidecar_image,
        )
        self._sweep = Sweep(
            self._cache, self._client, self._watched, namespaces, gone=self._changed
        )
        self._queue: WorkQueue[Key] = WorkQueue(reconciler.reconcile)

    async def run(self, stop: asyncio.Event | None = None) -> None:
        """Serve until the event is set, or without one until SIGINT or SIGTERM."""
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(self._client)
            await stack.enter_async_context(self._provisioner)
            await stack.enter_async_context(self._queue)
            where = ", ".join(self._namespaces) or "all namespaces"
            await wait_for_definitions(self._client, self._served)
            _LOG.info("serving %s in %s", ", ".join(sorted(self._served)), where)
            # It is there before kopf is: kopf waits, at its end, for tasks that are younger.
            sweeping = asyncio.create_task(self._sweep.run(self._sweep_seconds))
            stack.callback(sweeping.cancel)
            port = self._health_port
            await kopf.operator(
                registry=self._registry(),
                settings=self._settings(),
                standalone=True,
                clusterwide=not self._namespaces,
                namespaces=self._namespaces,
                liveness_endpoint=f"http://0.0.0.0:{port}/healthz" if port else None,
                stop_flag=stop,
            )

    def _registry(self) -> kopf.OperatorRegistry:
        registry = kopf.OperatorRegistry()

        async def login(**_: Any) -> kopf.ConnectionInfo:
            return self._connection

        # Every index is full before the first event is handled.
        async def keep(body: kopf.Body, **_: Any) -> None:
            self._cache.put(dict(body))

        async def handle(body: kopf.Body, type: str | None, **_: Any) -> None:  # noqa: A002 - kopf's name
            value = dict(body)
            if type == "DELETED":
                self._cache.drop(value)
            self._changed(value)

        kopf.on.login(registry=registry)(login)
        for api_version, kind, _ in self._watched:
            group, _, version = api_version.rpartition("/")
            keeps = kopf.index(group, version, kind, id=f"keep-{kind}", registry=registry)
            handles = kopf.on.event(group, version, kind, id=f"handle-{kind}", registry=registry)
            keeps(keep)
            handles(handle)
        return registry

    def _settings(self) -> kopf.OperatorSettings:
        settings = kopf.OperatorSettings()
        # Penstock records events of its own, and watches what it made alone.
        settings.posting.enabled = False
        # Who serves some namespaces may have no rights beyond them: not to namespaces as such, nor
        # to definitions.
        settings.scanning.disabled = bool(self._namespaces)
        settings.process.ultimate_exiting_timeout = _EXIT_SECONDS
        for api_version, kind, selector in self._watched:
            if selector:
                group, _, version = api_version.rpartition("/")
                settings.watching.label_selectors[group, version, kind] = selector
        return settings

    def _changed(self, value: KubernetesObject) -> None:
        namespace = value["metadata"]["namespace"]
        streams = self._cache.all("Stream", namespace)
        processors = self._cache.all("Processor", namespace)
        for key in dependents(value, streams, processors):
            if key.kind in self._served:
                self._queue.add(key)


def _watched(served: Iterable[str], *, core: bool) -> Iterable[Watched]:
    """What has to be watched."""
    found = [Watched(API_VERSION, kind) for kind in sorted(served)]
    found += [*_CHILDREN, *_BUILDS] if core else _OF_CONCRETE_GATEWAYS
    return dict.fromkeys(found)
