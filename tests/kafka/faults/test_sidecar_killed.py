"""The sidecar is killed at each step of what it does, ten times over 100,000 messages.

No kill is left to chance: a step is met by holding up what comes next, which is the function's
process, the function itself, or requests and answers between the sidecar and the broker.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import pytest

from tests.kafka.conftest import StartPipeline
from tests.kafka.faults import steps
from tests.kafka.pipeline import Pipeline
from tests.kafka.request_proxy import RequestProxy
from tests.kafka.traffic.tally import returns
from tests.kafka.waiting import until

BEFORE, MEANWHILE, AFTER = 4000, 4000, 2000
"""Messages that are published around each kill: ten times that are 100,000."""


@pytest.mark.timeout(90)
@pytest.mark.parametrize(
    ("step", "kills"),
    [
        (steps.after_fetch, 10),
        (steps.during_call, 10),
        (steps.before_publish, 3),
        (steps.after_publish, 10),
        (steps.before_ack, 10),
        (steps.after_ack, 3),
    ],
    ids=lambda value: value.__name__.replace("_", " ") if callable(value) else f"{value} times",
)
async def test_sidecar_is_killed(
    start_pipeline: StartPipeline, requests: RequestProxy, step: steps.Step, kills: int
) -> None:
    pipeline = await start_pipeline(requests.address)
    sidecar = await pipeline.add_sidecar()
    lives = [Life(acked=await pipeline.acked(), received_before=0)]

    for kill in range(kills):
        await pipeline.source.publish(BEFORE)
        await pipeline.until_out(kill * (BEFORE + MEANWHILE + AFTER) + BEFORE // 2)
        async with step(pipeline, requests) as is_met:
            publishing = asyncio.create_task(pipeline.source.publish(MEANWHILE))
            await until(is_met, f"the sidecar is met {step.__name__}")
            sidecar.kill()
            # What it had sent, and what is held of that, must not arrive now.
            await requests.cut()
        await pipeline.outputs.until_caught_up()
        lives.append(Life(await pipeline.acked(), len(pipeline.outputs.received)))
        await asyncio.gather(
            publishing,
            pipeline.source.publish(AFTER),
            pipeline.start(sidecar),
            pipeline.until_recovered(),
        )

    await pipeline.finish()
    check_repeats(pipeline, lives)


class Life(NamedTuple):
    """From one start of the sidecar to its end.

    Attributes:
        acked: The first offset that was not acked at its start, by partition.
        received_before: How many outputs there were.
    """

    acked: Mapping[int, int]
    received_before: int


def check_repeats(pipeline: Pipeline, lives: Sequence[Life]) -> None:
    """Hold that each life begins where the one before had acked, and repeats nothing later on."""
    went_back = returns(pipeline.outputs.received, pipeline.source.sent)
    ends = [*(life.received_before for life in lives[1:]), len(pipeline.outputs.received)]
    for life, end in zip(lives, ends, strict=True):
        places = [at for index, at in went_back.items() if life.received_before <= index < end]
        by_partition = [place.partition for place in places]
        assert len(by_partition) == len(set(by_partition)), f"repeated twice: {places}"
        too_far = [place for place in places if place.offset < life.acked[place.partition]]
        assert not too_far, f"repeated though it was acked: {too_far}, acked: {life.acked}"
