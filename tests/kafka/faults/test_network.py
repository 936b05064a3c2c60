"""The network between the sidecar and the broker is cut, stands still, and is slow."""

import asyncio

import pytest

from tests.kafka.conftest import StartPipeline
from tests.kafka.pipeline import Pipeline
from tests.servers.proxy import TcpProxy

PER_SECOND = 3000
LONGER_THAN_A_SESSION = 12.0  # seconds: a member's session ends after 10
RECOVERED_WITHIN = 20.0  # seconds
FLAPS = 5


@pytest.fixture
async def pipeline(start_pipeline: StartPipeline, network: TcpProxy) -> Pipeline:
    """A pipeline with traffic, whose sidecar is behind the network."""
    pipeline = await start_pipeline(network.address)
    await pipeline.add_sidecar()
    pipeline.source.start(PER_SECOND)
    await pipeline.until_out(PER_SECOND)
    return pipeline


async def until_through(pipeline: Pipeline) -> None:
    """Let some more traffic go through, and count."""
    await pipeline.until_out(len(pipeline.outputs.numbers) + PER_SECOND)
    await pipeline.source.stop()
    await pipeline.finish()


async def test_network_is_cut(pipeline: Pipeline, network: TcpProxy) -> None:
    await network.cut()
    await asyncio.sleep(LONGER_THAN_A_SESSION)
    await network.restore()
    await pipeline.until_recovered(RECOVERED_WITHIN)
    await until_through(pipeline)


async def test_network_is_cut_again_and_again(pipeline: Pipeline, network: TcpProxy) -> None:
    for _ in range(FLAPS):
        await network.cut()
        await network.restore()
        await pipeline.until_recovered(RECOVERED_WITHIN)
    await until_through(pipeline)


async def test_network_stands_still(pipeline: Pipeline, network: TcpProxy) -> None:
    network.freeze()
    await asyncio.sleep(LONGER_THAN_A_SESSION)
    await network.restore()
    await pipeline.until_recovered(RECOVERED_WITHIN)
    await until_through(pipeline)


async def test_network_is_slow(pipeline: Pipeline, network: TcpProxy) -> None:
    network.slow(bytes_per_second=100_000, delay=0.1)
    before = len(pipeline.outputs.numbers)
    await pipeline.until_out(before + PER_SECOND)
    assert pipeline.sidecars[0].is_ready, "slow is no reason to begin anew"
    await network.restore()
    await pipeline.until_recovered(RECOVERED_WITHIN)
    await until_through(pipeline)
