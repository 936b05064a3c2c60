"""Bootstrap servers that are wrong, or not there as yet."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.command_line import Penstock
from tests.kafka.conftest import StartPipeline
from tests.kafka.processes import Gateway
from tests.kafka.waiting import until
from tests.servers.kafka import KafkaServer
from tests.servers.ports import HOST, free_port

MESSAGES = 1000
RECOVERED_WITHIN = 20.0  # seconds


@pytest.fixture
def penstock(tmp_path: Path) -> Penstock:
    """The command line."""
    return Penstock(tmp_path)


async def test_sidecar_waits_for_a_broker_that_is_not_there_as_yet(
    start_pipeline: StartPipeline, broker: KafkaServer
) -> None:
    pipeline = await start_pipeline()
    await pipeline.source.publish(MESSAGES)
    await asyncio.to_thread(broker.stop)

    sidecar = await pipeline.add_sidecar(wait=False)
    try:
        await until(lambda: len(sidecar.warnings) > 2, "it tries again and again")
        said = rf"beginning anew in [\d.]+ s: .* {broker.bootstrap_servers}: nothing listens there"
        for line in sidecar.warnings:
            assert re.search(said, line), line
        assert not sidecar.is_ready
    finally:
        await asyncio.to_thread(broker.start)
    await pipeline.until_recovered(RECOVERED_WITHIN)
    await pipeline.finish()
    assert "Traceback" not in sidecar.text


async def test_sidecar_names_each_wrong_server_and_what_is_wrong_with_it(
    start_pipeline: StartPipeline,
) -> None:
    nothing = f"{HOST}:{free_port()}"
    async with web_server() as other:
        pipeline = await start_pipeline(f"no-such-host.invalid:9092,{nothing},{other}")
        sidecar = await pipeline.add_sidecar(wait=False)
        await until(lambda: len(sidecar.warnings) > 1, "it tries again and again")
        for line in sidecar.warnings:
            assert "no-such-host.invalid:9092: the host" in line
            assert f"{nothing}: nothing listens there" in line
            assert f"{other}: it does not speak Kafka's protocol" in line
        assert sidecar.exit_code is None
        assert "Traceback" not in sidecar.text


async def test_one_right_server_suffices(
    start_pipeline: StartPipeline, broker: KafkaServer
) -> None:
    wrong = f"no-such-host.invalid:9092,{HOST}:{free_port()}"
    pipeline = await start_pipeline(f"{wrong},{broker.bootstrap_servers}")
    sidecar = await pipeline.add_sidecar()
    await pipeline.source.publish(MESSAGES)
    await pipeline.finish()
    assert not sidecar.warnings


async def test_gateway_says_why_it_is_not_ready_and_is_once_the_broker_is(
    broker: KafkaServer, penstock: Penstock
) -> None:
    await asyncio.to_thread(broker.stop)
    try:
        with Gateway(broker.bootstrap_servers) as gateway:
            await asyncio.to_thread(gateway.begin)
            publish = (
                *("publish", "--gateway", gateway.address, "--topic", "waited-for"),
                *("--payload", "hello", "--content-type", "text/plain"),
            )
            refused = await asyncio.to_thread(penstock, *publish, code=1)
            assert f"{broker.bootstrap_servers}: nothing listens there" in refused.stderr

            await asyncio.to_thread(broker.start)

            async def is_published() -> bool:
                try:
                    await asyncio.to_thread(penstock, *publish)
                except AssertionError:
                    return False
                return True

            await until(is_published, "it is published", patience=RECOVERED_WITHIN)
            assert "Traceback" not in gateway.text
    finally:
        if not broker.is_running:
            await asyncio.to_thread(broker.start)


@asynccontextmanager
async def web_server() -> AsyncIterator[str]:
    """What answers to everything, but not as Kafka does; its address."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer, HOST, 0) as server:
        yield f"{HOST}:{server.sockets[0].getsockname()[1]}"
