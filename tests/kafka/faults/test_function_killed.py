"""The function's host is killed, or stands still, in the middle of the traffic."""

import asyncio

from tests.kafka.conftest import StartPipeline

MESSAGES = 50_000
KILLS = 5
PER_SECOND = 2000
LONGER_THAN_A_SESSION = 12.0  # seconds: a member's session ends after 10


async def test_function_is_killed(start_pipeline: StartPipeline) -> None:
    pipeline = await start_pipeline()
    await pipeline.add_sidecar()
    share = MESSAGES // KILLS

    for kill in range(KILLS):
        publishing = asyncio.create_task(pipeline.source.publish(share // 2))
        await pipeline.until_out(kill * share + share // 4)
        pipeline.function.kill()
        await publishing
        async with pipeline.recovery():
            # All the others may have come out before the function was killed.
            await pipeline.source.publish(share // 2)
            await asyncio.to_thread(pipeline.function.begin)

    await pipeline.finish()
    assert pipeline.sidecars[0].exit_code is None, "the sidecar has waited for the function"


async def test_function_stands_still(start_pipeline: StartPipeline) -> None:
    """However long it takes, the sidecar stays a member of its group."""
    pipeline = await start_pipeline()
    sidecar = await pipeline.add_sidecar()
    pipeline.source.start(PER_SECOND)
    await pipeline.until_out(PER_SECOND)
    assert sidecar.text.count("reading partitions") == 1

    pipeline.function.freeze()
    try:
        await asyncio.sleep(LONGER_THAN_A_SESSION)
    finally:
        pipeline.function.thaw()
    await pipeline.until_recovered()
    assert sidecar.text.count("reading partitions") == 1

    await pipeline.source.stop()
    await pipeline.finish()
