"""Reading partitions: records in the order of their offsets, each once."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence

from aiokafka.errors import OffsetOutOfRangeError

from penstock.plugin import PositionExpired, Record, TemporaryError
from penstock_kafka.cluster import Cluster
from penstock_kafka.errors import CLIENT_ERRORS, translated
from penstock_kafka.groups.buffer import Buffer
from penstock_kafka.groups.fetcher import Fetcher
from penstock_kafka.records import decode
from penstock_kafka.topics import Topics


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
        self._topics = topics
        self._topic = topic
        self._acked = acked
        self._fetcher = Fetcher(cluster, topic)
        self._buffers: dict[int, Buffer] = {}

    async def start(self) -> None:
        """Connect.

        Raises:
            TemporaryError: The cluster is away.
            PermanentError: The cluster refuses it.
        """
        await self._fetcher.start()

    async def close(self) -> None:
        """Hang up; pending reads return nothing."""
        self.take_out_all()
        await self._fetcher.close()

    def put_in(self, offsets: Mapping[int, int]) -> None:
        """Read these partitions too from now on, each from an offset."""
        buffers = {partition: Buffer(offset) for partition, offset in offsets.items()}
        self._buffers |= buffers
        self._fetcher.add(buffers)

    def take_out(self, partitions: Collection[int]) -> None:
        """Read these no more; pending reads of them return nothing."""
        self._fetcher.remove(partitions)
        for partition in partitions:
            if buffer := self._buffers.pop(partition, None):
                buffer.wake()

    def take_out_all(self) -> None:
        """Read nothing more."""
        self.take_out(tuple(self._buffers))

    async def read(self, partition: int, max_records: int, max_bytes: int) -> Sequence[Record]:
        """As `Subscription.read`."""
        buffer = self._buffers.get(partition)
        # A read that finds records never waits: a reader in a loop would let nobody else run.
        await asyncio.sleep(0)
        # A partition that came back has another buffer: this read is of what was lost.
        while buffer and self._buffers.get(partition) is buffer:
            had_room = buffer.has_room
            # Nothing waits from here to the return: who cancels has taken no record.
            if records := buffer.take(max_records, max_bytes):
                if buffer.has_room and not had_room:
                    self._fetcher.wake()
                return decode(records, self._acked(partition))
            if failure := buffer.failure:
                raise await self._explain(partition, buffer, failure) from failure
            await buffer.wait()
        return ()

    async def _explain(self, partition: int, buffer: Buffer, failure: Exception) -> Exception:
        """What to say of a fetch that failed; reading goes on where it was, or behind a gap."""
        doing = f"reading partition {partition} of topic {self._topic}"
        wanted = buffer.next_fetch
        if isinstance(failure, OffsetOutOfRangeError):
            earliest, ends = await asyncio.gather(
                self._topics.earliest(self._topic, [partition]),
                self._topics.end_offsets(self._topic, [partition]),
            )
            first, end = earliest[partition], ends[partition]
        else:
            first, end = 0, wanted
        expired, cut_off = wanted < first, wanted > end
        buffer.move(first if expired or cut_off else wanted)
        self._fetcher.wake()
        if expired:
            return PositionExpired(partition, wanted, first)
        if cut_off:
            return TemporaryError(
                f"{doing}: it ends at offset {end}, before {wanted}: it was made anew or cut off, "
                f"and is read again from offset {first}"
            )
        if isinstance(failure, CLIENT_ERRORS):
            return TemporaryError(str(translated(failure, doing)))
        return TemporaryError(f"{doing}: {type(failure).__name__}: {failure}")
