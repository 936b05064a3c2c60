"""What a whole data path shows of itself: gateways, sidecars and functions as processes."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from textwrap import dedent
from urllib.request import urlopen

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from prometheus_client.parser import text_string_to_metric_families

from penstock.plugin import Edge, Group, Message
from penstock.wire.remote import RemotePubSub
from tests.command_line import Penstock, Session

ROOT = Path(__file__).parents[1]
PATIENCE = 30.0
TRACE = "0af7651916cd43dd8448eb211c80319c"
PUBLISHER = "b7ad6b7169203331"
MANIFEST = """\
    apiVersion: streaming.projectriff.io/v1alpha1
    kind: InMemoryGateway
    metadata: {name: memory}
    ---
    apiVersion: streaming.projectriff.io/v1alpha1
    kind: Stream
    metadata: {name: words}
    spec: {gateway: {name: memory}, contentType: text/plain}
    ---
    apiVersion: streaming.projectriff.io/v1alpha1
    kind: Stream
    metadata: {name: shouts}
    spec: {gateway: {name: memory}, contentType: text/plain}
    ---
    apiVersion: streaming.projectriff.io/v1alpha1
    kind: Processor
    metadata: {name: shouter}
    spec:
      inputs: [{stream: words, alias: quiet, startOffset: earliest}]
      outputs: [{stream: shouts}]
      template:
        spec:
          containers:
            - name: function
              image: shouter:latest
              command: [penstock-invoker, "shouter:shout"]
    """


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    (tmp_path / "shouter.py").write_text("def shout(text: str) -> str:\n    return text.upper()\n")
    path = tmp_path / "app.yaml"
    path.write_text(dedent(MANIFEST))
    return path


async def send(session: Session, *messages: Message) -> list[Message]:
    """Publish to `words`, and wait for as many of `shouts`."""
    address = session.shows(r"serves ([0-9.:]+)")[0]
    found: list[Message] = []
    async with asyncio.timeout(PATIENCE), RemotePubSub(address) as remote:
        await remote.publish("default_words", messages)
        async with await remote.subscribe("default_shouts", Group("test"), Edge.EARLIEST) as member:
            await member.next_event()
            while len(found) < len(messages):
                found += [one.message for one in await member.read(0, 100)]
    return found


# Metrics.


def scrape(url: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """The samples of a page, by name and labels."""
    with urlopen(url, timeout=PATIENCE) as answer:
        text = answer.read().decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def key(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset(labels.items())


async def test_a_run_shows_the_metrics_of_its_gateways_and_of_each_sidecar(
    penstock: Penstock, manifest: Path
) -> None:
    with penstock.run(manifest, "--metrics-port", "0") as session:
        await send(session, *[Message(b"12345", "text/plain")] * 100)
        [gateways] = session.shows(r"gateways +(http://127.0.0.1:\d+/metrics)")
        [sidecar] = session.shows(r"shouter +(http://127.0.0.1:\d+/metrics)")
        found = await asyncio.to_thread(scrape, gateways)
        at = {"gateway": "memory", "topic": "default_words"}
        assert found[key("penstock_gateway_published_messages_total", **at)] == 100
        assert found[key("penstock_gateway_received_bytes_total", **at)] == 500
        stream = {"namespace": "default", "stream": "words"}
        assert found[key("penstock_gateway_stream_info", **at, **stream)] == 1
        found = await asyncio.to_thread(scrape, sidecar)
        given = {"processor": "shouter", "input": "quiet", "stream": "words"}
        taken = {"processor": "shouter", "output": "shouts", "stream": "shouts"}
        assert found[key("penstock_sidecar_input_messages_total", **given)] == 100
        assert found[key("penstock_sidecar_output_messages_total", **taken)] == 100
        about = {"processor": "shouter", "namespace": "default", "group": "shouter"}
        assert found[key("penstock_sidecar_info", **about)] == 1
        # A person still reads what the sidecar logs.
        session.shows(r"shouter \(sidecar\) \| \S+Z INFO ready: quiet -> shouts as group shouter")
        assert session.interrupt() == 0


def test_a_run_that_nobody_asks_for_metrics_has_no_port_for_them(
    penstock: Penstock, manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The variable of a sidecar is not for those of a run, which would all take the one port.
    monkeypatch.setitem(penstock.environment, "PENSTOCK_METRICS_PORT", "1")
    with penstock.run(manifest) as session:
        assert not [line for line in session.lines if "metrics" in line]
        assert session.interrupt() == 0


def test_a_port_that_is_taken_ends_a_run(penstock: Penstock, manifest: Path) -> None:
    with penstock.run(manifest, "--metrics-port", "0") as session:
        [port] = session.shows(r"gateways +http://127.0.0.1:(\d+)/metrics")
        other = Penstock(penstock.state.parent / "other")
        done = other("run", str(manifest), "--metrics-port", port, code=2)
        assert f"port {port} of 127.0.0.1 for metrics is not to be had" in done.stderr


def test_the_documentation_shows_the_metrics_that_there_are() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts/generate_metrics.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_process_that_shows_nothing_loads_nothing_for_it(penstock: Penstock) -> None:
    script = (
        "import sys\n"
        "import penstock.cli.run, penstock.cli.gateway, penstock.server\n"
        "print({'prometheus_client', 'opentelemetry'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env=penstock.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "set()\n"


# Traces.


class Collector:
    """An OTLP receiver, as a collector is one.

    Attributes:
        endpoint: Where it listens.
    """

    def __init__(self) -> None:
        self.endpoint = ""
        self._spans: list[tuple[str, Span]] = []
        self._more = asyncio.Event()
        self._server = grpc.aio.server()

    async def open(self) -> None:
        handler = grpc.unary_unary_rpc_method_handler(
            self._export,
            request_deserializer=ExportTraceServiceRequest.FromString,
            response_serializer=ExportTraceServiceResponse.SerializeToString,
        )
        service = "opentelemetry.proto.collector.trace.v1.TraceService"
        handlers = grpc.method_handlers_generic_handler(service, {"Export": handler})
        self._server.add_generic_rpc_handlers((handlers,))
        self.endpoint = f"http://127.0.0.1:{self._server.add_insecure_port('127.0.0.1:0')}"
        await self._server.start()

    async def close(self) -> None:
        await self._server.stop(None)

    async def _export(
        self, request: ExportTraceServiceRequest, _context: object
    ) -> ExportTraceServiceResponse:
        for resource in request.resource_spans:
            names = {one.key: one.value.string_value for one in resource.resource.attributes}
            for scope in resource.scope_spans:
                self._spans += [(names["service.name"], span) for span in scope.spans]
        self._more.set()
        return ExportTraceServiceResponse()

    async def spans(self, count: int) -> dict[tuple[str, str], Span]:
        """The spans by service and name, once there are so many."""
        async with asyncio.timeout(PATIENCE):
            while len(self._spans) < count:
                self._more.clear()
                await self._more.wait()
        return {(service, span.name): span for service, span in self._spans}


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    collector = Collector()
    await collector.open()
    yield collector
    await collector.close()


@pytest.fixture
def penstock(tmp_path: Path) -> Penstock:
    penstock = Penstock(tmp_path / "state")
    for name in [name for name in penstock.environment if name.startswith("OTEL_")]:
        del penstock.environment[name]
    return penstock


async def test_a_trace_goes_from_the_publisher_through_gateway_and_function_to_the_output(
    penstock: Penstock, manifest: Path, collector: Collector
) -> None:
    penstock.environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.endpoint
    penstock.environment["OTEL_BSP_SCHEDULE_DELAY"] = "100"  # milliseconds
    sampled = {"traceparent": f"00-{TRACE}-{PUBLISHER}-01"}
    with penstock.run(manifest) as session:
        one, other = await send(
            session,
            Message(b"loud", "text/plain", headers=sampled),
            Message(b"quiet", "text/plain"),
        )
        spans = await collector.spans(4)
        assert session.interrupt() == 0
    sent = spans["penstock-run", "send default_words"]
    process = spans["shouter", "process default_words"]
    passed_on = spans["shouter", "send default_shouts"]
    stored = spans["penstock-run", "send default_shouts"]
    for span in spans.values():
        assert span.trace_id.hex() == TRACE
    assert sent.parent_span_id.hex() == process.parent_span_id.hex() == PUBLISHER
    assert passed_on.parent_span_id == stored.parent_span_id == process.span_id
    assert process.kind == Span.SPAN_KIND_CONSUMER
    assert process.start_time_unix_nano < process.end_time_unix_nano
    assert one.payload == b"LOUD"
    assert one.headers["traceparent"] == f"00-{TRACE}-{process.span_id.hex()}-01"
    assert (other.payload, dict(other.headers)) == (b"QUIET", {})


async def test_without_tracing_the_header_is_one_as_any_other(
    penstock: Penstock, manifest: Path
) -> None:
    sampled = {"traceparent": f"00-{TRACE}-{PUBLISHER}-01"}
    with penstock.run(manifest) as session:
        [output] = await send(session, Message(b"loud", "text/plain", headers=sampled))
        address = session.shows(r"serves ([0-9.:]+)")[0]
        async with (
            RemotePubSub(address) as remote,
            await remote.subscribe("default_words", Group("test"), Edge.EARLIEST) as member,
        ):
            await member.next_event()
            [record] = await member.read(0, 1)
    assert dict(record.message.headers) == dict(output.headers) == sampled


# Logs of a gateway in a process of its own.


def log_of_a_gateway(folder: Path, format_: str) -> tuple[str, list[str]]:
    """The first line of its output, and its log, line by line."""
    serve = (sys.executable, "-m", "penstock.cli", "gateway", "serve", "inmemory")
    ports = ("--port", "0", "--provisioner-port", "0")
    with (folder / "log").open("w+") as log:
        process = subprocess.Popen(
            [*serve, *ports, "--name", "franz"],
            env={**os.environ, "PENSTOCK_LOG_FORMAT": format_},
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
        assert process.stdout is not None
        first = process.stdout.readline()
        process.terminate()
        process.communicate(timeout=PATIENCE)
        log.seek(0)
        return first, log.read().splitlines()


def test_a_gateway_logs_objects_where_nobody_looks_on(tmp_path: Path) -> None:
    first, lines = log_of_a_gateway(tmp_path, "")
    serving, stopped = map(json.loads, lines)
    assert (serving["message"], serving["gateway"]) == ("serving InMemoryGateway", "franz")
    port = serving["provisioner_port"]
    assert f"serves {serving['address']}, provisioner on port {port};" in first
    assert (stopped["message"], stopped["level"]) == ("stopped", "INFO")


def test_a_gateway_logs_words_where_that_is_asked_for(tmp_path: Path) -> None:
    _, lines = log_of_a_gateway(tmp_path, "text")
    events = [line.split(" ", 1)[1] for line in lines]
    assert events == ["INFO serving InMemoryGateway", "INFO stopped"]
