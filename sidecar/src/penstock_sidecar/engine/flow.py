"""Credit: what may be read, so that buffers stay bounded and no partition starves."""

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from penstock_sidecar.engine.settings import FRAME_BYTES, FRAME_RECORDS, Marks


class PartitionKey(NamedTuple):
    """A partition of an input."""

    input: int
    partition: int


class Grant(NamedTuple):
    """One read of a partition, of at most so much."""

    key: PartitionKey
    max_records: int
    max_bytes: int


class Level:
    """How much a buffer holds, and whether it may be given more."""

    def __init__(self, marks: Marks) -> None:
        self._marks = marks
        self.records = 0
        self.bytes = 0
        self.full = False

    def rise(self, records: int, size: int) -> None:
        """So many records of so many bytes came in."""
        self.records += records
        self.bytes += size
        if self.records >= self._marks.high_records or self.bytes >= self._marks.high_bytes:
            self.full = True

    def fall(self, records: int, size: int) -> None:
        """So many records of so many bytes went on."""
        self.records -= records
        self.bytes -= size
        if self.records <= self._marks.low_records and self.bytes <= self._marks.low_bytes:
            self.full = False


class Flow:
    """Grants reads over all partitions, in turn.

    Nothing is granted while the buffer is full. Every partition may have one read under way, an
    idle one for ever, so the shares of all of them together are no more than the high marks: the
    buffer never exceeds twice those (but for a single larger record of each partition).
    """

    def __init__(self, marks: Marks) -> None:
        self.level = Level(marks)
        self._marks = marks
        self._waiting: deque[PartitionKey] = deque()
        self._reading: set[PartitionKey] = set()

    def add(self, key: PartitionKey) -> None:
        """A partition was assigned."""
        self._waiting.append(key)

    def remove(self, key: PartitionKey) -> None:
        """A partition is not to be read any more."""
        if key in self._reading:
            self._reading.remove(key)
        elif key in self._waiting:
            self._waiting.remove(key)

    def is_reading(self, key: PartitionKey) -> bool:
        """Whether a read of a partition is under way."""
        return key in self._reading

    def came(self, key: PartitionKey) -> None:
        """The read of a partition brought records: it waits for its turn again."""
        self._reading.discard(key)
        self._waiting.append(key)

    def stop(self) -> None:
        """Grant nothing any more."""
        self._waiting.clear()
        self._reading.clear()

    def grants(self) -> Iterator[Grant]:
        """The reads that may start now."""
        if not self._waiting or self.level.full:
            return
        partitions = len(self._waiting) + len(self._reading)
        records = _share(self._marks.high_records, partitions, FRAME_RECORDS)
        size = _share(self._marks.high_bytes, partitions, FRAME_BYTES)
        while self._waiting:
            key = self._waiting.popleft()
            self._reading.add(key)
            yield Grant(key, records, size)


def _share(total: int, partitions: int, most: int) -> int:
    return max(1, min(total // partitions, most))
