"""Records as a consumer gets them."""

from collections.abc import Callable, Iterable, Sequence

import pytest
from aiokafka import ConsumerRecord
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.memory_records import MemoryRecords

Headers = Sequence[tuple[str, bytes | None]]
Raw = tuple[bytes | None, bytes | None, Headers]
"""Key, value and headers of a record."""

Consume = Callable[[Iterable[Raw]], list[ConsumerRecord]]

TIMESTAMP_MS = 1_700_000_000_123


@pytest.fixture(scope="session")
def consume() -> Consume:
    """Writes records in Kafka's format, and reads them; offsets from 0, all at `TIMESTAMP_MS`."""

    def consume(records: Iterable[Raw]) -> list[ConsumerRecord]:
        builder = DefaultRecordBatchBuilder(2, 0, False, -1, -1, 0, 1 << 30)  # noqa: FBT003
        for offset, (key, value, headers) in enumerate(records):
            assert builder.append(offset, TIMESTAMP_MS, key, value, list(headers))
        batch = MemoryRecords(bytes(builder.build())).next_batch()
        return [
            ConsumerRecord(
                topic="topic",
                partition=0,
                offset=record.offset,
                timestamp=record.timestamp,
                timestamp_type=record.timestamp_type,
                key=record.key,
                value=record.value,
                checksum=None,
                serialized_key_size=-1,
                serialized_value_size=-1,
                headers=tuple(record.headers),
            )
            for record in batch
        ]

    return consume
