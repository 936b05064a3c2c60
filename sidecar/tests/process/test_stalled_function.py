"""A function that stands still while its input comes as fast as it can be read."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import pytest

from penstock.plugin import Edge, Gateway, Group, Message
from tests.servers.ports import free_port

MESSAGES = 40_000
PAYLOAD = 2_000
"""Bytes of each: 76 MiB in all."""
BUFFER = 4
"""MiB that the sidecar may keep."""
MOST_GROWTH = 36
"""MiB by which it may grow: with this buffer it does by 25, and without one by 47."""

Item = tuple[int, Message]
Until = Callable[[Callable[[], Awaitable[bool] | bool]], Awaitable[None]]


class Served(Protocol):
    address: str


class Functions(Protocol):
    async def streams(self, function: Callable[[AsyncIterator[Item]], Any]) -> Served: ...


class Sidecar(Protocol):
    process: "subprocess.Popen[bytes]"

    async def until_ready(self) -> None: ...
    async def stop(self) -> int: ...


class Sidecars(Protocol):
    def bind(self, name: str, gateway: str, topic: str, type_: str = ...) -> Path: ...
    def start(self, function: str = ..., **others: str) -> Sidecar: ...


def mebibytes(sidecar: Sidecar, field: str) -> float:
    """A number of /proc/PID/status: VmRSS is what is resident, VmHWM what was at most."""
    status = Path(f"/proc/{sidecar.process.pid}/status").read_text()
    [line] = [one for one in status.splitlines() if one.startswith(f"{field}:")]
    return int(line.split()[1]) / 1024


async def is_full(metrics: str) -> bool:
    """Whether a sidecar reads no more, as one of its buffers is full."""
    async with aiohttp.ClientSession() as session, session.get(metrics) as response:
        lines = (await response.text()).splitlines()
    kept, limit = (
        [float(line.rpartition(" ")[2]) for line in sorted(lines) if line.startswith(name)]
        for name in ("penstock_sidecar_buffer_bytes{", "penstock_sidecar_buffer_limit_bytes{")
    )
    return any(now >= most for now, most in zip(kept, limit, strict=True))


@pytest.mark.timeout(120)
async def test_memory_has_a_bound_and_nothing_is_lost(
    sidecars: Sidecars, gateway: tuple[Gateway, str], functions: Functions, until: Until
) -> None:
    store, address = gateway
    sidecars.bind("input_000", address, "in")
    sidecars.bind("output_000", address, "out")
    goes_on = asyncio.Event()

    async def stalled(items: AsyncIterator[Item]) -> AsyncIterator[Item]:
        await goes_on.wait()
        async for _, message in items:
            yield 0, message._replace(payload=message.payload[:5])

    served = await functions.streams(stalled)
    port = free_port()
    sidecar = sidecars.start(
        served.address,
        PENSTOCK_BUFFER_BYTES=f"{BUFFER}Mi",
        PENSTOCK_METRICS_PORT=str(port),
        PENSTOCK_HOST="127.0.0.1",
    )
    await sidecar.until_ready()
    at_rest = mebibytes(sidecar, "VmRSS")
    for first in range(0, MESSAGES, 1000):
        numbers = range(first, first + 1000)
        texts = [b"%05d" % number + b"x" * (PAYLOAD - 5) for number in numbers]
        await store.publish("in", [Message(text, "text/plain") for text in texts])

    await until(lambda: is_full(f"http://127.0.0.1:{port}/metrics"))
    goes_on.set()
    came: list[bytes] = []
    watcher = await store.subscribe("out", Group("watcher"), Edge.EARLIEST)
    async with watcher, asyncio.timeout(90):
        await watcher.next_event()
        while len(came) < MESSAGES:
            records = await watcher.read(0, 1000)
            came += [record.message.payload for record in records]
    assert came == [b"%05d" % number for number in range(MESSAGES)]
    assert mebibytes(sidecar, "VmHWM") - at_rest < MOST_GROWTH
    assert await sidecar.stop() == 0
