"""What gateways note about topics, in a compacted topic of their own: one record for each topic.

Every gateway of one Kafka and one prefix shares it, so what one made is known to all.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import InvalidReplicationFactorError, TopicAlreadyExistsError
from aiokafka.structs import TopicPartition

from penstock.plugin import TemporaryError
from penstock_kafka.cluster import Cluster
from penstock_kafka.errors import CLIENT_ERRORS, translated
from penstock_kafka.topics.administration import Administration
from penstock_kafka.topics.entry import Entry
from penstock_kafka.topics.offsets import Offsets

PATIENCE = 30.0
"""Seconds in which the registry has to be read."""

_SETTINGS = {"cleanup.policy": "compact"}
_PARTITION = 0


class Registry:
    """Reads and writes entries.

    Args:
        topic: The registry's own.
        replication_factor: Of that topic, when it is made; -1 is the broker's default.
        cluster: Where it is.
        administration: Makes it.
        offsets: Says where it ends.
    """

    def __init__(
        self,
        topic: str,
        replication_factor: int,
        cluster: Cluster,
        administration: Administration,
        offsets: Offsets,
    ) -> None:
        self.topic = topic
        self._replication_factor = replication_factor
        self._cluster = cluster
        self._administration = administration
        self._offsets = offsets
        self._entries: dict[str, Entry] = {}
        self._read_to = 0  # the offset of the first record that was not read
        self._lock = asyncio.Lock()

    async def open(self) -> None:
        """Have the registry's topic.

        Raises:
            PenstockError: It is not there and cannot be made.
        """
        with self._told("making"):
            if await self._administration.find(self.topic) is None:
                await self._make()

    async def find(self, topic: str) -> Entry | None:
        """A topic's entry, read to the registry's end: whatever was noted before is seen.

        Raises:
            PenstockError: It cannot be read.
        """
        with self._told("reading"):
            async with self._lock:
                await self._read()
                return self._entries.get(topic)

    async def note(self, topic: str, entry: Entry) -> None:
        """Store a topic's entry; the registry is made where there is none.

        Raises:
            PenstockError: It is not known whether it is stored.
        """
        await self.open()
        producer = AIOKafkaProducer(**self._cluster.client_settings(), acks="all")
        with self._told("writing"):
            try:
                await producer.start()
                await producer.send_and_wait(
                    self.topic, key=topic.encode(), value=entry.to_json(), partition=_PARTITION
                )
            finally:
                await producer.stop()

    async def _make(self) -> None:
        # Another gateway may make it at the same time.
        with suppress(TopicAlreadyExistsError):
            await self._administration.create(self.topic, 1, self._replication_factor, _SETTINGS)
        await self._administration.wait_until_led(self.topic)

    async def _read(self) -> None:
        """Take what was stored since the last time."""
        if await self._administration.find(self.topic) is None:
            self._forget()
            return
        end = (await self._offsets.ends(self.topic, [_PARTITION]))[_PARTITION]
        if end < self._read_to:
            # Somebody deleted it, and it was made anew.
            self._forget()
        if end > self._read_to:
            await self._read_up_to(end)

    async def _read_up_to(self, end: int) -> None:
        consumer = AIOKafkaConsumer(
            **self._cluster.client_settings(),
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        place = TopicPartition(self.topic, _PARTITION)
        consumer.assign([place])
        try:
            await consumer.start()
            consumer.seek(place, self._read_to)
            async with asyncio.timeout(PATIENCE):
                while self._read_to < end:
                    # Compaction leaves gaps, also up to the end.
                    for records in (await consumer.getmany(timeout_ms=1000)).values():
                        for record in records:
                            self._take(record.key, record.value)
                    self._read_to = await consumer.position(place)
        except TimeoutError as error:
            raise TemporaryError(f"topic {self.topic} was not read in {PATIENCE:.0f} s") from error
        finally:
            await consumer.stop()

    def _take(self, key: bytes | None, value: bytes | None) -> None:
        topic = (key or b"").decode(errors="replace")
        entry = Entry.from_json(value or b"")
        if entry:
            self._entries[topic] = entry
        else:
            self._entries.pop(topic, None)

    @contextmanager
    def _told(self, doing: str) -> Iterator[None]:
        """Say of an error that it is about this topic: it is none that somebody declared."""
        try:
            yield
        except CLIENT_ERRORS as error:
            # What is wrong with it is the gateway's doing, not the stream's.
            field = (
                "replicationFactor: " if isinstance(error, InvalidReplicationFactorError) else ""
            )
            what = f"{field}{doing} topic {self.topic}, in which gateways note what they made"
            raise translated(error, what) from error

    def _forget(self) -> None:
        self._entries.clear()
        self._read_to = 0
