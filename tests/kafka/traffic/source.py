"""Puts numbered messages into a topic, by a plain Kafka client."""

import asyncio
from collections.abc import Iterable
from types import TracebackType
from typing import Self

from aiokafka import AIOKafkaProducer

from tests.kafka.traffic.messages import Place, key_of

_TICK = 0.02  # seconds between two batches of a flow
_UNDER_WAY = 5000


class Source:
    """Publishes messages, and knows what is stored; an async context manager.

    Args:
        bootstrap_servers: The brokers.
        topic: Where to.

    Attributes:
        sent: Where each message is that a broker has confirmed, by its number.
    """

    def __init__(self, bootstrap_servers: str, topic: str) -> None:
        self._topic = topic
        self._producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap_servers,
            enable_idempotence=True,
            # Partitions that are added are to be used soon.
            metadata_max_age_ms=1000,
        )
        self._flow: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self._next = 0
        self.sent: dict[int, Place] = {}

    async def __aenter__(self) -> Self:
        await self._producer.start()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._flow:
            self._flow.cancel()
            await asyncio.gather(self._flow, return_exceptions=True)
        await self._producer.stop()

    async def publish(self, count: int, size: int = 0) -> None:
        """Publish messages; returns when they are stored.

        Args:
            count: How many.
            size: Bytes that each of them has at least.
        """
        numbers = range(self._next, self._next + count)
        self._next = numbers.stop
        for start in range(numbers.start, numbers.stop, _UNDER_WAY):
            await self._publish(range(start, min(start + _UNDER_WAY, numbers.stop)), size)

    async def _publish(self, numbers: Iterable[int], size: int) -> None:
        headers = [("content-type", b"text/plain")]
        under_way = {
            number: await self._producer.send(
                self._topic,
                (b"%d" % number).ljust(size),
                key=key_of(number),
                headers=[*headers, ("ce_id", b"%d" % number)],
            )
            for number in numbers
        }
        await asyncio.gather(*under_way.values())
        for number, stored in under_way.items():
            metadata = stored.result()
            self.sent[number] = Place(metadata.partition, metadata.offset)

    def start(self, per_second: float) -> None:
        """Publish on and on, about so many messages a second, until `stop`.

        While brokers are away, nothing more is published than they were about to take.
        """
        self._stopping.clear()
        self._flow = asyncio.create_task(self._run(max(1, round(per_second * _TICK))))

    async def stop(self) -> None:
        """Publish no more; returns when everything is stored."""
        flow, self._flow = self._flow, None
        assert flow is not None, "nothing flows"
        self._stopping.set()
        await flow

    async def _run(self, count: int) -> None:
        while not self._stopping.is_set():
            await self.publish(count)
            # The pace of the traffic; nothing is waited for.
            await asyncio.sleep(_TICK)
