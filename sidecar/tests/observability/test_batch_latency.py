"""How long batches take: from their oldest record to the moment when all of them are done."""

from penstock.plugin import Message, Record
from penstock_sidecar.observability import batch_latency
from penstock_sidecar.observability.batch_latency import BatchLatency


def records(first: int, count: int, stored_ms: int) -> list[Record]:
    """Each is stored a millisecond after the one before."""
    return [Record(Message(b"x"), first + i, stored_ms + i) for i in range(count)]


def test_a_batch_is_as_old_as_its_first_record_and_done_with_its_last() -> None:
    latency = BatchLatency()
    latency.read(0, records(0, 10, stored_ms=1_000))
    assert latency.done({0: 8}, now_ms=2_000) == []
    assert latency.done({0: 9}, now_ms=3_500) == [2.5]
    assert latency.done({0: 9}, now_ms=9_000) == []


def test_batches_that_are_done_together_count_each() -> None:
    latency = BatchLatency()
    for number in range(3):
        latency.read(0, records(10 * number, 10, stored_ms=1_000 * number))
    assert latency.done({0: 25}, now_ms=5_000) == [5.0, 4.0]
    assert latency.done({0: 29}, now_ms=5_000) == [3.0]


def test_partitions_are_apart() -> None:
    latency = BatchLatency()
    latency.read(0, records(0, 1, stored_ms=0))
    latency.read(1, records(0, 1, stored_ms=1_000))
    assert latency.done({1: 0, 2: 7}, now_ms=3_000) == [2.0]
    assert latency.done({0: 0}, now_ms=3_000) == [3.0]


def test_a_clock_that_is_behind_the_gateways_makes_no_negative_time() -> None:
    latency = BatchLatency()
    latency.read(0, records(0, 1, stored_ms=5_000))
    assert latency.done({0: 0}, now_ms=4_000) == [0.0]


def test_a_partition_that_is_read_anew_begins_anew() -> None:
    latency = BatchLatency()
    latency.read(0, records(0, 5, stored_ms=0))
    latency.forget([0])
    latency.read(0, records(2, 1, stored_ms=1_000))
    assert latency.done({0: 4}, now_ms=2_000) == [1.0]


def test_a_long_window_keeps_a_bounded_number_of_batches() -> None:
    latency = BatchLatency()
    bound = batch_latency.BATCHES
    for number in range(3 * bound):
        latency.read(0, records(number, 1, stored_ms=number))
    # Those beyond the bound are one, as old as the first of them.
    assert latency.done({0: 3 * bound - 2}, now_ms=10_000) == [
        (10_000 - number) / 1000 for number in range(bound - 1)
    ]
    assert latency.done({0: 3 * bound - 1}, now_ms=10_000) == [(10_000 - bound + 1) / 1000]
