"""When a message happened."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from penstock_sidecar.engine.windows import Reason
from penstock_sidecar.rfc3339 import milliseconds

if TYPE_CHECKING:
    from sidecar.tests.engine.windows.conftest import MakeStage


def start_of(stage: MakeStage, stored: float = 5.0, **message: Any) -> tuple[int | None, int]:
    """The start of the window of 10 s that a message is in, and how many were undated."""
    source = message.pop("timestamp_from", None)
    one = stage(time="Event", size=10.0, timestamp_from=source)
    one.came("a", at=[stored], **message)
    [window] = one.windows.end_all(Reason.STOPPED)
    return window.start, one.windows.counts.undated


def test_the_time_of_a_message_is_that_of_its_record(stage: MakeStage) -> None:
    assert start_of(stage, 25.0) == (1_000_020_000, 0)


def test_it_is_that_of_the_event_where_the_window_says_so(stage: MakeStage) -> None:
    for source in ("time", "headers.ce_time"):
        told = start_of(stage, timestamp_from=source, time="1970-01-12T13:47:13Z")
        assert told == (1_000_030_000, 0)


def test_it_is_that_of_a_header_where_the_window_says_so(stage: MakeStage) -> None:
    headers = {"sent": "1000047.5"}
    assert start_of(stage, timestamp_from="headers.Sent", headers=headers) == (1_000_040_000, 0)


@pytest.mark.parametrize(
    "time",
    ["", "yesterday", "12", "1970-01-01T23:59:59Z", "1970-01-12T14:46:41Z", "9" * 1_000_000],
)
def test_a_time_that_cannot_be_is_replaced_by_the_records_and_counted(
    stage: MakeStage, time: str
) -> None:
    assert start_of(stage, timestamp_from="time", time=time) == (1_000_000_000, 1)


def test_a_time_up_to_an_hour_ahead_is_believed(stage: MakeStage) -> None:
    time = "1970-01-12T14:46:40Z"
    assert start_of(stage, timestamp_from="time", time=time) == (1_003_600_000, 0)


@pytest.mark.parametrize("stored", [-1_000_000.0, 3600.001, 1e12])
def test_a_record_without_a_time_that_can_be_has_the_wall_clocks(
    stage: MakeStage, stored: float
) -> None:
    assert start_of(stage, stored) == (1_000_000_000, 1)
    assert start_of(stage, stored, timestamp_from="time", time="no") == (1_000_000_000, 1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-02-29T12:00:00Z", 1_709_208_000_000),
        ("2024-02-29t13:00:00.123456789+01:00", 1_709_208_000_123),
        ("1709208000", 1_709_208_000_000),
        ("1709208000.5", 1_709_208_000_500),
        ("1709208000123", 1_709_208_000_123),
        ("99999999999", 99_999_999_999_000),
        ("100000000000", 100_000_000_000),
        ("1969-12-31T23:59:59.999Z", -1),
    ],
)
def test_a_time_is_written_as_rfc_3339_or_as_a_number(text: str, expected: int) -> None:
    assert milliseconds(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "2024-02-30T12:00:00Z",
        "2024-02-29T12:00:00",
        "2024-02-29",
        "20240229T120000Z",
        "2024-W09-4T12:00:00Z",
        "nan",
        "1_000",
        "-5",
        "٣",
        " 5",
    ],
)
def test_nothing_else_is_a_time(text: str) -> None:
    assert milliseconds(text) is None
