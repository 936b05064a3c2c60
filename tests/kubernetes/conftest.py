"""Operators as processes of their own, on a real API server."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import psutil
import pytest

from tests.command_line import Session
from tests.servers.api_proxy import ApiProxy
from tests.servers.kubernetes import KubernetesServer
from tests.servers.ports import HOST, free_port
from tests.servers.pretended_node import PretendedNode

ROOT = Path(__file__).parents[2]


class OperatorProcess:
    """An operator that runs, and can be killed and started again.

    Args:
        kubeconfig: How it reaches the API server.
        provisioner: Where all gateways are.
        namespaces: What it serves; none: all.
    """

    def __init__(self, kubeconfig: Path, provisioner: str, namespaces: Sequence[str]) -> None:
        self._kubeconfig = kubeconfig
        self._arguments = [provisioner, "inmemory,kafka", *namespaces]
        self._log = kubeconfig.with_suffix(".log")
        self._log.touch()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; it is not waited for."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.kubernetes.operator_process", *self._arguments],
                cwd=ROOT,
                env={
                    **os.environ,
                    "KUBECONFIG": str(self._kubeconfig),
                    "PENSTOCK_LOG_FORMAT": "text",
                },
                stderr=log,
            )

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._process is not None and self._process.poll() is None

    @property
    def log(self) -> str:
        """What it has logged so far, in all its starts."""
        return self._log.read_text()

    @property
    def memory(self) -> int:
        """What it holds in memory, in bytes."""
        assert self._process
        return int(psutil.Process(self._process.pid).memory_info().rss)

    @property
    def cpu_seconds(self) -> float:
        """For how long it has used a core."""
        assert self._process
        times = psutil.Process(self._process.pid).cpu_times()
        return float(times.user + times.system)

    def kill(self) -> None:
        """End it at once, as a crash does; it may have ended."""
        if self._process:
            self._process.kill()
            self._process.wait()

    def stop(self) -> int:
        """Ask it to end; the exit code."""
        assert self._process
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(30)


class StartOperator(Protocol):
    """Starts an operator."""

    def __call__(
        self, server: KubernetesServer, *namespaces: str, url: str = "", token: str = ""
    ) -> OperatorProcess:
        """Start one on an API server.

        Args:
            server: The API server.
            namespaces: What it serves; none: all.
            url: Where something stands before the API server.
            token: Who it is; the administrator if it is empty.
        """


@pytest.fixture(scope="session")
def provisioner() -> Iterator[str]:
    """The address of the provisioner of a gateway that serves every namespace."""
    port = free_port()
    arguments = ("--port=0", f"--provisioner-port={port}", "--advertised=memory.example:6565")
    session = Session(("gateway", "serve", "inmemory", *arguments), dict(os.environ))
    session.shows(str(port))
    yield f"{HOST}:{port}"
    session.interrupt()


@pytest.fixture
def start_operator(provisioner: str, tmp_path: Path) -> Iterator[StartOperator]:
    """Starts operators, which are killed after the test; what they logged is shown if it fails."""
    with ExitStack() as stack:
        count = iter(range(100))

        def start(
            server: KubernetesServer, *namespaces: str, url: str = "", token: str = ""
        ) -> OperatorProcess:
            who = {"token": token} if token else {}
            file = tmp_path / f"operator-{next(count)}.kubeconfig"
            operator = OperatorProcess(
                server.kubeconfig(file, url=url, **who), provisioner, namespaces
            )
            stack.callback(lambda: sys.stdout.write(operator.log))
            stack.callback(operator.kill)
            operator.start()
            return operator

        yield start


@pytest.fixture
def node(kubernetes: KubernetesServer, namespace: str) -> Iterator[PretendedNode]:
    """Makes the pods of the test's namespace ready."""
    with PretendedNode(kubernetes.api, namespace) as node:
        yield node


@pytest.fixture
def proxy(kubernetes: KubernetesServer) -> Iterator[ApiProxy]:
    """Stands before the API server that all tests share."""
    with ApiProxy(kubernetes) as proxy:
        yield proxy
