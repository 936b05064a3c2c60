"""One member's reading of one partition, from when it is assigned until it is revoked."""

import asyncio
from collections.abc import Callable

from penstock.plugin import PositionExpired, Record
from penstock_inmemory.log import Log


class Reader:
    """Walks along a log.

    Args:
        partition: The log's partition.
        log: What is read.
        start: Offset of the first record to read.
        acked: Gives the highest offset of a partition that any version of the group has acked,
            or -1.
    """

    def __init__(self, partition: int, log: Log, start: int, acked: Callable[[int], int]) -> None:
        self._partition = partition
        self._log = log
        self._next = start
        self._acked = acked
        self._wake = asyncio.Event()
        self._ended = False

    async def read(self, max_records: int, max_bytes: int) -> list[Record]:
        """What `Subscription.read` promises, for this partition."""
        log = self._log
        while not self._ended:
            log.trim()
            if self._next < log.first:
                wanted, self._next = self._next, log.first
                raise PositionExpired(self._partition, wanted, log.first)
            acked = self._acked(self._partition)
            if records := log.read(self._next, max_records, max_bytes, acked):
                # Nothing waits from here to the return: who cancels has taken no record.
                self._next += len(records)
                return records
            self._wake.clear()
            log.waiting.add(self._wake)
            await self._wake.wait()
        return []

    def end(self) -> None:
        """Let no more be read; a pending read returns nothing."""
        self._ended = True
        self._log.waiting.discard(self._wake)
        self._wake.set()
