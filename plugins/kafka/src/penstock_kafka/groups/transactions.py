"""Positions committed in transactions, which Kafka takes from who is no member of the group."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from uuid import uuid4

from aiokafka import AIOKafkaProducer, OffsetAndMetadata, TopicPartition

from penstock.plugin import TemporaryError
from penstock_kafka.cluster import Cluster
from penstock_kafka.connection import HANG_UP_SECONDS
from penstock_kafka.errors import CLIENT_ERRORS, translated
from penstock_kafka.groups.client import hang_up
from penstock_kafka.groups.opening import open_wholly
from penstock_kafka.groups.stored import Stored

PATIENCE = 15.0
"""Seconds that a transaction may take."""

_OPEN_MILLISECONDS = 10_000  # brokers end a transaction that is open for longer


class Transactions:
    """Commits positions by one producer that does nothing else, one transaction at a time.

    Args:
        cluster: The cluster.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._producer: AIOKafkaProducer | None = None
        self._turn = asyncio.Lock()

    async def commit(self, group_id: str, topic: str, positions: Mapping[int, Stored]) -> None:
        """Commit positions; they show a moment after this returns.

        Raises:
            TemporaryError: Nothing is known to be stored.
            PermanentError: The cluster refuses it.
        """
        doing = f"storing positions of group {group_id} in topic {topic}"
        offsets = {
            TopicPartition(topic, at): OffsetAndMetadata(one.offset, str(one.mark))
            for at, one in positions.items()
        }
        async with self._turn:
            done = False
            try:
                async with asyncio.timeout(PATIENCE):
                    producer = await self._started()
                    await producer.begin_transaction()
                    await producer.send_offsets_to_transaction(offsets, group_id)
                    await producer.commit_transaction()
                done = True
            except TimeoutError as error:
                raise TemporaryError(
                    f"{doing}: the brokers have not answered for {PATIENCE:g} s"
                ) from error
            except CLIENT_ERRORS as error:
                raise translated(error, doing) from error
            finally:
                # A producer that was left half way, or fenced, is of no more use.
                if not done:
                    await self._drop()

    async def close(self) -> None:
        """Hang up, also if a transaction is on its way."""
        await self._drop()

    async def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            self._producer = await open_wholly(self._start(), _stop)
        return self._producer

    async def _start(self) -> AIOKafkaProducer:
        producer = AIOKafkaProducer(
            # Nobody else may have the id: a second producer of it would fence this one.
            transactional_id=f"penstock-{uuid4()}",
            transaction_timeout_ms=_OPEN_MILLISECONDS,
            **self._cluster.client_settings(),
        )
        try:
            # By itself it would try for ever.
            async with asyncio.timeout(PATIENCE):
                await producer.start()
        except BaseException:
            await _stop(producer)
            raise
        return producer

    async def _drop(self) -> None:
        producer, self._producer = self._producer, None
        if producer:
            await _stop(producer)


async def _stop(producer: AIOKafkaProducer) -> None:
    """Hang up, also if a transaction is on its way."""
    with suppress(*CLIENT_ERRORS):
        async with asyncio.timeout(HANG_UP_SECONDS):
            await producer.stop()
    await hang_up(producer.client)
