"""What was fetched of one partition and is not read yet: between the fetcher and a reader."""

import asyncio
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Any

from aiokafka.errors import CorruptRecordException, KafkaError

from penstock_kafka.groups.batches import Aborted, Batch, sort_out

_MOST_FETCHES = 2
"""While one is read, another is fetched."""

FetchedRecord = Any
"""aiokafka's: offset, timestamp, key, value, headers."""


class Buffer:
    """Holds at most two fetches of a partition; records are unpacked as they are taken.

    Args:
        offset: Where reading begins.

    Attributes:
        next_fetch: Offset from which to fetch.
        failure: Why no more is fetched until somebody clears it.
    """

    def __init__(self, offset: int) -> None:
        self.next_fetch = offset
        self.failure: Exception | None = None
        self._next = offset
        self._fetches: deque[deque[Batch]] = deque()
        self._records: Sequence[FetchedRecord] = ()
        self._taken = 0
        self._news = asyncio.Event()

    @property
    def has_room(self) -> bool:
        """Whether to fetch more."""
        return self.failure is None and len(self._fetches) < _MOST_FETCHES

    def add(self, data: bytes, aborted: Iterable[Aborted]) -> None:
        """Take in what was fetched from `next_fetch`."""
        batches, self.next_fetch = sort_out(data, aborted, self.next_fetch)
        if batches:
            self._fetches.append(batches)
            self.wake()

    def fail(self, failure: Exception) -> None:
        """Let this be known once what there is has been read."""
        self.failure = failure
        self.wake()

    def move(self, offset: int) -> None:
        """Go on at another offset."""
        self._next = self.next_fetch = offset
        self._fetches.clear()
        self._records, self._taken = (), 0
        self.failure = None

    def take(self, max_records: int, max_bytes: int) -> Sequence[FetchedRecord]:
        """The next records that are there, up to the one that passes `max_bytes` of values."""
        taken: list[FetchedRecord] = []
        while len(taken) < max_records and max_bytes >= 0 and self._unpack():
            part = self._records[self._taken : self._taken + max_records - len(taken)]
            size = sum(len(record.value or b"") for record in part)
            if size > max_bytes:
                part = _up_to(part, max_bytes)
            max_bytes -= size
            self._taken += len(part)
            self._next = part[-1].offset + 1
            taken += part
        return taken

    async def wait(self) -> None:
        """Wait for a change."""
        self._news.clear()
        await self._news.wait()

    def wake(self) -> None:
        """Let who waits look again."""
        self._news.set()

    def _unpack(self) -> bool:
        """See to it that there are unpacked records; whether there are."""
        while self._taken == len(self._records):
            if not self._fetches:
                return False
            batches = self._fetches[0]
            batch = batches.popleft()
            if not batches:
                self._fetches.popleft()
            try:
                if not batch.validate_crc():
                    raise CorruptRecordException(f"a checksum is wrong, at {batch.base_offset}")
                self._records = list(batch)
            except KafkaError as error:
                # It is fetched again: nothing must be passed over.
                self.move(self._next)
                self.fail(error)
                return False
            self._taken = 0
            # A batch may begin before the offset that was asked for.
            if batch.base_offset < self._next:
                self._records = [one for one in self._records if one.offset >= self._next]
        return True


def _up_to(records: Sequence[FetchedRecord], max_bytes: int) -> Sequence[FetchedRecord]:
    """The first records, with the one that passes a number of bytes of values."""
    size = 0
    for count, record in enumerate(records, 1):
        size += len(record.value or b"")
        if size > max_bytes:
            return records[:count]
    return records
