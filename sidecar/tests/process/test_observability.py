"""What a sidecar's process shows of itself: its log, its metrics, and what it does not load."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from penstock.plugin import Gateway, Message

Item = tuple[int, Message]
Until = Callable[[Callable[[], Awaitable[bool] | bool]], Awaitable[None]]


class Served(Protocol):
    address: str


class Functions(Protocol):
    async def one_value(
        self, function: Callable[[Item], Sequence[Item]], port: int = 0
    ) -> Served: ...


class Sidecar(Protocol):
    process: "subprocess.Popen[bytes]"

    @property
    def log(self) -> str: ...
    async def until_ready(self) -> None: ...
    async def wait(self) -> int: ...
    async def stop(self) -> int: ...


class Sidecars(Protocol):
    bindings: Path

    def bind(self, name: str, gateway: str, topic: str, type_: str = ...) -> Path: ...
    def environment(self, function: str = ..., **others: str) -> dict[str, str]: ...
    def start(self, function: str = ..., **others: str) -> Sidecar: ...
    def run(self, environment: Mapping[str, str]) -> tuple[int, str]: ...


def same(item: Item) -> Sequence[Item]:
    return [(0, item[1])]


def fail(_: Item) -> Sequence[Item]:
    raise ValueError("no\ngood")


@pytest.fixture
def bound(sidecars: Sidecars, gateway: tuple[Gateway, str]) -> Gateway:
    """A gateway whose topics `in` and `out` are bound to the input and the output."""
    store, address = gateway
    sidecars.bind("input_000", address, "in")
    sidecars.bind("output_000", address, "out")
    return store


async def publish(store: Gateway, count: int) -> None:
    await store.publish("in", [Message(b"12345", "text/plain")] * count)


def events(sidecar: Sidecar) -> list[dict[str, Any]]:
    """Its log, of which every line is an object."""
    return [json.loads(line) for line in sidecar.log.splitlines()]


# Metrics.


async def test_a_process_shows_its_metrics_on_the_port_that_it_is_told(
    sidecars: Sidecars, functions: Functions, bound: Gateway, free_port: int, until: Until
) -> None:
    host = await functions.one_value(same)
    await publish(bound, 1000)
    sidecar = sidecars.start(
        host.address, PENSTOCK_METRICS_PORT=str(free_port), PENSTOCK_HOST="127.0.0.1"
    )
    await sidecar.until_ready()

    async def acked() -> bool:
        return (await bound.positions("in", "g")).get(0, {}) == {0: 999}

    await until(acked)
    url = f"http://127.0.0.1:{free_port}/metrics"
    text = await asyncio.to_thread(lambda: urlopen(url, timeout=10).read().decode())
    values = {
        sample.name: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert values["penstock_sidecar_input_messages_total"] == 1000
    assert values["penstock_sidecar_output_messages_total"] == 1000
    assert values["penstock_sidecar_output_bytes_total"] == 5000
    assert values["penstock_sidecar_end_to_end_seconds_count"] >= 1
    # It weighs what a sidecar may weigh.
    assert values["process_resident_memory_bytes"] < 80 * 1024 * 1024
    assert await sidecar.stop() == 0


async def test_nothing_is_loaded_that_nobody_asked_for(
    sidecars: Sidecars, functions: Functions, bound: Gateway, until: Until
) -> None:
    script = (
        "import sys\n"
        "from penstock_sidecar.__main__ import main\n"
        "status = main()\n"
        "print({'prometheus_client', 'opentelemetry', 'http.server'} & set(sys.modules), status)"
    )
    host = await functions.one_value(same)
    environment = {**os.environ, **sidecars.environment(host.address)}
    with subprocess.Popen(  # noqa: ASYNC220 - as the fixture does
        [sys.executable, "-c", script],
        env={name: value for name, value in environment.items() if not name.startswith("OTEL_")},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        await publish(bound, 10)

        async def acked() -> bool:
            return (await bound.positions("in", "g")).get(0, {}) == {0: 9}

        await until(acked)
        process.send_signal(signal.SIGTERM)
        output, _ = await asyncio.to_thread(process.communicate, timeout=10)
    assert output == "set() 0\n"


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_port_that_is_none_is_exit_code_2(sidecars: Sidecars, port: str) -> None:
    status, log = sidecars.run(sidecars.environment(PENSTOCK_METRICS_PORT=port))
    assert status == 2
    assert f"PENSTOCK_METRICS_PORT='{port}': expected a port, 0 to 65535" in log


@pytest.mark.usefixtures("bound")
async def test_a_port_in_use_is_exit_code_2(sidecars: Sidecars, functions: Functions) -> None:
    host = await functions.one_value(same)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        sidecar = sidecars.start(
            host.address, PENSTOCK_METRICS_PORT=port, PENSTOCK_HOST="127.0.0.1"
        )
        assert await sidecar.wait() == 2
    assert f"port {port} of 127.0.0.1 for metrics is not to be had" in sidecar.log


# The log.


async def test_each_event_is_an_object_with_its_context(
    sidecars: Sidecars, functions: Functions, bound: Gateway, until: Until
) -> None:
    host = await functions.one_value(same)
    await publish(bound, 1)
    sidecar = sidecars.start(host.address, PENSTOCK_LOG_FORMAT="")
    await until(lambda: "reading partitions" in sidecar.log)
    assert await sidecar.stop() == 0
    logged = events(sidecar)
    assert [one["message"].partition(":")[0] for one in logged] == [
        "ready",
        "input in",
        "stopping within 30 s",
        "stopped",
    ]
    for one in logged:
        assert datetime.fromisoformat(one["time"]).tzinfo
        assert (one["level"], one["processor"]) == ("INFO", "g")
    ready, reading, *_ = logged
    assert (ready["group"], ready["streams"]) == ("g", ["in", "out"])
    assert (reading["input"], reading["partitions"]) == ("in", [0])


async def test_a_failure_of_several_lines_is_one_event(
    sidecars: Sidecars, functions: Functions, bound: Gateway, until: Until
) -> None:
    host = await functions.one_value(fail)
    await publish(bound, 1)
    sidecar = sidecars.start(
        host.address, PENSTOCK_LOG_FORMAT="json", PENSTOCK_DELIVERY='{"maxDeliveries": 1}'
    )
    await until(lambda: "no good" in sidecar.log)
    assert await sidecar.stop() == 0
    [stopped] = [one for one in events(sidecar) if one["level"] == "ERROR"]
    assert "partition 0 stops at in[0] 0" in stopped["message"]
    assert "no good" in stopped["message"]
    assert (stopped["input"], stopped["partition"]) == ("in", 0)


async def test_a_fault_is_one_event_with_its_traceback(
    sidecars: Sidecars, functions: Functions, bound: Gateway, tmp_path: Path
) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    # A fault that nobody foresaw, in the middle of it all.
    (folder / "sitecustomize.py").write_text(
        "import penstock_sidecar.processor as processor\n"
        "def fault(*_): raise RuntimeError('a\\nfault')\n"
        "processor.Processor._sinks = fault\n"
    )
    host = await functions.one_value(same)
    await publish(bound, 1)
    sidecar = sidecars.start(host.address, PENSTOCK_LOG_FORMAT="json", PYTHONPATH=str(folder))
    assert await sidecar.wait() == 1
    last = events(sidecar)[-1]
    assert last["message"] == "a fault of the sidecar or of a plugin"
    assert "RuntimeError: a\nfault" in last["exception"]


@pytest.mark.parametrize("format_", ["json", "text"])
async def test_the_settings_of_a_messaging_system_are_never_logged(
    sidecars: Sidecars, functions: Functions, bound: Gateway, format_: str
) -> None:
    secret = "hunter2"
    connection = sidecars.bindings / "input_000/secret/connection"
    spec = f'{{"kind": "UnknownGateway", "spec": {{"password": "{secret}"}}}}'
    connection.write_text(spec)
    host = await functions.one_value(same)
    await publish(bound, 1)
    sidecar = sidecars.start(host.address, PENSTOCK_LOG_FORMAT=format_, PENSTOCK_LOG_LEVEL="debug")
    await sidecar.until_ready()
    assert await sidecar.stop() == 0
    assert secret not in sidecar.log


@pytest.mark.parametrize(
    ("variables", "text"),
    [
        ({"PENSTOCK_LOG_FORMAT": "xml"}, "PENSTOCK_LOG_FORMAT='xml': expected text or json"),
        ({"PENSTOCK_LOG_LEVEL": "9"}, "PENSTOCK_LOG_LEVEL='9': expected one of debug, info"),
    ],
)
def test_a_log_that_cannot_be_is_exit_code_2(
    sidecars: Sidecars, variables: Mapping[str, str], text: str
) -> None:
    status, log = sidecars.run(sidecars.environment(**variables))
    assert status == 2
    assert text in log
    assert log.count("\n") == 1


# Traces.


async def test_traces_that_cannot_be_made_are_said_and_messages_flow(
    sidecars: Sidecars, functions: Functions, bound: Gateway, until: Until, tmp_path: Path
) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    # As if it were not installed.
    (folder / "sitecustomize.py").write_text("import sys; sys.modules['opentelemetry'] = None")
    host = await functions.one_value(same)
    await publish(bound, 1)
    sidecar = sidecars.start(
        host.address,
        OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1",
        PYTHONPATH=str(folder),
    )
    await sidecar.until_ready()

    async def acked() -> bool:
        return (await bound.positions("in", "g")).get(0, {}) == {0: 0}

    await until(acked)
    assert await sidecar.stop() == 0
    assert "OTEL_EXPORTER_OTLP_ENDPOINT asks for traces, and OpenTelemetry is not" in sidecar.log
    assert "pip install 'penstock[tracing]'" in sidecar.log
