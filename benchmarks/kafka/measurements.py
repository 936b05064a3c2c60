"""The rows of Kafka: the data path beside what bare clients do, on one broker, in turn."""

import asyncio
import subprocess
import sys
from statistics import median

from benchmarks import echo
from benchmarks.kafka import path
from benchmarks.kafka.broker import broker, fill, make_topics
from benchmarks.pipeline import gateway
from benchmarks.rows import show
from tests.servers.requirement import Unavailable

ROUNDS = 3
RECORDS = 400_000
SINGLES = 8_000
"""Records where each costs a call."""


async def measure() -> None:
    """Measure one thing after the other: they share two cores."""
    try:
        async with broker() as bootstrap:
            show("KAFKA, 100-byte messages, 4 partitions", "found", "goal")
            await _copying(bootstrap)
            await _gateway(bootstrap)
            await _latency(bootstrap)
            await _weight(bootstrap)
    except Unavailable as reason:
        show("KAFKA", str(reason))


async def _copying(bootstrap: str) -> None:
    """Topic to topic: penstock and the copy loops in turn, the median of each."""
    await make_topics(bootstrap, "source", "slowest")
    await fill(bootstrap, "source", RECORDS)
    rates: dict[str, list[float]] = {}
    for turn in range(ROUNDS):
        targets = [f"{way}_{turn}" for way in ("penstock", "send_batch", "send", "confluent")]
        await make_topics(bootstrap, *targets)
        rate = await path.messages_per_second(bootstrap, "source", targets[0], RECORDS)
        rates.setdefault("penstock", []).append(rate)
        for target in targets[1:]:
            way = target.removesuffix(f"_{turn}")
            rate = await asyncio.to_thread(
                path.copied_per_second, way, bootstrap, "source", target, RECORDS
            )
            rates.setdefault(way, []).append(rate)
    found = {way: median(several) for way, several in rates.items()}
    found["faststream"] = await asyncio.to_thread(
        path.copied_per_second, "faststream", bootstrap, "source", "slowest", SINGLES
    )
    ours = found.pop("penstock")
    show("Kafka to sidecar to function to Kafka", f"{ours:,.0f} /s")
    goals = {"send_batch": ">= 0.5 x", "send": ">= 1.0 x"}
    names = {
        "send_batch": "aiokafka's copy loop, send_batch",
        "send": "aiokafka's copy loop, send",
        "confluent": "confluent-kafka's copy loop",
        "faststream": "FastStream's handler",
    }
    for way, rate in found.items():
        show(names[way], f"{rate:,.0f} /s")
        show("  penstock over it", f"{ours / rate:.2f} x", goals.get(way, ""))


async def _gateway(bootstrap: str) -> None:
    """Publishing and receiving through the gateway, beside the bare client and a bare echo."""
    await make_topics(bootstrap, "bare", "batches", "singles")
    async with gateway("kafka", f"bootstrapServers={bootstrap}") as address:
        for verb in ("publish", "receive"):
            bare = await _client(f"aiokafka-{verb}", bootstrap, "bare", RECORDS)
            ours = await _client(f"batch-{verb}", address, "batches", RECORDS)
            show(f"aiokafka, {verb} batches", f"{bare:,.0f} /s")
            show(f"gateway's batch service, {verb}", f"{ours:,.0f} /s")
            show("  over aiokafka", f"{ours / bare:.2f} x", ">= 0.6 x")
        for verb, streams in (("publish", False), ("receive", True)):
            ours = await _client(f"riff-{verb}", address, "singles", SINGLES)
            bare = await echo.messages_per_second(SINGLES, batches=False, streams=streams)
            what = "stream" if streams else "calls"
            show(f"riff's service, {verb}", f"{ours:,.0f} /s")
            show(f"bare gRPC echo of single messages, {what}", f"{bare:,.0f} /s")
            show("  riff's service over it", f"{ours / bare:.2f} x", ">= 0.8 x")


async def _client(way: str, address: str, topic: str, count: int) -> float:
    """The median of what a client of `clients` does, in a process of its own each time."""
    run = [sys.executable, "-m", "benchmarks.kafka.clients", way, address, topic, str(count)]

    def once() -> float:
        done = subprocess.run(run, check=True, capture_output=True, text=True)
        return float(done.stdout)

    return median([await asyncio.to_thread(once) for _ in range(ROUNDS)])


async def _latency(bootstrap: str) -> None:
    found = [await path.latencies(bootstrap, turn, 3000, 1000) for turn in range(ROUNDS)]
    for percentile, goal in ((50, ""), (99, "<= 20 ms")):
        middle = median(one[percentile] for one in found)
        show(f"publish to output at 1,000 /s, p{percentile}", f"{middle:.1f} ms", goal)


async def _weight(bootstrap: str) -> None:
    weight = await path.weight(bootstrap, 2_000_000)
    show("sidecar with Kafka ready", f"{weight.ready_after:.2f} s", "<= 1 s")
    show("  resident, idle", f"{weight.idle:.0f} MiB")
    grown = f"{weight.middle:.0f}, {weight.end:.0f} MiB"
    show("  resident, after 1,000,000 and 2,000,000 messages", grown, "<= 120 MiB")
