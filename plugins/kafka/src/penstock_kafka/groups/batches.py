"""What a leader sends of a partition: batches of records, aborted ones among them."""

from collections import deque
from collections.abc import Iterable
from typing import Any, NamedTuple

from aiokafka.record.control_record import ABORT_MARKER, ControlRecord
from aiokafka.record.memory_records import MemoryRecords

Batch = Any
"""aiokafka's: it is unpacked when it is iterated, and once only."""


class Aborted(NamedTuple):
    """A transaction that was aborted: its records are skipped from an offset on.

    Attributes:
        producer_id: Whose.
        first_offset: Of its first record in the partition.
    """

    producer_id: int
    first_offset: int


class Fetched(NamedTuple):
    """What is in a reply.

    Attributes:
        batches: Those with records to read.
        next_offset: Where the next fetch begins.
    """

    batches: deque[Batch]
    next_offset: int


def sort_out(data: bytes, aborted: Iterable[Aborted], offset: int) -> Fetched:
    """Take apart what was fetched, without unpacking any records.

    Args:
        data: As it came; the last batch may be cut off.
        aborted: The aborted transactions that have records in it.
        offset: Where the fetch began.
    """
    to_come = deque(sorted(aborted, key=lambda one: one.first_offset))
    aborting: set[int] = set()
    batches: deque[Batch] = deque()
    records = MemoryRecords(data)
    while records.has_next():
        batch = records.next_batch()
        offset = batch.next_offset
        while to_come and to_come[0].first_offset <= batch.base_offset:
            aborting.add(to_come.popleft().producer_id)
        if batch.is_control_batch:
            if _ends_aborted(batch):
                aborting.discard(batch.producer_id)
        elif not (batch.is_transactional and batch.producer_id in aborting):
            batches.append(batch)
    return Fetched(batches, offset)


def _ends_aborted(batch: Batch) -> bool:
    return any(ControlRecord.parse(record.key) == ABORT_MARKER for record in batch)
