"""The brokers refuse what the sidecar wants to publish: nothing is acked that is not stored."""

import asyncio
import resource
from pathlib import Path

from tests.kafka.conftest import StartPipeline
from tests.kafka.waiting import until
from tests.servers.kafka import KafkaServer
from tests.servers.secure_kafka import MALLORY, SecureKafka

MESSAGES = 5000
RECOVERED_WITHIN = 25.0  # seconds
FILE_BYTES = 512 * 1024


async def test_a_quota_is_used_up(start_pipeline: StartPipeline, broker: KafkaServer) -> None:
    pipeline = await start_pipeline()
    await pipeline.add_sidecar()
    await pipeline.source.publish(MESSAGES)
    await pipeline.until_out(MESSAGES)

    async def change(*change: str) -> None:
        whose = ("--entity-type", "clients", "--entity-name", "penstock")
        await asyncio.to_thread(
            broker.tool, "kafka.admin.ConfigCommand", "--alter", *whose, *change
        )

    await change("--add-config", "producer_byte_rate=20000")
    try:
        await pipeline.source.publish(MESSAGES)
        await pipeline.until_out(MESSAGES + 1)
        await pipeline.check_acks()
        assert len(pipeline.outputs.numbers) < 2 * MESSAGES, "the quota holds it up"
    finally:
        await change("--delete-config", "producer_byte_rate")
    await pipeline.until_recovered(RECOVERED_WITHIN)
    await pipeline.finish()


async def test_a_right_is_missing(
    start_pipeline: StartPipeline, secure_kafka: SecureKafka, tmp_path: Path
) -> None:
    password = tmp_path / "password"
    password.write_text(MALLORY.password)
    pipeline = await start_pipeline(
        secure_kafka.address("SASL_PLAINTEXT"),
        server=secure_kafka.server,
        auth={
            "type": "scram-sha-512",
            "username": MALLORY.name,
            "passwordSecret": {"file": str(password)},
        },
    )
    source, target = pipeline.topics
    await allow(secure_kafka, "Read", "--topic", source, "--group", pipeline.group)
    await allow(secure_kafka, "Describe", "--topic", target)
    sidecar = await pipeline.add_sidecar()
    await pipeline.source.publish(MESSAGES)
    await until(lambda: "Write to publish" in sidecar.text, "the log says which right is missing")
    await pipeline.check_acks()

    async with pipeline.recovery(RECOVERED_WITHIN):
        await allow(secure_kafka, "Write", "--topic", target)
    await pipeline.finish()
    assert sidecar.exit_code is None


async def allow(kafka: SecureKafka, right: str, *to: str) -> None:
    """Give Mallory a right."""
    await asyncio.to_thread(
        kafka.server.tool,
        "org.apache.kafka.tools.AclCommand",
        *("--add", "--allow-principal", f"User:{MALLORY.name}", "--operation", right, *to),
    )


async def test_one_message_is_too_large(start_pipeline: StartPipeline) -> None:
    pipeline = await start_pipeline()
    sidecar = await pipeline.add_sidecar()
    await pipeline.administrator.set(pipeline.topics[1], max_message_bytes="2000")
    await pipeline.source.publish(MESSAGES)
    await pipeline.until_out(MESSAGES)

    await pipeline.source.publish(1, size=3000)
    await until(lambda: "stops at" in sidecar.text, "the partition of the message stops")
    partition, offset = pipeline.source.sent[MESSAGES]
    (failure,) = (line for line in sidecar.warnings if " ERROR " in line)
    assert f"partition {partition} stops at in[{partition}] {offset}" in failure
    assert "output out" in failure
    assert "max.message.bytes" in failure

    async def acked_up_to_it() -> bool:
        return (await pipeline.acked()).get(partition) == offset

    await until(acked_up_to_it, "what is before it is acked")
    await pipeline.check_acks()

    await pipeline.source.publish(MESSAGES)
    await pipeline.administrator.set(pipeline.topics[1])
    sidecar.kill()
    async with pipeline.recovery():
        # Of the other partitions all may have come out before.
        await pipeline.source.publish(MESSAGES)
        await pipeline.start(sidecar)
    await pipeline.finish()


async def test_the_disk_is_full(start_pipeline: StartPipeline, broker: KafkaServer) -> None:
    """Files may not grow any more; a broker gives up then, until there is room again."""
    pipeline = await start_pipeline()
    await pipeline.add_sidecar()
    pipeline.source.start(per_second=10_000)
    await pipeline.until_out(MESSAGES)

    resource.prlimit(broker.pid, resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
    await until(lambda: not broker.is_running, "the broker gives up")
    broker.kill()
    await asyncio.to_thread(broker.start)
    await pipeline.until_recovered(RECOVERED_WITHIN)

    await pipeline.until_out(len(pipeline.outputs.numbers) + MESSAGES)
    await pipeline.source.stop()
    await pipeline.finish()
