"""A node that says of every pod that it runs, and runs none."""

from contextlib import suppress
from threading import Event, Thread
from types import TracebackType
from typing import Self

from tests.servers.kubernetes_api import KubernetesApi, Object, Refused, condition

INTERVAL = 0.1
"""Seconds between two looks at the pods."""


class PretendedNode:
    """Makes the pods of an API server ready; a context manager.

    Args:
        api: The API server.
        namespace: Whose pods; empty: all.
    """

    def __init__(self, api: KubernetesApi, namespace: str = "") -> None:
        self._api = api
        self._namespace = namespace
        self._stopped = Event()
        self._thread = Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(INTERVAL):
            # The API server of some tests is away for a while.
            with suppress(OSError, Refused):
                for pod in self._api.all("v1", "Pod", self._namespace):
                    if condition(pod, "Ready").get("status") != "True":
                        self._make_ready(pod)

    def _make_ready(self, pod: Object) -> None:
        conditions = [{"type": one, "status": "True"} for one in ("ContainersReady", "Ready")]
        # It may be gone by now.
        with suppress(Refused):
            change = {"status": {"phase": "Running", "conditions": conditions}}
            self._api.patch(pod, change, "status")
