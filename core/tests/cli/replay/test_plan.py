"""What a replay would do, by how the partitions are."""

import pytest

from penstock.cli.replay.plan import Located, Partition, Plan, make_plan
from penstock.cli.replay.point import Offsets, Point
from penstock.cli.replay.rerun import rerun_of
from penstock.plugin import AtTime, Edge, UsageError

INPUTS = {
    "in": Located(
        {0: Partition(10, 50, 29), 1: Partition(0, 5, None), 2: Partition(7, 7, 6)},
        start={0: 20, 1: 5, 2: 7},
        stop={0: 40, 1: 5, 2: 7},
    )
}
"""Offsets 10 to 49 of which 29 is acked; 0 to 4 of which none is; none any more."""


def ranges(start: Point, stop: Point | None = None) -> dict[int, tuple[int, int]]:
    return {one.number: (one.start, one.stop) for one in make_plan(INPUTS, start, stop).stretches}


@pytest.mark.parametrize(
    ("start", "stop", "expected"),
    [
        (Edge.EARLIEST, None, {0: (10, 50), 1: (0, 5), 2: (7, 7)}),
        (Edge.LATEST, None, {0: (50, 50), 1: (5, 5), 2: (7, 7)}),
        (AtTime(0), None, {0: (20, 50), 1: (5, 5), 2: (7, 7)}),
        (Offsets(12), None, {0: (12, 50), 1: (5, 5), 2: (7, 7)}),
        (Offsets(partitions={1: 3}), None, {1: (3, 5)}),
        (Edge.EARLIEST, Edge.LATEST, {0: (10, 50), 1: (0, 5), 2: (7, 7)}),
        (AtTime(0), AtTime(1), {0: (20, 40), 1: (5, 5), 2: (7, 7)}),
        (Edge.EARLIEST, Offsets(12), {0: (10, 13), 1: (0, 5), 2: (7, 7)}),
        (Offsets(partitions={0: 12, 1: 1}), Offsets(partitions={0: 12, 2: 1}), {0: (12, 13)}),
    ],
)
def test_a_stretch_is_from_the_first_offset_to_behind_the_last(
    start: Point, stop: Point | None, expected: dict[int, tuple[int, int]]
) -> None:
    assert ranges(start, stop) == expected


def test_offsets_that_are_not_there_are_clamped_and_remarked_on() -> None:
    plan = make_plan(INPUTS, Offsets(partitions={0: 3, 1: 9}), None)
    assert [(one.start, one.stop) for one in plan.stretches] == [(10, 50), (5, 5)]
    assert plan.remarks == [
        "input in, partition 0: offset 3 is no longer kept; the first is 10",
        "input in, partition 1: offset 9 is yet to come; the last is 4",
    ]
    bounded = make_plan(INPUTS, Edge.EARLIEST, Offsets(partitions={0: 50}))
    assert bounded.remarks == ["input in, partition 0: offset 50 is yet to come; the last is 49"]
    assert not make_plan(INPUTS, Edge.EARLIEST, Offsets(partitions={0: 49})).remarks


def test_records_are_counted_those_again_and_those_left_out() -> None:
    back, forth = (
        make_plan(INPUTS, Offsets(partitions={0: offset}), None).stretches[0] for offset in (25, 40)
    )
    assert (back.records, back.again, back.skipped) == (25, 5, 0)
    assert (forth.records, forth.again, forth.skipped) == (10, 0, 10)


def test_an_end_before_the_beginning_is_refused() -> None:
    with pytest.raises(UsageError, match="--from is behind --to"):
        make_plan({"in": Located({0: Partition(0, 9, None)}, {0: 5})}, AtTime(0), Offsets(2))


def test_a_partition_that_is_not_there_is_refused() -> None:
    with pytest.raises(UsageError, match="no partition 3: expected 0 to 2"):
        make_plan(INPUTS, Edge.EARLIEST, Offsets(partitions={3: 1}))


def test_progress_counts_offsets_of_the_range_alone() -> None:
    rerun = rerun_of(make_plan(INPUTS, AtTime(0), AtTime(1)), version=1)
    assert rerun.last == {"in": {0: 39}}
    assert rerun.records == 20
    acked = [{}, {"in": {0: 19}}, {"in": {0: 24, 1: 4}}, {"in": {0: 39}}]
    assert [rerun.done(one) for one in acked] == [0, 0, 5, 20]


def test_a_table_says_where_nothing_is_acked_or_kept() -> None:
    empty = Plan(
        make_plan({"in": Located({0: Partition(0, 0, None)})}, Edge.EARLIEST, None).stretches
    )
    assert empty.table(bounded=False).splitlines()[1].split() == [
        "in",
        "0",
        "none",
        "0",
        "-",
        "0",
        "0",
    ]
