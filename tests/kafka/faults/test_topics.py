"""Topics change under a processor: made anew, with more partitions, with records removed."""

from tests.kafka.conftest import StartPipeline
from tests.kafka.pipeline import PARTITIONS
from tests.kafka.traffic import Outputs
from tests.kafka.waiting import until
from tests.servers.kafka import KafkaServer

PER_SECOND = 3000
ROUNDS = 3


async def test_partitions_are_added(start_pipeline: StartPipeline) -> None:
    pipeline = await start_pipeline(partitions=2)
    await pipeline.add_sidecar()
    pipeline.source.start(PER_SECOND)
    await pipeline.until_out(PER_SECOND)

    await pipeline.administrator.grow(pipeline.topics[0], 6)
    await until(
        lambda: {place.partition for place in pipeline.source.sent.values()} == set(range(6)),
        "messages go to all partitions",
    )
    await until(
        lambda: (
            {pipeline.source.sent[number].partition for number in pipeline.outputs.numbers}
            == set(range(6))
        ),
        "messages come out of all partitions",
    )

    await pipeline.source.stop()
    await pipeline.finish()


async def test_input_is_made_anew_with_a_backlog(start_pipeline: StartPipeline) -> None:
    pipeline = await start_pipeline()
    await pipeline.add_sidecar()
    await pipeline.source.publish(PER_SECOND)
    await pipeline.until_out(PER_SECOND)
    pipeline.function.hold_on = True
    await pipeline.source.publish(PER_SECOND)

    await pipeline.administrator.make_anew(pipeline.topics[0], PARTITIONS)
    gone = set(pipeline.source.sent)
    async with pipeline.recovery():
        pipeline.function.hold_on = False
        await pipeline.source.publish(PER_SECOND)

    await pipeline.finish(unsure=gone)


async def test_input_is_made_anew_and_filled_at_once(start_pipeline: StartPipeline) -> None:
    """What comes is soon further than what was acked before, by its offsets."""
    pipeline = await start_pipeline()
    await pipeline.add_sidecar()
    few, many = 400, 10_000

    for _ in range(ROUNDS):
        before = len(pipeline.source.sent)
        await pipeline.source.publish(few)
        await pipeline.until_out(before + few)
        await pipeline.administrator.make_anew(pipeline.topics[0], PARTITIONS)
        async with pipeline.recovery():
            await pipeline.source.publish(many)
        await pipeline.until_out(before + few + many)

    await pipeline.finish()


async def test_output_is_made_anew(start_pipeline: StartPipeline, broker: KafkaServer) -> None:
    pipeline = await start_pipeline()
    await pipeline.add_sidecar()
    await pipeline.source.publish(PER_SECOND)
    await pipeline.until_out(PER_SECOND)
    gone = set(pipeline.source.sent)
    pipeline.function.hold_on = True
    await pipeline.source.publish(PER_SECOND)
    await until(lambda: pipeline.function.is_held, "the function has messages")

    topic = pipeline.topics[1]
    await pipeline.administrator.make_anew(topic, PARTITIONS)
    async with Outputs(broker.bootstrap_servers, topic, PARTITIONS) as outputs:
        pipeline.outputs = outputs
        async with pipeline.recovery():
            pipeline.function.hold_on = False
        await pipeline.finish(unsure=gone)


async def test_records_expire_while_the_sidecar_is_down(start_pipeline: StartPipeline) -> None:
    pipeline = await start_pipeline()
    sidecar = await pipeline.add_sidecar()
    topic, administrator = pipeline.topics[0], pipeline.administrator
    await pipeline.source.publish(PER_SECOND)
    await pipeline.until_out(PER_SECOND)
    sidecar.kill()
    acked = await pipeline.acked()

    before = set(pipeline.source.sent)
    await pipeline.source.publish(PER_SECOND)
    await administrator.set(topic, retention_ms="1")
    ends = await administrator.ends(topic)

    async def is_empty() -> bool:
        return await administrator.beginnings(topic) == ends

    await until(is_empty, "all records are removed")
    removed = pipeline.source.sent.keys() - before
    await administrator.set(topic)
    await pipeline.source.publish(PER_SECOND)
    async with pipeline.recovery():
        await pipeline.start(sidecar)

    await pipeline.finish(unsure=removed)
    assert not removed & pipeline.outputs.numbers
    told = [line for line in sidecar.warnings if "retention" in line]
    assert len(told) == PARTITIONS, "once for each partition"
    for partition in range(PARTITIONS):
        gap = f"offset {acked[partition]} is gone by retention, the earliest kept is"
        assert any(f"partition {partition}: {gap} {ends[partition]}" in line for line in told)
    assert sidecar.metric("penstock_sidecar_expired_positions_total") == PARTITIONS
