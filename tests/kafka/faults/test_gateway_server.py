"""The gateway's server between the sidecar and the broker is killed, and started again."""

import asyncio

import pytest

from tests.kafka.conftest import StartPipeline
from tests.kafka.processes import Gateway
from tests.servers.kafka import KafkaServer

PER_SECOND = 2000
TIMES = 3
RECOVERED_WITHIN = 25.0  # seconds


@pytest.mark.parametrize("way", ["kill", "stop"])
async def test_gateway_server_is_started_again(
    start_pipeline: StartPipeline, broker: KafkaServer, way: str
) -> None:
    pipeline = await start_pipeline()
    with Gateway(broker.bootstrap_servers) as gateway:
        await asyncio.to_thread(gateway.begin)
        sidecar = await pipeline.add_sidecar(gateway=gateway)
        pipeline.source.start(PER_SECOND)
        await pipeline.until_out(PER_SECOND)

        for _ in range(TIMES):
            await asyncio.to_thread(getattr(gateway, way))
            await asyncio.to_thread(gateway.begin)
            await pipeline.until_recovered(RECOVERED_WITHIN)

        await pipeline.source.stop()
        await pipeline.finish()
        assert sidecar.exit_code is None
