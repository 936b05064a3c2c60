"""Two processes that provision at the same time, eight at a time in each."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from penstock_kafka.topics.entry import Entry
from tests.servers.kafka import KafkaServer

if TYPE_CHECKING:
    from plugins.kafka.tests.topics.conftest import Broker

PATIENCE = 40.0
AT_A_TIME = 8


class Provisioners:
    """Processes that wait for the word to provision, then do so at once.

    Args:
        count: How many.
        arguments: What each is told.
    """

    def __init__(self, count: int, arguments: Mapping[str, Any]) -> None:
        program = Path(__file__).parent / "provisioner.py"
        self._processes = [
            subprocess.Popen(
                [sys.executable, str(program), json.dumps(arguments)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for _ in range(count)
        ]
        for process in self._processes:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"

    def go(self) -> list[Any]:
        """Say the word; what all have answered."""
        for process in self._processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        answers = []
        for process in self._processes:
            out, _ = process.communicate(timeout=PATIENCE)
            assert process.returncode == 0
            answers += json.loads(out)
        return answers

    def close(self) -> None:
        """End those that are still there."""
        for process in self._processes:
            process.kill()
            process.communicate()


@pytest.fixture
def race(kafka: KafkaServer, prefix: str) -> Any:
    """Lets two processes do one thing to the stream, eight times each."""

    async def race(**arguments: Any) -> list[Any]:
        spec = {"bootstrapServers": kafka.bootstrap_servers, "topicPrefix": prefix}
        told = {"spec": spec, "at_a_time": AT_A_TIME, **arguments}
        provisioners = await asyncio.to_thread(Provisioners, 2, told)
        try:
            return await asyncio.to_thread(provisioners.go)
        finally:
            await asyncio.to_thread(provisioners.close)

    return race


async def test_all_get_the_same_answer_and_there_is_one_topic(
    race: Any, broker: "Broker", topic: str
) -> None:
    wanted = {"partitions": 4, "config": {"retention.ms": "5000"}}
    assert await race(provision=wanted) == [[topic, []]] * 16
    assert await broker.partitions(topic) == 4
    assert await broker.set_on(topic) == {"retention.ms": "5000"}
    noted = Entry("space", "stream", owned=True, settings=frozenset({"retention.ms"}))
    assert await broker.noted(topic) == noted
    # From 4 to 6, and another setting.
    wanted = {"partitions": 6, "config": {"segment.ms": "9000"}}
    assert await race(provision=wanted) == [[topic, []]] * 16
    assert await broker.partitions(topic) == 6
    assert await broker.set_on(topic) == {"segment.ms": "9000"}


async def test_all_who_publish_get_the_same_answer(race: Any, broker: "Broker", topic: str) -> None:
    assert await race(ensure=topic) == [1] * 16
    assert await broker.noted(topic) == Entry("", "", owned=True)
