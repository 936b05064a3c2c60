"""An idempotent producer of aiokafka, for as long as its numbering holds."""

import asyncio
from contextlib import suppress

from aiokafka import AIOKafkaProducer
from aiokafka.client import AIOKafkaClient
from aiokafka.errors import (
    DuplicateSequenceNumber,
    InvalidProducerEpoch,
    InvalidProducerIdMapping,
    KafkaError,
    OutOfOrderSequenceNumber,
    ProducerClosed,
    ProducerFenced,
    UnknownProducerId,
    UnknownTopicOrPartitionError,
)
from aiokafka.producer.message_accumulator import BatchBuilder

from penstock_kafka.connection import HANG_UP_SECONDS

_LAST_NUMBER = 2**31 - 2**24
"""aiokafka does not know that the numbers begin again at 0 after 2^31."""

NUMBERING_LOST = (
    OutOfOrderSequenceNumber,
    UnknownProducerId,
    InvalidProducerIdMapping,
    InvalidProducerEpoch,
    ProducerFenced,
    ProducerClosed,
)
"""A batch was not stored, because the broker expected another number: it may be sent again."""


class NumberedClient:
    """Sends batches whose records are numbered, so that a broker stores a repeated batch once.

    A batch that is refused for good leaves a gap: the broker waits for its numbers, and aiokafka
    does not give them out again. So what comes next in the partition is refused too, and the
    client is spent.

    Args:
        producer: Started.

    Attributes:
        spent: Whether it must not be used for anything new.
    """

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self.spent = False
        self._producer = producer
        self._numbered = 0
        self._users = 0
        self._stuck = False
        self._unused = asyncio.Event()
        self._unused.set()

    async def send(self, batch: BatchBuilder, topic: str, partition: int) -> int:
        """Have a batch stored, and return the offset of its first record.

        Raises:
            KafkaError: It was not stored, or there is no such partition; one of `NUMBERING_LOST`:
                make another batch of the same records, and send that.
        """
        self._users += 1
        self._unused.clear()
        try:
            await self._look_for(topic, partition)
            self._numbered += batch.record_count()
            if self._numbered > _LAST_NUMBER:
                self.spent = True
            delivery = await self._producer.send_batch(batch, topic, partition=partition)
            offset = int((await delivery).offset)
        except KafkaError as error:
            # The bare class is aiokafka's name for its own end.
            self.spent |= isinstance(error, NUMBERING_LOST) or type(error) is KafkaError
            raise
        except asyncio.CancelledError:
            self._stuck = True
            raise
        finally:
            self._users -= 1
            if not self._users:
                self._unused.set()
        if offset < 0:
            raise DuplicateSequenceNumber("it is stored, but the broker does not know where")
        return offset

    @property
    def connections(self) -> AIOKafkaClient:
        """What it reaches the brokers by."""
        return self._producer.client

    def partitions(self, topic: str) -> int:
        """How many partitions a topic had when it was looked at last; 0: it was not."""
        return len(self._producer.client.cluster.partitions_for_topic(topic) or ())

    async def close(self) -> None:
        """Hang up, once nobody uses it."""
        await self._unused.wait()
        with suppress(TimeoutError):
            async with asyncio.timeout(HANG_UP_SECONDS * 3):
                await (self._abandon() if self._stuck else self._producer.stop())

    async def _look_for(self, topic: str, partition: int) -> None:
        """Have the client know a partition, which may be new."""
        if partition not in await self._producer.partitions_for(topic):
            await self._producer.client.force_metadata_update()
            if partition not in await self._producer.partitions_for(topic):
                raise UnknownTopicOrPartitionError

    async def _abandon(self) -> None:
        """Hang up while a batch is on its way, which its producer would never give up."""
        self._producer._closed = True  # noqa: SLF001 - its own way to close waits for the batch
        sender = self._producer._sender.sender_task  # noqa: SLF001
        for _ in range(2):  # asked once, it waits for what it is doing
            sender.cancel()
            await asyncio.wait([sender], timeout=HANG_UP_SECONDS)
        await self._producer.client.close()
