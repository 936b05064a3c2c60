"""The function's host is killed, and started again, in the middle of the traffic."""

import asyncio

from tests.kafka.conftest import StartPipeline

MESSAGES = 50_000
KILLS = 5


async def test_function_is_killed(start_pipeline: StartPipeline) -> None:
    pipeline = await start_pipeline()
    await pipeline.add_sidecar()
    share = MESSAGES // KILLS

    for kill in range(KILLS):
        publishing = asyncio.create_task(pipeline.source.publish(share))
        await pipeline.until_out(kill * share + share // 4)
        pipeline.function.kill()
        await publishing
        await asyncio.gather(asyncio.to_thread(pipeline.function.begin), pipeline.until_recovered())

    await pipeline.finish()
    assert pipeline.sidecars[0].exit_code is None, "the sidecar has waited for the function"
