"""A real Apache Kafka: one node in KRaft mode, on free ports of the loopback."""

import asyncio
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from tests.servers.class_archive import ClassArchive
from tests.servers.installation import Installation
from tests.servers.kafka_properties import Listener, broker_properties
from tests.servers.ports import HOST, free_port, is_open
from tests.servers.process import ServerFailed, ServerProcess

LOG_SETTINGS = Path(__file__).parent / "log4j2.properties"
CLUSTER_ID = "penstock-tests-cluster"  # 22 characters of base64, as Kafka wants it
TOOL_PATIENCE = 60.0

QUICK_START = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
"""Java starts sooner and is warm at once; a broker is no slower with it, and takes less memory."""


class KafkaServer:
    """A broker that is its own controller; a context manager that starts and ends it.

    Its methods wait until what they say is done, so an async test calls the slow ones (`start`,
    `stop`, `restart`, `move`, `tool`) by `asyncio.to_thread`.

    Args:
        properties: Settings of the broker, over those of `broker_properties`.
        listeners: What there is beside the listener PLAINTEXT, which asks for nothing.
        format_arguments: What Kafka's StorageTool is told besides, such as SCRAM users.
        java_options: Options of Java, such as system properties.
        installation: Kafka's classes; what `Installation.find` finds if it is None.

    Raises:
        Unavailable: Kafka cannot be had on this machine.
    """

    def __init__(
        self,
        properties: Mapping[str, str] | None = None,
        *,
        listeners: Sequence[Listener] = (),
        format_arguments: Sequence[str] = (),
        java_options: Sequence[str] = QUICK_START,
        installation: Installation | None = None,
    ) -> None:
        self._installation = installation or Installation.find()
        self._archive = ClassArchive(self._installation.archive)
        self._properties = dict(properties or {})
        self._listeners = (Listener("PLAINTEXT"), *listeners)
        self._format_arguments = format_arguments
        self._java_options = java_options
        self._process = ServerProcess("Kafka")
        self._controller_port = free_port()
        self._ports: dict[str, int] = {}
        self._take_ports()

    def __enter__(self) -> Self:
        self._process.__enter__()
        try:
            self._format()
            self.start()
        except BaseException:
            self._process.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.__exit__(exc_type, exc, traceback)

    @property
    def bootstrap_servers(self) -> str:
        """The address of the listener PLAINTEXT."""
        return self.address("PLAINTEXT")

    def address(self, listener: str) -> str:
        """The address of a listener, `host:port`; `move` changes it."""
        return f"{HOST}:{self.port(listener)}"

    def port(self, listener: str = "PLAINTEXT") -> int:
        """The port of a listener; `move` changes it."""
        return self._ports[listener]

    @property
    def log(self) -> str:
        """What the broker has logged so far."""
        return self._process.log.read_text(errors="replace")

    @property
    def pid(self) -> int:
        """The id of the broker's process."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether there is a broker; one may give up by itself."""
        return self._process.is_running

    def start(self) -> None:
        """Start the broker, and wait until it answers a request for metadata.

        Raises:
            ServerFailed: It did not; with the end of its log.
        """
        self._write_settings()
        options = (
            "-Xmx512m",
            *self._java_options,
            *self._archive.options(self._process.folder),
            f"-Dlog4j2.configurationFile={LOG_SETTINGS}",
        )
        command = self._installation.command("kafka.Kafka", str(self._settings), options=options)
        self._process.start(command, self._answers)

    def stop(self) -> None:
        """Shut the broker down as an operator does; its data stay."""
        self._process.stop()
        self._archive.keep(self._process.folder)

    def kill(self) -> None:
        """End the broker at once, as a crash does; its data stay."""
        self._process.kill()

    def freeze(self) -> None:
        """Let the broker stand still, its connections open, until `thaw`."""
        self._process.freeze()

    def thaw(self) -> None:
        """Let the broker go on."""
        self._process.thaw()

    def restart(self) -> None:
        """Stop and start the broker: same data, same ports."""
        self.stop()
        self.start()

    def move(self) -> None:
        """Stop the broker, and start it with the same data on other ports."""
        self.stop()
        self._take_ports()
        self.start()

    def tool(self, class_name: str, *arguments: str) -> str:
        """What one of Kafka's command line tools prints.

        Args:
            class_name: Such as `org.apache.kafka.tools.consumer.group.ConsumerGroupCommand`.
            arguments: Its arguments, without `--bootstrap-server`.

        Raises:
            ServerFailed: The tool failed; with what it printed.
        """
        address = ("--bootstrap-server", self.bootstrap_servers)
        return self._run(class_name, *address, *arguments)

    @property
    def _settings(self) -> Path:
        return self._process.folder / "server.properties"

    def _take_ports(self) -> None:
        self._ports = {listener.name: free_port() for listener in self._listeners}

    def _format(self) -> None:
        self._write_settings()
        self._run(
            "kafka.tools.StorageTool",
            *("format", "--cluster-id", CLUSTER_ID, "--config", str(self._settings)),
            *self._format_arguments,
        )

    def _run(self, class_name: str, *arguments: str) -> str:
        command = self._installation.command(class_name, *arguments, options=QUICK_START)
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=TOOL_PATIENCE, check=False
        )
        if done.returncode:
            raise ServerFailed(f"{class_name} failed:\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def _write_settings(self) -> None:
        properties = broker_properties(
            self._listeners, self._ports, self._controller_port, self._process.folder / "data"
        )
        lines = (f"{name}={value}\n" for name, value in (properties | self._properties).items())
        self._settings.write_text("".join(lines))

    def _answers(self) -> bool:
        if not is_open(self.port()):
            return False
        # A loop of its own, in a thread of its own: the caller's may be running.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, has_brokers(self.bootstrap_servers)).result()


async def has_brokers(bootstrap_servers: str) -> bool:
    """Whether metadata can be had, and names a broker."""
    client = AIOKafkaClient(bootstrap_servers=bootstrap_servers, request_timeout_ms=5_000)
    with suppress(KafkaError):
        try:
            await client.bootstrap()
            return bool(client.cluster.brokers())
        finally:
            await client.close()
    return False
