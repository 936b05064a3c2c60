"""How far a group is, from what is seen of it."""

import pytest

from penstock.observability.group_progress import GroupProgress
from penstock.plugin import AtOffsets, AtTime, Edge, Start


def joined(start: Start, ends: dict[int, int] | None = None) -> GroupProgress:
    """A group whose first member has just joined, and holds partition 0."""
    progress = GroupProgress()
    progress.begin(start, ends)
    progress.assigned([0])
    return progress


def test_what_lies_behind_the_last_ack_is_to_be_done() -> None:
    assert joined(Edge.EARLIEST).lag({0: 6}, {0: 9}, [0]) == {0: 3}


def test_a_group_that_acked_everything_has_no_lag() -> None:
    assert joined(Edge.EARLIEST).lag({0: 9}, {0: 9}, [0]) == {0: 0}


def test_an_ack_beyond_the_end_is_no_lag() -> None:
    assert joined(Edge.EARLIEST).lag({0: 20}, {0: 9}, [0]) == {0: 0}


def test_a_partition_without_records_has_no_lag() -> None:
    assert joined(Edge.EARLIEST).lag({}, {}, [0]) == {0: 0}
    assert joined(Edge.EARLIEST).lag({0: 41}, {}, [0]) == {0: 0}


def test_a_group_from_the_earliest_that_acked_nothing_has_to_do_all() -> None:
    assert joined(Edge.EARLIEST).lag({}, {0: 9}, [0]) == {0: 10}


def test_a_group_from_the_latest_has_to_do_what_came_since() -> None:
    progress = joined(Edge.LATEST, {0: 6})
    assert progress.lag({}, {0: 6}, [0]) == {0: 0}
    assert progress.lag({}, {0: 9, 1: 1}, [0, 1]) == {0: 3, 1: 2}


def test_nobody_knows_before_the_first_record_where_the_end_was_not_told() -> None:
    progress = joined(Edge.LATEST, None)
    assert progress.lag({}, {0: 9}, [0]) == {}
    progress.delivered(0, 8)
    assert progress.lag({}, {0: 9}, [0]) == {0: 2}


@pytest.mark.parametrize("start", [Edge.EARLIEST, Edge.LATEST, AtTime(1_000)])
def test_the_first_record_tells_where_a_group_began(start: Start) -> None:
    progress = joined(start, {0: 2})
    progress.delivered(0, 5)
    progress.delivered(0, 7)
    assert progress.lag({}, {0: 9}, [0]) == {0: 5}
    assert progress.lag({0: 7}, {0: 9}, [0]) == {0: 2}


def test_offsets_are_the_first_to_deliver_and_count_before_an_edge() -> None:
    assert joined(AtOffsets({0: 4})).lag({}, {0: 9, 1: 0}, [0, 1]) == {0: 6, 1: 1}
    progress = joined(Edge.LATEST, {0: 9})
    progress.end()
    progress.begin(AtOffsets({0: 4}), None)
    assert progress.lag({}, {0: 9}, [0]) == {0: 6}


def test_where_the_first_member_began_counts_for_those_after_it() -> None:
    progress = joined(Edge.LATEST, {0: 6})
    progress.begin(Edge.LATEST, {0: 8, 1: 5})
    progress.begin(AtOffsets({0: 1}), None)
    assert progress.lag({}, {0: 9, 1: 5}, [0, 1]) == {0: 3, 1: 6}


def test_what_retention_removed_is_nobodys_to_do() -> None:
    progress = joined(Edge.EARLIEST)
    progress.gone(0, 7)
    assert progress.lag({0: 2}, {0: 9}, [0]) == {0: 3}
    assert progress.lag({}, {0: 9}, [0]) == {0: 3}
    assert progress.lag({0: 8}, {0: 9}, [0]) == {0: 1}


def test_a_topic_that_was_made_anew_begins_at_0_again() -> None:
    progress = joined(Edge.EARLIEST)
    progress.gone(0, 70)
    assert progress.lag({0: 2}, {0: 9}, [0]) == {0: 7}


def test_an_ack_that_goes_down_makes_the_lag_grow() -> None:
    progress = joined(Edge.EARLIEST)
    progress.delivered(0, 0)
    assert progress.lag({0: 8}, {0: 9}, [0]) == {0: 1}
    assert progress.lag({0: 1}, {0: 9}, [0]) == {0: 8}


def test_partitions_are_held_until_they_are_revoked() -> None:
    progress = joined(Edge.EARLIEST)
    progress.assigned([1, 2])
    progress.revoked([0, 1])
    assert progress.partitions == {2}
