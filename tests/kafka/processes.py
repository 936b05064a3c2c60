"""The processes between two topics: the function's host, the sidecar, the gateway's server."""

import json
import os
import re
import sys
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar

from tests.kafka import copier
from tests.kafka.traffic.messages import INPUT, OUTPUT
from tests.servers.ports import HOST, free_port, is_open
from tests.servers.process import ServerProcess

_ROOT = Path(__file__).parents[2]


class _Python(ServerProcess):
    """A module of Python as a process; its folder and its port stay when it is started again.

    Attributes:
        port: Where it listens.
    """

    module: ClassVar[str]

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.port = free_port()

    @property
    def text(self) -> str:
        """What it has printed so far, in all its lives."""
        return self.log.read_text(errors="replace")

    @property
    def address(self) -> str:
        """Where it listens, `host:port`."""
        return f"{HOST}:{self.port}"

    def run(
        self,
        *arguments: str,
        is_ready: Callable[[], bool],
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Start it, and wait until it is ready.

        Raises:
            ServerFailed: It did not get ready.
        """
        self.start([sys.executable, "-m", self.module, *arguments], is_ready, environment)


class Function(_Python):
    """The invoker with the function `copier.copy`."""

    module = "penstock_invoker"

    def begin(self) -> None:
        """Start it."""
        self.hold_on = False
        self.run(
            f"{copier.__name__}:copy",
            is_ready=lambda: is_open(self.port),
            environment={
                "GRPC_PORT": str(self.port),
                "PYTHONPATH": f"{_ROOT}:{os.environ.get('PYTHONPATH', '')}",
            },
        )

    @property
    def is_held(self) -> bool:
        """Whether the function stands still within a call."""
        return (self.folder / copier.HELD).exists()

    @property
    def hold_on(self) -> bool:
        """Whether the function is to stand still as soon as it is called."""
        return (self.folder / copier.HOLD).exists()

    @hold_on.setter
    def hold_on(self, held: bool) -> None:
        (self.folder / copier.HELD).unlink(missing_ok=True)
        if held:
            (self.folder / copier.HOLD).touch()
        else:
            (self.folder / copier.HOLD).unlink(missing_ok=True)


class Sidecar(_Python):
    """A sidecar between two topics.

    Args:
        name: What it is called here.
        group: Its consumer group.
        topics: The topics of its input and its output.
        function: `host:port` of the function's host.
        gateway: `host:port` of the gateway.
        connection: What is behind the gateway, for a sidecar that goes past it.
        member: The name that it keeps in its group, or empty.

    Attributes:
        port: That of its metrics.
    """

    module = "penstock_sidecar"

    def __init__(
        self,
        name: str,
        group: str,
        topics: tuple[str, str],
        *,
        function: str,
        gateway: str = f"{HOST}:1",
        connection: Mapping[str, object] | None = None,
        member: str = "",
    ) -> None:
        super().__init__(name)
        self._group = group
        self._topics = topics
        self._function = function
        self._gateway = gateway
        self._connection = connection
        self._member = member

    def begin(self, *, wait: bool = True) -> None:
        """Start it.

        Args:
            wait: Until messages can flow.
        """
        for side, topic in zip(("input_000", "output_000"), self._topics, strict=True):
            self._write_binding(self.folder / "bindings" / side, topic)
        self._ready.unlink(missing_ok=True)
        self.run(
            is_ready=lambda: self.is_ready or not wait,
            environment={
                "FUNCTION": self._function,
                "GROUP": self._group,
                "INPUT_NAMES": INPUT,
                "OUTPUT_NAMES": OUTPUT,
                "INPUT_START_OFFSETS": "earliest",
                "CNB_BINDINGS": str(self.folder / "bindings"),
                "PENSTOCK_READY_FILE": str(self._ready),
                "PENSTOCK_MEMBER": self._member,
                "PENSTOCK_LOG_FORMAT": "text",
                "PENSTOCK_HOST": HOST,
                "PENSTOCK_METRICS_PORT": str(self.port),
            },
        )

    @property
    def is_ready(self) -> bool:
        """Whether messages can flow."""
        return self._ready.exists()

    @property
    def warnings(self) -> list[str]:
        """The lines of its log that tell of something unusual."""
        return re.findall(r"^\S+ (?:WARNING|ERROR) .*$", self.text, re.MULTILINE)

    def metric(self, name: str) -> float:
        """The value of one of its metrics, all labels added up; 0 while it serves none."""
        try:
            with urllib.request.urlopen(f"http://{self.address}/metrics", timeout=5) as page:
                text: str = page.read().decode()
        except OSError:
            return 0.0
        values = re.findall(rf"^{name}(?:{{.*}})? (\S+)$", text, re.MULTILINE)
        return sum(map(float, values))

    @property
    def _ready(self) -> Path:
        return self.folder / "ready"

    def _write_binding(self, folder: Path, topic: str) -> None:
        files = {
            "metadata/contentType": "text/plain",
            "secret/gateway": self._gateway,
            "secret/topic": topic,
        }
        if self._connection:
            files["secret/connection"] = json.dumps(self._connection)
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)


class Gateway(_Python):
    """`penstock gateway serve kafka`.

    Args:
        bootstrap_servers: The brokers behind it.
    """

    module = "penstock.cli"

    def __init__(self, bootstrap_servers: str) -> None:
        super().__init__("gateway")
        self._bootstrap_servers = bootstrap_servers

    def begin(self) -> None:
        """Start it, and wait until it accepts connections."""
        self.run(
            *("gateway", "serve", "kafka", "--port", str(self.port)),
            *("--set", f"bootstrapServers={self._bootstrap_servers}"),
            is_ready=lambda: is_open(self.port),
        )
