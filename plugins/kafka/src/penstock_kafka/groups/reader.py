"""Reading partitions: records in the order of their offsets, each once.

One consumer of aiokafka reads all partitions of a member, outside of any group: a partition that
nobody reads just now is not fetched anew, and holds up no other.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError

from penstock.plugin import PositionExpired, Record
from penstock_kafka.cluster import Cluster
from penstock_kafka.errors import translated
from penstock_kafka.records import decode
from penstock_kafka.topics import Topics

FETCH_BYTES = 1024 * 1024
"""What is fetched of a partition at a time, and so the most that is held of it (or one record)."""

# While brokers have nothing new they hold a fetch back for so long, and with it those partitions
# of theirs that have just been read empty.
_FETCH_MILLISECONDS = 200
_POLL_MILLISECONDS = 60_000

_Fetched = Mapping[TopicPartition, list[ConsumerRecord]]


class Reader:
    """Reads partitions of a topic that are put into it and taken out again.

    Args:
        cluster: The cluster.
        topics: Tells the first offset of a partition that was trimmed.
        topic: What is read.
        acked: Gives the highest offset of a partition that the group has acked, or -1.
    """

    def __init__(
        self, cluster: Cluster, topics: Topics, topic: str, acked: Callable[[int], int]
    ) -> None:
        self._cluster = cluster
        self._topics = topics
        self._topic = topic
        self._acked = acked
        self._consumer: AIOKafkaConsumer | None = None
        self._next: dict[int, int] = {}
        self._ended: dict[int, asyncio.Future[None]] = {}
        # What was fetched and has not been handed out: who cancels a read has taken nothing.
        self._rest: dict[int, Sequence[ConsumerRecord]] = {}
        self._polls: dict[int, asyncio.Future[_Fetched]] = {}

    async def start(self) -> None:
        """Connect.

        Raises:
            TemporaryError: The cluster is away.
            PermanentError: The cluster refuses it.
        """
        consumer = AIOKafkaConsumer(
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
            fetch_max_wait_ms=_FETCH_MILLISECONDS,
            max_partition_fetch_bytes=FETCH_BYTES,
            **self._cluster.client_settings(),
        )
        try:
            await consumer.start()
        except KafkaError as error:
            await consumer.stop()
            raise translated(error, f"connecting to read topic {self._topic}") from error
        self._consumer = consumer

    async def close(self) -> None:
        """Hang up; pending reads return nothing."""
        self.take_out(self.partitions)
        consumer, self._consumer = self._consumer, None
        if consumer:
            await consumer.stop()

    @property
    def partitions(self) -> frozenset[int]:
        """What is read."""
        return frozenset(self._next)

    def put_in(self, offsets: Mapping[int, int]) -> None:
        """Read these partitions too from now on, each from an offset."""
        loop = asyncio.get_running_loop()
        self._next |= offsets
        self._ended |= {partition: loop.create_future() for partition in offsets}
        self._assign()

    def take_out(self, partitions: frozenset[int]) -> None:
        """Read these no more; pending reads of them return nothing."""
        for partition in partitions & self._next.keys():
            del self._next[partition]
            self._rest.pop(partition, None)
            self._ended.pop(partition).set_result(None)
        self._assign()

    async def read(self, partition: int, max_records: int, max_bytes: int) -> Sequence[Record]:
        """As `Subscription.read`."""
        while partition in self._next and self._consumer:
            records = self._rest.pop(partition, ()) or await self._poll(partition, max_records)
            if partition not in self._next:
                break
            if records:
                handed = _within(records, max_records, max_bytes)
                if len(handed) < len(records):
                    self._rest[partition] = records[len(handed) :]
                self._next[partition] = handed[-1].offset + 1
                return decode(handed, self._acked(partition))
        return ()

    async def _poll(self, partition: int, max_records: int) -> Sequence[ConsumerRecord]:
        """What has been fetched of a partition; where that is nothing, wait for some."""
        assert self._consumer
        at = TopicPartition(self._topic, partition)
        ended = self._ended[partition]
        try:
            if partition not in self._polls:
                if fetched := await self._consumer.getmany(at, max_records=max_records):
                    return _records(fetched)
                self._polls[partition] = asyncio.ensure_future(
                    self._consumer.getmany(
                        at, timeout_ms=_POLL_MILLISECONDS, max_records=max_records
                    )
                )
            poll = self._polls[partition]
            await asyncio.wait({poll, ended}, return_when=asyncio.FIRST_COMPLETED)
            if not poll.done() or self._polls.get(partition) is not poll:
                return ()
            del self._polls[partition]
            return _records(poll.result())
        except KafkaError as error:
            raise await self._failure(partition, error) from error

    async def _failure(self, partition: int, error: KafkaError) -> Exception:
        """What to say of a fetch that failed; reading goes on where it was, or behind a gap."""
        wanted = self._next.get(partition)
        if wanted is None or self._consumer is None:
            return translated(error, f"reading topic {self._topic}")
        if isinstance(error, OffsetOutOfRangeError):
            earliest = (await self._topics.earliest(self._topic, [partition]))[partition]
            self._next[partition] = earliest
            self._seek(partition)
            return PositionExpired(partition, wanted, earliest)
        # aiokafka may have passed over records that it did not hand out.
        self._seek(partition)
        return translated(error, f"reading partition {partition} of topic {self._topic}")

    def _assign(self) -> None:
        """Have the consumer fetch what is read, each partition from where it stands."""
        self._rest.clear()
        for poll in self._polls.values():
            poll.cancel()
        self._polls.clear()
        if self._consumer and self._next:
            self._consumer.assign([TopicPartition(self._topic, at) for at in self._next])
            for partition in self._next:
                self._seek(partition)

    def _seek(self, partition: int) -> None:
        assert self._consumer
        self._consumer.seek(TopicPartition(self._topic, partition), self._next[partition])


def _records(fetched: _Fetched) -> Sequence[ConsumerRecord]:
    """The records of the one partition that was asked for."""
    return next(iter(fetched.values()), ())


def _within(
    records: Sequence[ConsumerRecord], max_records: int, max_bytes: int
) -> Sequence[ConsumerRecord]:
    """The first records, as many as the two bounds allow: one at least."""
    records = records[:max_records]
    if sum(len(record.value or b"") for record in records) <= max_bytes:
        return records
    taken = 0
    for count, record in enumerate(records, 1):
        taken += len(record.value or b"")
        if taken > max_bytes:
            return records[:count]
    return records
