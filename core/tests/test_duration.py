"""Durations: texts to seconds, and back."""

import math
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from penstock.duration import Duration, Within, format_duration, parse_duration


class Holder(BaseModel):
    """Anything with a duration."""

    length: Duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("60s", 60),
        ("1m30s", 90),
        ("100ms", 0.1),
        ("1.5h", 5400),
        ("0s", 0),
        ("2h3m4s5ms", 7384.005),
        ("0.5m", 30),
    ],
)
def test_a_text_is_so_many_seconds(text: str, seconds: float) -> None:
    assert math.isclose(parse_duration(text), seconds)


@pytest.mark.parametrize(
    "text", ["", "60", "s", "1 s", "-1s", "1d", "1m 30s", "1.s", ".5s", "1s\n", "\u0661s", "1e3s"]
)
def test_what_is_none_is_refused_with_what_is_expected(text: str) -> None:
    with pytest.raises(ValueError, match="expected numbers with h, m, s or ms, as 60s or 1m30s"):
        parse_duration(text)


def test_one_without_end_is_refused() -> None:
    with pytest.raises(ValueError, match="too long"):
        parse_duration("9" * 400 + "h")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(90, "1m30s"), (3600, "1h"), (0.1, "100ms"), (0, "0s"), (7384.005, "2h3m4s5ms"), (60, "1m")],
)
def test_the_shortest_text_is_written(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text


@given(st.integers(0, 10**12))
def test_seconds_come_back_to_the_millisecond(milliseconds: int) -> None:
    text = format_duration(milliseconds / 1000)
    assert round(parse_duration(text) * 1000) == milliseconds


def test_a_field_takes_a_text_and_writes_it() -> None:
    holder = Holder.model_validate({"length": "90s"})
    assert holder.length == 90
    assert holder.model_dump(mode="json") == {"length": "1m30s"}
    assert Holder(length=0.5).length == 0.5


@pytest.mark.parametrize("value", [60, True, None, [], math.nan, math.inf])
def test_a_field_takes_no_number_without_a_unit(value: object) -> None:
    with pytest.raises(ValidationError, match="expected a text with a unit, as 60s"):
        Holder.model_validate({"length": value})


def test_a_field_says_what_is_wrong_with_a_text() -> None:
    with pytest.raises(ValidationError, match="'soon' is not a duration"):
        Holder.model_validate({"length": "soon"})


def test_its_schema_is_a_text_with_the_pattern_that_is_parsed() -> None:
    field = Holder.model_json_schema()["properties"]["length"]
    assert field["type"] == "string"
    assert "(?" not in field["pattern"]  # which RE2 of Kubernetes reads only in part


class Bounded(BaseModel):
    """Anything with a duration that is not any."""

    length: Annotated[Duration, Within("1ms", "1m")] | None = None


@pytest.mark.parametrize(("text", "seconds"), [("1ms", 0.001), ("1m", 60.0), ("1.4ms", 0.001)])
def test_within_its_bounds_a_duration_is_of_whole_milliseconds(text: str, seconds: float) -> None:
    bounded = Bounded.model_validate({"length": text})
    assert bounded.length == seconds
    assert Bounded.model_validate_json(bounded.model_dump_json()) == bounded


@pytest.mark.parametrize("length", ["0s", "0.9ms", "61s", 61.0, 0.0])
def test_out_of_its_bounds_a_duration_is_refused(length: object) -> None:
    with pytest.raises(ValidationError, match="is not allowed: expected 1ms to 1m"):
        Bounded.model_validate({"length": length})
