"""The broker is away for a while, in the middle of the traffic."""

import asyncio

from tests.kafka.conftest import StartPipeline
from tests.servers.kafka import KafkaServer

PER_SECOND = 3000
LONGER_THAN_A_SESSION = 12.0  # seconds: a member's session ends after 10
RECOVERED_WITHIN = 20.0  # seconds


async def test_broker_is_restarted(start_pipeline: StartPipeline, broker: KafkaServer) -> None:
    pipeline = await start_pipeline()
    await pipeline.add_sidecar()
    pipeline.source.start(PER_SECOND)
    await pipeline.until_out(PER_SECOND)

    await asyncio.to_thread(broker.restart)
    await pipeline.until_recovered(RECOVERED_WITHIN)

    await pipeline.until_out(len(pipeline.outputs.numbers) + PER_SECOND)
    await pipeline.source.stop()
    await pipeline.finish()


async def test_broker_is_killed(start_pipeline: StartPipeline, broker: KafkaServer) -> None:
    pipeline = await start_pipeline()
    await pipeline.add_sidecar()
    pipeline.source.start(PER_SECOND)
    await pipeline.until_out(PER_SECOND)

    broker.kill()
    await asyncio.to_thread(broker.start)
    await pipeline.until_recovered(RECOVERED_WITHIN)

    await pipeline.until_out(len(pipeline.outputs.numbers) + PER_SECOND)
    await pipeline.source.stop()
    await pipeline.finish()


async def test_broker_is_frozen(start_pipeline: StartPipeline, broker: KafkaServer) -> None:
    pipeline = await start_pipeline()
    await pipeline.add_sidecar()
    pipeline.source.start(PER_SECOND)
    await pipeline.until_out(PER_SECOND)

    broker.freeze()
    try:
        await asyncio.sleep(LONGER_THAN_A_SESSION)
    finally:
        broker.thaw()
    await pipeline.until_recovered(RECOVERED_WITHIN)

    await pipeline.until_out(len(pipeline.outputs.numbers) + PER_SECOND)
    await pipeline.source.stop()
    await pipeline.finish()
