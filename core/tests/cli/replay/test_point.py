"""Where a replay begins and ends, as it is written."""

import pytest

from penstock.cli.replay.point import Offsets, Point, check_order, parse_point
from penstock.plugin import AtTime, Edge, UsageError

NOW = 1_800_000_000.0  # 2027-01-15T08:00:00Z


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("earliest", Edge.EARLIEST),
        ("latest", Edge.LATEST),
        ("0", Offsets(everywhere=0)),
        ("42", Offsets(everywhere=42)),
        ("0:42", Offsets(partitions={0: 42})),
        ("0:42,11:0", Offsets(partitions={0: 42, 11: 0})),
        ("2027-01-15T07:59:59Z", AtTime(1_799_999_999_000)),
        ("2027-01-15t07:59:59.5z", AtTime(1_799_999_999_500)),
        ("2027-01-15T08:59:59+01:00", AtTime(1_799_999_999_000)),
        ("1h", AtTime(1_799_996_400_000)),
        ("1m30s", AtTime(1_799_999_910_000)),
    ],
)
def test_a_point_is_read(text: str, point: Point) -> None:
    assert parse_point("--from", text, NOW) == point


@pytest.mark.parametrize(
    "text", ["", "-1", "1.5", "first", "0:", ":1", "0:1,", "0:1;1:1", "٣", "1e3", "9" * 30, "1y"]
)
def test_what_is_none_is_refused_with_what_is(text: str) -> None:
    with pytest.raises(UsageError, match=r"--to: .*expected earliest, latest, a time"):
        parse_point("--to", text, NOW)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2027-01-15T08:00:01Z", "is in the future"),
        ("2027-01-15T07:00:00", "has no time zone"),
        ("2027-01-15", "has no time zone"),
        ("2027-13-15T07:00:00Z", "expected earliest"),
        ("1:1,1:2", "partition 1 is there twice"),
    ],
)
def test_what_cannot_be_meant_is_refused(text: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        parse_point("--from", text, NOW)


@pytest.mark.parametrize(
    ("start", "stop"),
    [
        (Edge.EARLIEST, Edge.LATEST),
        (Offsets(5), Offsets(5)),
        (Offsets(partitions={0: 5}), Offsets(partitions={0: 5, 1: 0})),
        (Offsets(5), AtTime(0)),
        (AtTime(1), AtTime(2)),
    ],
)
def test_a_range_may_be_of_one_record(start: Point, stop: Point) -> None:
    check_order(start, stop)


@pytest.mark.parametrize(
    ("start", "stop"),
    [
        (Edge.EARLIEST, Edge.EARLIEST),
        (Edge.LATEST, Edge.LATEST),
        (Offsets(5), Offsets(4)),
        (Offsets(5), Offsets(partitions={1: 4})),
        (AtTime(2), AtTime(2)),
    ],
)
def test_a_range_that_ends_before_it_begins_is_refused(start: Point, stop: Point) -> None:
    with pytest.raises(UsageError):
        check_order(start, stop)
