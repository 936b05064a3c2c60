"""Credit."""

from penstock_sidecar.engine.flow import Flow, Grant, Level, PartitionKey
from penstock_sidecar.engine.settings import FRAME_BYTES, FRAME_RECORDS, Marks

MARKS = Marks(high_records=100, low_records=50, high_bytes=1000, low_bytes=500)
A, B = PartitionKey(0, 0), PartitionKey(0, 1)


def test_a_buffer_is_full_from_a_high_mark_on_until_it_is_down_to_both_low_ones() -> None:
    level = Level(MARKS)
    full = []
    for records, size in ((99, 999), (0, 1), (-60, -499), (0, -1), (61, 0)):
        if records < 0 or size < 0:
            level.fall(-records, -size)
        else:
            level.rise(records, size)
        full.append(level.full)
    assert full == [False, True, True, False, True]


def test_each_partition_is_granted_one_read_at_a_time() -> None:
    flow = Flow(MARKS)
    flow.add(A)
    assert [grant.key for grant in flow.grants()] == [A]
    flow.add(B)
    assert [grant.key for grant in flow.grants()] == [B]
    assert not list(flow.grants())
    flow.came(A)
    assert [grant.key for grant in flow.grants()] == [A]


def test_nothing_is_granted_while_the_buffer_is_full() -> None:
    flow = Flow(MARKS)
    flow.add(A)
    list(flow.grants())
    flow.level.rise(100, 10)
    flow.came(A)
    assert not list(flow.grants())
    flow.level.fall(50, 10)
    assert [grant.key for grant in flow.grants()] == [A]


def test_all_partitions_together_are_granted_what_fits_once() -> None:
    flow = Flow(MARKS)
    for number in range(4):
        flow.add(PartitionKey(0, number))
    assert [(grant.max_records, grant.max_bytes) for grant in flow.grants()] == 4 * [(25, 250)]


def test_a_partition_is_granted_a_frame_at_most_and_a_record_at_least() -> None:
    flow = Flow(Marks())
    flow.add(A)
    assert list(flow.grants()) == [Grant(A, FRAME_RECORDS, FRAME_BYTES)]
    crowded = Flow(Marks(high_records=2, low_records=1, high_bytes=2, low_bytes=1))
    for number in range(3):
        crowded.add(PartitionKey(0, number))
    assert {grant[1:] for grant in crowded.grants()} == {(1, 1)}


def test_a_partition_that_went_is_not_granted_and_takes_no_share() -> None:
    flow = Flow(MARKS)
    flow.add(A)
    flow.add(B)
    flow.remove(A)
    assert list(flow.grants()) == [Grant(B, 100, 1000)]
    flow.remove(B)
    flow.add(A)
    assert list(flow.grants()) == [Grant(A, 100, 1000)]


def test_a_stop_ends_all_grants() -> None:
    flow = Flow(MARKS)
    flow.add(A)
    flow.stop()
    assert not list(flow.grants())
