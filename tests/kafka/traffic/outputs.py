"""Reads back what came out, by a plain Kafka client."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from tests.kafka.traffic.messages import Output, Place
from tests.kafka.waiting import until

News = Mapping[int, int]
"""Messages that came out for the first time, counted by partition."""


class Outputs:
    """Reads all partitions of a topic from their first record on; an async context manager.

    Args:
        bootstrap_servers: The brokers.
        topic: The topic.
        partitions: How many it has.

    Attributes:
        received: All that came, in the order in which it was read.
        numbers: The messages that these were made of.
    """

    def __init__(self, bootstrap_servers: str, topic: str, partitions: int) -> None:
        self._consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap_servers,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            isolation_level="read_committed",
            fetch_max_wait_ms=50,
        )
        self._partitions = [TopicPartition(topic, number) for number in range(partitions)]
        self._reading: asyncio.Task[None] | None = None
        self._read_to: dict[TopicPartition, int] = dict.fromkeys(self._partitions, 0)
        self._news = dict.fromkeys(range(partitions), 0)
        self.received: list[Output] = []
        self.numbers: set[int] = set()

    async def __aenter__(self) -> Self:
        await self._consumer.start()
        self._consumer.assign(self._partitions)
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._reading:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        await self._consumer.stop()

    async def until_caught_up(self) -> None:
        """Wait until everything is read that is there by now."""
        ends: dict[TopicPartition, int] = {}

        async def ends_are_known() -> bool:
            with suppress(KafkaError):
                ends.update(await self._consumer.end_offsets(self._partitions))
            return bool(ends)

        await until(ends_are_known, "the brokers say where the outputs end")
        await until(
            lambda: all(self._read_to[at] >= end for at, end in ends.items()),
            f"all outputs are read that are there: {ends}",
        )

    async def news(self) -> News:
        """How many messages have come out by now: what is in the topic already is no news."""
        await self.until_caught_up()
        return dict(self._news)

    async def until_news(self, known: News, patience: float) -> None:
        """Wait until a message comes out in each partition that had not before.

        Args:
            known: What `news` said; to be asked before the fault is over, where not much is left
                to come out after it.
            patience: Seconds.
        """
        await until(
            lambda: all(self._news[at] > known[at] for at in known),
            f"something new comes out in each partition, behind the messages so far: {known}",
            patience=patience,
            report=lambda: f"by now: {self._news}",
        )

    async def _read(self) -> None:
        while True:
            fetched = await self._consumer.getmany(timeout_ms=200)
            for at, records in fetched.items():
                for record in records:
                    number = int(record.value)
                    ids = [value.decode() for name, value in record.headers if name == "ce_id"]
                    place = Place(record.partition, record.offset)
                    self.received.append(Output(number, ids[0] if ids else "", record.key, place))
                    if number not in self.numbers:
                        self.numbers.add(number)
                        self._news[at.partition] += 1
                self._read_to[at] = records[-1].offset + 1
