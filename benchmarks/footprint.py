"""Seconds to start, and memory that stays."""

import os
import subprocess
import sys
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from time import perf_counter

import psutil

from benchmarks.pipeline import INPUT, OUTPUT, Streams, gateway, processor
from benchmarks.throughput import BATCH, MESSAGE
from benchmarks.waiting import until
from penstock.wire.remote import RemotePubSub

MIB = 1024 * 1024


@dataclass(frozen=True)
class SidecarFootprint:
    """What one sidecar took.

    Attributes:
        ready_after: Seconds from its start to its being ready.
        resident: MiB when idle, after half of the messages, after all of them.
    """

    ready_after: float
    resident: tuple[float, float, float]


async def of_a_sidecar(messages: int) -> SidecarFootprint:
    """Send so many messages through a sidecar, and weigh it before, half-way and after."""
    async with (
        gateway() as address,
        RemotePubSub(address) as remote,
        processor(Streams(address), "benchmarks.functions:upper") as running,
    ):
        weights = [resident(running.sidecar)]
        for half in (1, 2):
            for _ in range(messages // 2 // BATCH):
                await remote.publish(INPUT, [MESSAGE] * BATCH)
            wanted = half * (messages // 2)

            async def all_are_out(wanted: int = wanted) -> bool:
                ends = await remote.end_positions(OUTPUT)
                return sum(end + 1 for end in ends.values()) >= wanted

            await until(all_are_out)
            weights.append(resident(running.sidecar))
        return SidecarFootprint(running.ready_after, (weights[0], weights[1], weights[2]))


def seconds_of_help(runs: int = 5) -> float:
    """The median time of `penstock --help`."""
    times = []
    for _ in range(runs):
        started = perf_counter()
        subprocess.run(
            [sys.executable, "-m", "penstock.cli", "--help"],
            stdout=subprocess.DEVNULL,
            check=True,
        )
        times.append(perf_counter() - started)
    return sorted(times)[runs // 2]


def seconds_of_run() -> float:
    """How long `penstock run` takes to have the time-averager ready."""
    with TemporaryDirectory(prefix="penstock-bench-") as state:
        started = perf_counter()
        running = subprocess.Popen(
            [sys.executable, "-m", "penstock.cli", "run", "examples/time-averager/app.yaml"],
            env={**os.environ, "PENSTOCK_STATE_DIR": state},
            stdout=subprocess.PIPE,
            text=True,
        )
        assert running.stdout is not None
        try:
            for line in running.stdout:
                if "ready in" in line:
                    return perf_counter() - started
        finally:
            running.terminate()
            running.communicate(timeout=30)
    raise RuntimeError("penstock run ended before it was ready")


def resident(process: "subprocess.Popen[bytes]") -> float:
    """MiB of memory that a process has now."""
    return psutil.Process(process.pid).memory_info().rss / MIB
