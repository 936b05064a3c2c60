"""How far a partition can be acked."""

from penstock.plugin import Message, Record
from penstock_sidecar.engine.checkpoints import Checkpoints
from penstock_sidecar.engine.flow import PartitionKey
from penstock_sidecar.engine.settings import FRAME_RECORDS
from penstock_sidecar.engine.settlement import Partition, Run, bounds_of, describe


def partition(number: int = 0) -> Partition:
    return Partition(PartitionKey(0, number), f"g/in/{number}")


def run(of: Partition, *offsets: int, key: bytes | None = None) -> Run:
    return of.add([Record(Message(b"xy", key=key), offset, 0) for offset in offsets])


def test_a_partition_is_acked_up_to_what_is_done_from_its_beginning() -> None:
    one = partition()
    first, second = run(one, 0, 1, 2), run(one, 5, 6)
    assert second.settle() == (2, 4)
    assert one.advance() is None
    head, tail = first.split(2)
    head.settle()
    assert one.advance() == 1
    assert one.advance() is None
    assert one.bounds == (2, 2)
    tail.settle()
    assert one.advance() == 6
    assert one.idle
    assert one.bounds is None


def test_what_a_lost_partition_settles_is_not_acked() -> None:
    one = partition()
    run(one, 0, 1).settle()
    one.lost = True
    assert one.advance() is None


def test_a_partition_ends_before_what_no_call_was_fed_with() -> None:
    one = partition()
    fed, unfed, behind = run(one, 0), run(one, 1), run(one, 2)
    fed.fed()
    behind.fed()
    one.withdraw()
    # Of what lies behind the cut, nothing counts.
    unfed.settle()
    behind.settle()
    assert one.advance() is None
    fed.settle()
    assert one.advance() == 0
    assert one.idle


def test_a_partition_ends_before_a_call_that_failed() -> None:
    one = partition()
    first, second = run(one, 0), run(one, 1)
    first.fed()
    second.fed()
    second.unfed()
    one.withdraw()
    assert one.bounds == (0, 0)


def test_what_was_done_behind_a_hole_is_forgotten_with_what_is_in_it() -> None:
    one = partition()
    first, hole, last = run(one, 0), run(one, 1), run(one, 2)
    last.settle()
    one.withdraw()
    first.settle()
    hole.settle()
    assert one.advance() is None
    assert one.idle


def test_a_message_of_several_windows_is_done_when_all_of_them_are() -> None:
    one = partition()
    shared = run(one, 0, 1)
    shared.windows = 2
    assert shared.windows == 2
    assert shared.settle() == (0, 0)
    assert one.advance() is None
    assert shared.settle() == (2, 4)
    assert one.advance() == 1


def test_a_message_that_is_set_aside_is_done_whatever_windows_hold_it() -> None:
    one = partition()
    shared = run(one, 0, 1)
    shared.windows = 3
    assert shared.pick(0).finish() == (1, 2)
    assert shared.pick(0).finish() == (0, 0)
    assert one.advance() == 0
    assert [left.first for left in shared.undone()] == [1]


def test_windows_of_messages_are_known_where_chunks_grow() -> None:
    one = partition()
    first = run(one, 0)
    first.windows = 2
    second = run(one, 1)
    assert (first.windows, second.windows) == (2, 1)
    assert second.chunk is first.chunk


def test_what_is_shared_is_withdrawn_until_the_last_window_has_it() -> None:
    one = partition()
    shared = run(one, 0)
    shared.windows = 2
    shared.fed()
    shared.settle()
    one.withdraw()
    assert one.idle


def test_offsets_in_a_row_take_no_room() -> None:
    assert run(partition(), 5, 6, 7).offsets == range(5, 8)
    assert run(partition(), 5, 7, 8).offsets == (5, 7, 8)


def test_a_run_is_split_with_everything_in_it() -> None:
    head, tail = run(partition(), 5, 7, 8, key=b"k").split(1)
    assert (head.offsets, tail.offsets) == ((5,), (7, 8))
    assert (head.size, tail.size) == (3, 6)
    assert (len(head), len(tail)) == (1, 2)
    one = tail.pick(1)
    assert (one.offsets, one.size, len(one)) == ((8,), 3, 1)


def test_messages_that_come_one_by_one_make_one_chunk() -> None:
    one = partition()
    first, second = run(one, 0), run(one, 1, 2, key=b"k")
    assert first.chunk is second.chunk
    assert (first.chunk.offsets, second.offsets) == (range(3), range(1, 3))


def test_chunks_stay_apart_where_one_would_be_wrong_or_long() -> None:
    gap = partition()
    assert run(gap, 0).chunk is not run(gap, 2).chunk
    long = partition()
    assert run(long, *range(FRAME_RECORDS)).chunk is not run(long, FRAME_RECORDS).chunk


def test_inputs_are_settled_once_every_output_that_came_before_is_accepted() -> None:
    first, second = partition(0), partition(1)
    checkpoints = Checkpoints(2)
    checkpoints.add({0: 1}, [0, 0], lambda: [first])
    checkpoints.add({0: 1, 1: 2}, [0, 0], lambda: [second])
    assert not list(checkpoints.settle([0, 2]))
    assert checkpoints
    assert list(checkpoints.settle([1, 2])) == [first, second]
    assert not checkpoints


def test_what_needs_no_more_is_settled_at_once() -> None:
    one = partition()
    checkpoints = Checkpoints(1)
    checkpoints.add({0: 3}, [3], lambda: [one])
    assert checkpoints
    assert list(checkpoints.settle([3])) == [one]
    assert not checkpoints


def test_runs_are_described_by_partition() -> None:
    one, two = partition(0), partition(1)
    runs = [run(one, 3, 4), run(two, 9), run(one, 5, 8)]
    assert describe(bounds_of(runs), ["numbers"]) == "numbers[0] 3-8, numbers[1] 9"
