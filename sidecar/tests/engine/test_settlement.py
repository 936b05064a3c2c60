"""How far a partition can be acked."""

from penstock.plugin import Message, Record
from penstock_sidecar.engine.flow import PartitionKey
from penstock_sidecar.engine.settings import FRAME_RECORDS
from penstock_sidecar.engine.settlement import (
    Checkpoint,
    Checkpoints,
    Partition,
    Run,
    describe,
)


def partition(number: int = 0) -> Partition:
    return Partition(PartitionKey(0, number), f"g/in/{number}")


def run(of: Partition, *offsets: int, key: bytes | None = None) -> Run:
    made = Run.of(of, [Record(Message(b"xy", key=key), offset, 0) for offset in offsets])
    of.add(made)
    return made


def test_a_partition_is_acked_up_to_what_is_done_from_its_beginning() -> None:
    one = partition()
    first, second = run(one, 0, 1, 2), run(one, 3, 4)
    second.settled = 2
    assert one.advance() is None
    first.settled = 2
    assert one.advance() == 1
    assert one.advance() is None
    first.settled = 3
    assert one.advance() == 4
    assert one.idle


def test_what_a_lost_partition_settles_is_not_acked() -> None:
    one = partition()
    run(one, 0, 1).settled = 2
    one.lost = True
    assert one.advance() is None


def test_a_partition_ends_before_what_no_call_was_fed_with() -> None:
    one = partition()
    fed, unfed, behind = run(one, 0), run(one, 1), run(one, 2)
    fed.feed()
    behind.feed()
    assert one.withdraw() == [unfed]
    behind.settled = 1
    fed.settled = 1
    assert one.advance() == 0
    assert one.idle


def test_offsets_in_a_row_take_no_room() -> None:
    assert run(partition(), 5, 6, 7).offsets == range(5, 8)
    assert run(partition(), 5, 7, 8).offsets == (5, 7, 8)


def test_a_run_is_split_with_everything_in_it() -> None:
    head, tail = run(partition(), 5, 7, 8).split(1)
    assert (head.offsets, tail.offsets) == ((5,), (7, 8))
    assert (head.size, tail.size) == (2, 4)
    assert (len(head.messages), len(tail.messages)) == (1, 2)


def test_a_run_that_was_fed_keeps_only_the_keys_and_those_only_if_there_are_any() -> None:
    keyed, unkeyed = run(partition(), 0, key=b"k"), run(partition(), 0)
    assert [message.key for message in keyed.feed()] == [b"k"]
    unkeyed.feed()
    assert (keyed.messages, keyed.keys, unkeyed.keys) == ((), [b"k"], None)


def test_messages_that_come_one_by_one_make_one_run() -> None:
    one = partition()
    first, second = run(one, 0), run(one, 1, 2, key=b"k")
    first.feed()
    second.feed()
    assert one.merge(first, second)
    assert list(one.open_runs) == [first]
    assert (first.offsets, first.keys) == (range(3), [None, b"k", b"k"])


def test_runs_stay_apart_where_one_would_be_wrong_or_long() -> None:
    gap = partition()
    assert not gap.merge(run(gap, 0), run(gap, 2))
    windows = partition()
    first, second = run(windows, 0), run(windows, 1)
    second.window = 2
    assert not windows.merge(first, second)
    behind = partition()
    first, second = run(behind, 0), run(behind, 1)
    run(behind, 2)
    assert not behind.merge(first, second)
    long = partition()
    assert not long.merge(run(long, *range(FRAME_RECORDS)), run(long, FRAME_RECORDS))


def test_inputs_are_settled_once_every_output_that_came_before_is_accepted() -> None:
    first, second = partition(0), partition(1)
    one, two = run(first, 0, 1), run(second, 0)
    checkpoints = Checkpoints()
    checkpoints.add(Checkpoint((1, 0), [(one, 2)]))
    checkpoints.add(Checkpoint((1, 2), [(two, 1)]))
    assert checkpoints.settle([0, 2]) == set()
    assert checkpoints.settle([1, 1]) == {first}
    assert checkpoints
    assert checkpoints.settle([1, 2]) == {second}
    assert (one.settled, two.settled) == (2, 1)
    assert not checkpoints


def test_runs_are_described_by_partition() -> None:
    one, two = partition(0), partition(1)
    runs = [run(one, 3, 4), run(two, 9), run(one, 5, 8)]
    assert describe(runs, ["numbers"]) == "numbers[0] 3-8, numbers[1] 9"
    runs[0].settled = runs[1].settled = 1
    assert describe(runs, ["numbers"]) == "numbers[0] 4-8"
