"""The rows of the embedded gateway: the data path without a broker."""

from benchmarks import echo, footprint, latency, throughput
from benchmarks.rows import show


async def measure() -> None:
    """Measure one thing after the other: they share two cores."""
    show("IN MEMORY, 100-byte messages, this machine", "found", "goal")
    batches = await throughput.messages_per_second(300_000, one_frame=False)
    show("topic to topic, batch services", f"{batches:,.0f} /s", ">= 50,000 /s")
    frames = await throughput.messages_per_second(15_000, one_frame=True)
    show("topic to topic, riff's services", f"{frames:,.0f} /s")
    show("  batch services over riff's", f"{batches / frames:.1f} x", ">= 10 x")
    limit = await echo.messages_per_second(1_000_000, batches=True)
    show("bare gRPC echo of the same frames of 500", f"{limit:,.0f} /s")
    single = await echo.messages_per_second(20_000, batches=False)
    show("bare gRPC echo of single messages", f"{single:,.0f} /s")
    direct, through = await latency.medians(rounds=5, messages=3000, per_second=1000)
    for percentile, goal in ((50, 3), (99, 15)):
        what = f"at 1,000 /s, p{percentile}"
        show(f"publish to read {what}", f"{direct[percentile]:.1f} ms")
        show(f"publish to output {what}", f"{through[percentile]:.1f} ms")
        added = through[percentile] - direct[percentile]
        show("  added by the processor", f"{added:.1f} ms", f"<= {goal} ms")
    sidecar = await footprint.of_a_sidecar(1_000_000)
    start, middle, end = sidecar.resident
    show("sidecar ready", f"{sidecar.ready_after:.2f} s", "<= 1 s")
    show("sidecar resident, idle", f"{start:.0f} MiB", "<= 80 MiB")
    show("sidecar resident, after 500,000 and 1,000,000 messages", f"{middle:.0f}, {end:.0f} MiB")
    show("penstock run, time-averager ready", f"{footprint.seconds_of_run():.1f} s", "<= 3 s")
    show("penstock --help", f"{footprint.seconds_of_help():.2f} s", "<= 0.3 s")
