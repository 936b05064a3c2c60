"""Which messages count as seen before."""

from collections.abc import Sequence

import pytest

from penstock.cli.deduplicator import Deduplicator
from penstock.plugin import Message, Record


def records(*events: tuple[str, str]) -> Sequence[Record]:
    """Records of events by source and id, each with a payload of its own."""
    return [
        Record(Message(b"%d" % offset, source=source, id=id_), offset, 0)
        for offset, (source, id_) in enumerate(events)
    ]


def offsets(deduplicator: Deduplicator, *events: tuple[str, str]) -> list[int]:
    return [record.offset for record in deduplicator.fresh(records(*events))]


def test_an_event_is_known_by_its_source_and_id() -> None:
    deduplicator = Deduplicator()
    assert offsets(deduplicator, ("a", "1"), ("a", "2"), ("b", "1"), ("a", "1")) == [0, 1, 2]
    assert offsets(deduplicator, ("b", "1"), ("b", "2")) == [1]
    assert deduplicator.dropped == 2


def test_what_has_no_id_is_never_known() -> None:
    deduplicator = Deduplicator()
    assert offsets(deduplicator, ("a", ""), ("a", ""), ("", "")) == [0, 1, 2]
    assert deduplicator.dropped == 0


@pytest.mark.parametrize("other", [("a1", "2"), ("", "a12"), ("a 1", "2"), ("1 a", "12")])
def test_sources_and_ids_are_not_run_together(other: tuple[str, str]) -> None:
    assert offsets(Deduplicator(), ("a", "12"), other) == [0, 1]


def test_only_so_many_are_remembered() -> None:
    deduplicator = Deduplicator(remembered=2)
    assert offsets(deduplicator, ("a", "1"), ("a", "2"), ("a", "1"), ("a", "3")) == [0, 1, 3]
    assert offsets(deduplicator, ("a", "2"), ("a", "1"), ("a", "3")) == [1]


def test_nothing_is_counted_that_is_not_asked_for() -> None:
    deduplicator = Deduplicator()
    fresh = deduplicator.fresh(records(("a", "1"), ("a", "1"), ("a", "2"), ("a", "2")))
    assert [next(fresh).offset, next(fresh).offset] == [0, 2]
    assert deduplicator.dropped == 1
