"""Sidecars of one group come and go, under load."""

import asyncio
import random
import re
import time

import pytest

from tests.kafka.conftest import StartPipeline
from tests.kafka.pipeline import PARTITIONS, Pipeline
from tests.kafka.processes import Sidecar
from tests.kafka.waiting import until

PER_SECOND = 2000
SESSION = 10.0  # seconds, after which a member that says nothing is given up
RECOVERED_WITHIN = 20.0  # seconds

CHURN_SECONDS = 60.0
MOST = 4
PAUSES = (0.3, 2.0)  # seconds


async def test_who_keeps_a_name_gets_its_partitions_back_at_once(
    start_pipeline: StartPipeline,
) -> None:
    pipeline = await start_pipeline()
    victim, other = await two_sidecars(pipeline, keep_names=True)
    rebalances = len(read_by(victim)), len(read_by(other))

    victim.kill()
    began = time.monotonic()
    await asyncio.gather(pipeline.start(victim), pipeline.until_recovered(SESSION / 2))
    await until(lambda: len(read_by(victim)) > rebalances[0], "it is given partitions again")
    assert time.monotonic() - began < SESSION / 2, "the session's end was not waited for"
    assert await held_by(victim) == PARTITIONS / 2
    assert len(read_by(other)) == rebalances[1], "nobody else was disturbed"

    await pipeline.source.stop()
    await pipeline.finish()


async def test_who_has_no_name_is_given_up_when_its_session_ends(
    start_pipeline: StartPipeline,
) -> None:
    pipeline = await start_pipeline()
    victim, other = await two_sidecars(pipeline, keep_names=False)
    rebalances = len(read_by(other))

    victim.kill()
    await until(lambda: len(read_by(other)) > rebalances, "the other gets its partitions")
    await pipeline.until_recovered(RECOVERED_WITHIN)
    await pipeline.source.stop()
    await pipeline.finish()


@pytest.mark.parametrize("keep_names", [True, False], ids=["with a name", "without a name"])
async def test_one_stands_still_for_longer_than_its_session(
    start_pipeline: StartPipeline, keep_names: bool
) -> None:
    """It takes itself for a member when it goes on, and others have its partitions by then."""
    pipeline = await start_pipeline()
    victim, other = await two_sidecars(pipeline, keep_names=keep_names)
    rebalances = len(read_by(victim)), len(read_by(other))

    victim.freeze()
    try:
        await until(lambda: len(read_by(other)) > rebalances[1], "the other gets its partitions")
        await pipeline.until_out(len(pipeline.outputs.numbers) + PER_SECOND)
    finally:
        victim.thaw()
    await until(lambda: len(read_by(victim)) > rebalances[0], "it is a member again")
    await pipeline.until_recovered(RECOVERED_WITHIN)
    await pipeline.source.stop()
    await pipeline.finish()


async def two_sidecars(pipeline: Pipeline, *, keep_names: bool) -> tuple[Sidecar, Sidecar]:
    """Two sidecars that share the partitions of a topic, with traffic."""
    one = await pipeline.add_sidecar("one", keeps_name=keep_names)
    another = await pipeline.add_sidecar("another", keeps_name=keep_names)

    async def share() -> bool:
        return await held_by(one) == await held_by(another) == PARTITIONS / 2

    await until(share, "each has half of the partitions")
    pipeline.source.start(PER_SECOND)
    await pipeline.until_out(PER_SECOND)
    return one, another


async def held_by(sidecar: Sidecar) -> float:
    """How many partitions a sidecar has."""
    return await asyncio.to_thread(sidecar.metric, "penstock_sidecar_partitions")


def read_by(sidecar: Sidecar) -> list[str]:
    """What a sidecar was given to read, each time that it was, in the words of its log."""
    return re.findall("reading partitions (.*)", sidecar.text)


@pytest.mark.timeout(150)
async def test_they_come_and_go_all_the_time(start_pipeline: StartPipeline) -> None:
    seed = random.randrange(1_000_000)
    print(f"seed {seed}")
    chance = random.Random(seed)
    pipeline = await start_pipeline()
    running = [await pipeline.add_sidecar("0")]
    down: list[Sidecar] = []
    pipeline.source.start(PER_SECOND)

    end = time.monotonic() + CHURN_SECONDS
    while time.monotonic() < end:
        match chance.choice(["come", "stop", "kill", "come back"]):
            case "come" if len(running) < MOST:
                name = str(len(pipeline.sidecars))
                keeps_name = chance.random() < 0.5
                running.append(await pipeline.add_sidecar(name, keeps_name=keeps_name, wait=False))
            case "come back" if down and len(running) < MOST:
                running.append(down.pop(chance.randrange(len(down))))
                await pipeline.start(running[-1], wait=False)
            case "stop" if len(running) > 1:
                leaver = running.pop(chance.randrange(len(running)))
                await asyncio.to_thread(leaver.stop)
                down.append(leaver)
            case "kill" if len(running) > 1:
                victim = running.pop(chance.randrange(len(running)))
                victim.kill()
                down.append(victim)
        # The pace of the coming and going; nothing is waited for.
        await asyncio.sleep(chance.uniform(*PAUSES))

    await pipeline.until_recovered(RECOVERED_WITHIN)
    await pipeline.source.stop()
    await pipeline.finish()
    assert all(sidecar.exit_code is None for sidecar in running)
