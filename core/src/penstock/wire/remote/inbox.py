"""What came in of a partition and was not read yet: bounded, in order, and counted."""

import asyncio
from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

from penstock.plugin import PositionExpired, Record

HIGH_RECORDS: Final = 4000
HIGH_BYTES: Final = 4 * 1024 * 1024
"""The high marks of one partition: more is not asked for; half of it read, more is."""


class _Part:
    """Records that came in together; those before `start` have been read."""

    __slots__ = ("bytes", "records", "start")

    def __init__(self, records: Sequence[Record], size: int) -> None:
        self.records = records
        self.bytes = size
        self.start = 0


class Inbox:
    """Between the one task that receives a partition and the one that reads it.

    It lives as long as an assignment does.
    """

    def __init__(self) -> None:
        self._parts: deque[_Part | PositionExpired] = deque()
        self._closed = False
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._waiting_records = self._waiting_bytes = 0
        self._read_records = self._read_bytes = 0

    def put(self, records: Sequence[Record], size: int) -> None:
        """Add what came in: at least one record, of so many bytes as encoded."""
        self._waiting_records += len(records)
        self._waiting_bytes += size
        self._add(_Part(records, size))
        if self._waiting_records >= HIGH_RECORDS or self._waiting_bytes >= HIGH_BYTES:
            self._room.clear()

    def put_gap(self, gap: PositionExpired) -> None:
        """Tell the reader, in its place between the records, that some are gone."""
        self._add(gap)

    def close(self) -> None:
        """The assignment is over: what was not read is dropped, and a read that waits ends."""
        self._closed = True
        self._parts.clear()
        self._arrived.set()
        self._room.set()

    async def take(self, max_records: int, max_bytes: int) -> Sequence[Record]:
        """Wait for records and take them, as `Subscription.read` has it; none: it is closed.

        Raises:
            PositionExpired: Records are gone here.
        """
        await self._arrived.wait()
        if self._closed:
            return ()
        first = self._parts[0]
        if isinstance(first, PositionExpired):
            self._parts.popleft()
            self._settle()
            raise first
        taken: list[Record] = []
        while len(taken) < max_records and max_bytes > 0:
            if not self._parts or not isinstance(part := self._parts[0], _Part):
                break
            taken += self._cut(part, max_records - len(taken), max_bytes)
            max_bytes -= part.bytes
        self._settle()
        return taken

    async def room(self) -> None:
        """Wait while it is full: from the high mark on until half of it has been read."""
        await self._room.wait()

    def due(self) -> tuple[int, int]:
        """Records and bytes that were read and are to be asked for now; both 0: not yet."""
        if self._read_records < HIGH_RECORDS // 2 and self._read_bytes < HIGH_BYTES // 2:
            return 0, 0
        due = self._read_records, self._read_bytes
        self._read_records = self._read_bytes = 0
        return due

    def _add(self, part: _Part | PositionExpired) -> None:
        if not self._closed:
            self._parts.append(part)
            self._arrived.set()

    def _cut(self, part: _Part, max_records: int, max_bytes: int) -> Sequence[Record]:
        """The next records of the first part; its bytes count as read when all of it is."""
        cut = part.records[part.start : part.start + max_records]
        # A part is larger as encoded than its payloads are, which are counted only if need be.
        if part.bytes > max_bytes:
            passed = list(accumulate(len(record.message.payload) for record in cut))
            cut = cut[: bisect_left(passed, max_bytes) + 1]
        part.start += len(cut)
        self._waiting_records -= len(cut)
        self._read_records += len(cut)
        if part.start == len(part.records):
            self._parts.popleft()
            self._waiting_bytes -= part.bytes
            self._read_bytes += part.bytes
        return cut

    def _settle(self) -> None:
        if not self._parts:
            self._arrived.clear()
        if self._waiting_records <= HIGH_RECORDS // 2 and self._waiting_bytes <= HIGH_BYTES // 2:
            self._room.set()
