"""What was fetched, until it is read: batches as brokers send them."""

from collections.abc import Iterable

import pytest
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from penstock_kafka.groups.buffer import Buffer

GZIP = 1


def batch(offsets: Iterable[int], size: int = 3, compression: int = 0) -> bytes:
    """A batch with a value of so many bytes at each offset, the first of them its own."""
    first, *_ = offsets = list(offsets)
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=compression,
        is_transactional=0,
        producer_id=-1,
        producer_epoch=-1,
        base_sequence=-1,
        batch_size=10_000_000,
    )
    for offset in offsets:
        added = builder.append(offset - first, timestamp=0, key=None, value=b"x" * size, headers=[])
        assert added
    encoded = bytearray(builder.build())
    encoded[:8] = first.to_bytes(8, "big")
    return bytes(encoded)


def offsets(buffer: Buffer, max_records: int = 100, max_bytes: int = 10_000) -> list[int]:
    return [record.offset for record in buffer.take(max_records, max_bytes)]


def test_records_are_taken_in_order_across_batches_and_fetches() -> None:
    buffer = Buffer(5)
    buffer.add(batch(range(5, 8)) + batch(range(8, 10)), ())
    assert buffer.next_fetch == 10
    buffer.add(batch(range(10, 12)), ())
    assert offsets(buffer, 4) == [5, 6, 7, 8]
    assert offsets(buffer) == [9, 10, 11]
    assert offsets(buffer) == []


@pytest.mark.parametrize("compression", [0, GZIP])
def test_a_batch_that_begins_before_the_offset_is_read_from_there(compression: int) -> None:
    buffer = Buffer(7)
    buffer.add(batch(range(5, 10), compression=compression), ())
    assert offsets(buffer) == [7, 8, 9]


def test_offsets_without_records_are_passed_over() -> None:
    buffer = Buffer(0)
    buffer.add(batch([0, 3, 4]) + batch([9]), ())
    assert offsets(buffer) == [0, 3, 4, 9]
    assert buffer.next_fetch == 10


def test_a_batch_that_is_cut_off_is_fetched_again() -> None:
    buffer = Buffer(0)
    buffer.add(batch(range(3)) + batch(range(3, 6))[:-1], ())
    assert offsets(buffer) == [0, 1, 2]
    assert buffer.next_fetch == 3


def test_a_read_ends_with_the_record_that_passes_the_bytes() -> None:
    buffer = Buffer(0)
    buffer.add(batch(range(6), size=10) + batch(range(6, 12), size=10), ())
    assert offsets(buffer, max_bytes=25) == [0, 1, 2]
    assert offsets(buffer, max_bytes=1) == [3]
    assert offsets(buffer, max_bytes=50) == [4, 5, 6, 7, 8, 9]
    assert offsets(buffer, 1, max_bytes=50) == [10]


def test_there_is_room_for_two_fetches() -> None:
    buffer = Buffer(0)
    for first in (0, 3):
        assert buffer.has_room
        buffer.add(batch(range(first, first + 3)), ())
    assert not buffer.has_room
    assert offsets(buffer, 3) == [0, 1, 2]
    assert buffer.has_room


def test_a_fetch_without_records_takes_no_room() -> None:
    buffer = Buffer(0)
    for _ in range(3):
        buffer.add(b"", ())
    assert buffer.has_room
    assert buffer.next_fetch == 0


def test_a_damaged_batch_is_fetched_again_and_nothing_is_passed_over() -> None:
    buffer = Buffer(0)
    damaged = bytearray(batch(range(3, 6)))
    damaged[-2] ^= 1
    buffer.add(batch(range(3)) + bytes(damaged) + batch(range(6, 9)), ())
    assert offsets(buffer) == [0, 1, 2]
    assert isinstance(buffer.failure, CorruptRecordException)
    assert not buffer.has_room
    assert offsets(buffer) == []
    buffer.move(buffer.next_fetch)
    assert buffer.failure is None
    buffer.add(batch(range(buffer.next_fetch, 9)), ())
    assert offsets(buffer) == [3, 4, 5, 6, 7, 8]


def test_what_was_fetched_is_read_before_a_failure_is_known() -> None:
    buffer = Buffer(0)
    buffer.add(batch(range(3)), ())
    buffer.fail(CorruptRecordException())
    assert offsets(buffer, 2) == [0, 1]
    assert offsets(buffer) == [2]
    assert not buffer.has_room


def test_moving_forgets_what_was_fetched() -> None:
    buffer = Buffer(0)
    buffer.add(batch(range(3)) + batch(range(3, 6)), ())
    assert offsets(buffer, 1) == [0]
    buffer.move(20)
    assert offsets(buffer) == []
    assert buffer.next_fetch == 20
    buffer.add(batch(range(20, 22)), ())
    assert offsets(buffer) == [20, 21]
