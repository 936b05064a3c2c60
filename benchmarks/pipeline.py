"""The path that is measured, in processes of their own: gateway, sidecar and function."""

import json
import subprocess
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from uuid import uuid4

from benchmarks.processes import free_port, process
from benchmarks.waiting import until
from penstock.wire.remote import RemotePubSub

INPUT = "bench_in"
OUTPUT = "bench_out"


@dataclass(frozen=True)
class Streams:
    """Where a processor reads and writes.

    Attributes:
        gateway: `host:port` of the gateway that carries them.
        connection: The kind and the spec of what it hides, for a sidecar that goes past it.
        source, target: Their topics.
    """

    gateway: str
    connection: Mapping[str, object] | None = None
    source: str = INPUT
    target: str = OUTPUT


@dataclass(frozen=True)
class Processor:
    """A function and its sidecar, running.

    Attributes:
        sidecar: The sidecar's process.
        ready_after: Seconds from the sidecar's start to its being ready.
    """

    sidecar: "subprocess.Popen[bytes]"
    ready_after: float


@asynccontextmanager
async def gateway(kind: str = "inmemory", *settings: str) -> AsyncIterator[str]:
    """A gateway in a process of its own, by its address.

    Args:
        kind: Its type.
        settings: Fields of its spec, FIELD=VALUE.
    """
    address = f"127.0.0.1:{free_port()}"
    port = address.rpartition(":")[2]
    fields = (word for setting in settings for word in ("--set", setting))
    serve = ("penstock.cli", "gateway", "serve", kind, "--port", port, *fields)
    with process(*serve, "--provisioner-port", "0"):
        async with RemotePubSub(address) as remote:
            await until(lambda: _answers(remote))
        yield address


@asynccontextmanager
async def processor(
    streams: Streams, function: str, *, one_frame: bool = False
) -> AsyncIterator[Processor]:
    """A function between two topics.

    Args:
        streams: The topics.
        function: `module:function` for the invoker.
        one_frame: Whether to speak riff's protocols, one message a frame.
    """
    port = str(free_port())
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="penstock-bench-")))
        stack.enter_context(process("penstock_invoker", function, GRPC_PORT=port))
        for side, topic in (("input_000", streams.source), ("output_000", streams.target)):
            write_binding(folder / side, streams, topic)
        ready = folder / "ready"
        started = perf_counter()
        sidecar = stack.enter_context(
            process(
                "penstock_sidecar",
                FUNCTION=f"127.0.0.1:{port}",
                GROUP=f"bench-{uuid4().hex}",
                INPUT_NAMES="in",
                OUTPUT_NAMES="out",
                INPUT_START_OFFSETS="earliest",
                CNB_BINDINGS=str(folder),
                PENSTOCK_READY_FILE=str(ready),
                PENSTOCK_PROTOCOL="riff" if one_frame else "batch",
            )
        )

        async def is_ready() -> bool:
            return ready.exists()

        await until(is_ready)
        yield Processor(sidecar, perf_counter() - started)


def write_binding(folder: Path, streams: Streams, topic: str) -> None:
    """What a sidecar finds of a stream, as the volumes of a pod would show it."""
    files = {
        "metadata/contentType": "text/plain",
        "secret/gateway": streams.gateway,
        "secret/topic": topic,
    }
    if streams.connection:
        files["secret/connection"] = json.dumps(streams.connection)
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


async def _answers(remote: RemotePubSub) -> bool:
    await remote.end_positions(OUTPUT)
    return True
