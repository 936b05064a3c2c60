"""The rules by which a group begins, and what its stored positions mean."""

import pytest

from penstock.plugin import AtOffsets, AtTime, Edge, Start
from penstock_kafka.groups.beginning import Beginning, beginning
from penstock_kafka.groups.stored import Mark, Stored, acked, behind, highest_acked

PLACES = [AtOffsets({0: 7}), AtTime(1000)]


def begin(
    start: Start, stored: dict[int, Stored], *, begun: bool = False, alone: bool = False
) -> Beginning | None:
    """Of two partitions."""
    return beginning(start, 2, stored, begun=begun, alone=alone)


@pytest.mark.parametrize("start", list(Edge))
def test_a_new_group_begins_where_it_is_asked_to(start: Edge) -> None:
    assert begin(start, {}) == Beginning(start, frozenset({0, 1}), Mark.EDGE)


@pytest.mark.parametrize("start", PLACES)
def test_a_new_group_begins_at_offsets_or_a_time(start: Start) -> None:
    for alone in (False, True):
        decided = begin(start, {}, alone=alone)
        assert decided == Beginning(start, frozenset({0, 1}), Mark.PLACED)


@pytest.mark.parametrize("start", [*Edge, *PLACES])
def test_what_is_acked_stays(start: Start) -> None:
    for mark in (Mark.ACKED, Mark.ACKED_BY_OTHERS, "of another tool", ""):
        assert begin(start, {0: Stored(5, mark), 1: Stored(0, mark)}, alone=True) is None


@pytest.mark.parametrize("mark", [Mark.EDGE, Mark.PLACED, Mark.ACKED])
def test_a_partition_that_came_after_the_group_had_begun_is_read_from_its_first_record(
    mark: Mark,
) -> None:
    decided = begin(Edge.LATEST, {0: Stored(5, mark)})
    assert decided == Beginning(Edge.EARLIEST, frozenset({1}), Mark.EDGE)


@pytest.mark.parametrize("mark", [Mark.ACKED_BY_OTHERS, "of another tool", ""])
def test_an_ack_of_who_is_no_member_does_not_begin_a_group(mark: str) -> None:
    decided = begin(Edge.LATEST, {0: Stored(5, mark)})
    assert decided == Beginning(Edge.LATEST, frozenset({1}), Mark.EDGE)


def test_a_group_that_is_known_to_have_begun_misses_nothing() -> None:
    decided = begin(Edge.LATEST, {}, begun=True)
    assert decided == Beginning(Edge.EARLIEST, frozenset({0, 1}), Mark.EDGE)


@pytest.mark.parametrize("start", PLACES)
def test_an_edge_gives_way_to_offsets_or_a_time_of_who_is_alone(start: Start) -> None:
    stored = {0: Stored(5, Mark.EDGE), 1: Stored(9)}
    assert begin(start, stored, alone=True) == Beginning(start, frozenset({0}), Mark.PLACED)
    assert begin(start, stored, alone=False) is None


@pytest.mark.parametrize("start", list(Edge))
def test_an_edge_does_not_give_way_to_an_edge(start: Edge) -> None:
    stored = {0: Stored(5, Mark.EDGE), 1: Stored(5, Mark.EDGE)}
    assert begin(start, stored, alone=True) is None


@pytest.mark.parametrize("start", PLACES)
def test_offsets_and_times_give_way_to_nothing(start: Start) -> None:
    stored = {0: Stored(5, Mark.PLACED), 1: Stored(5, Mark.PLACED)}
    assert begin(start, stored, alone=True) is None


@pytest.mark.parametrize("start", PLACES)
def test_who_is_alone_says_where_a_new_partition_begins(start: Start) -> None:
    decided = begin(start, {0: Stored(5)}, alone=True)
    assert decided == Beginning(start, frozenset({1}), Mark.PLACED)


def test_a_start_is_not_acked() -> None:
    starts = {0: Stored(5, Mark.EDGE), 1: Stored(5, Mark.PLACED)}
    positions = starts | {2: behind(5), 3: Stored(9, "x")}
    assert acked(positions) == {2: 5, 3: 8}


def test_a_position_at_the_first_record_is_no_ack() -> None:
    assert acked({0: Stored(0), 1: Stored(0, "")}) == {}


def test_the_highest_ack_of_all_versions_counts() -> None:
    acks = [{0: behind(5), 1: behind(2)}, {0: behind(3), 2: behind(0)}]
    assert highest_acked([*acks, {1: Stored(9, Mark.EDGE)}]) == {0: 5, 1: 2, 2: 0}
    assert highest_acked([]) == {}
