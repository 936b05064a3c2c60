"""The variables of a re-run: what is read, and what is refused with which words."""

import pytest

from penstock.plugin import Group, UsageError
from penstock_sidecar.rerun import read_bounds, read_reading_group

INPUTS = ("left", "right")


def test_a_sidecar_has_neither_version_nor_bounds_of_its_own_accord() -> None:
    assert read_reading_group({}, Group("g", 3)) == Group("g", 3)
    assert read_bounds({}, INPUTS) is None


def test_a_version_reads_in_place_of_the_group() -> None:
    assert read_reading_group({"PENSTOCK_GROUP_VERSION": "4"}, Group("g", 3)) == Group("g", 4)


@pytest.mark.parametrize("text", ["0", "-1", "x", "1.0", "1000000000", "٣"])
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"PENSTOCK_GROUP_VERSION=.*from 1 to 999999999"):
        read_reading_group({"PENSTOCK_GROUP_VERSION": text}, Group("g"))


def test_bounds_are_by_input_and_partition() -> None:
    text = '{"left": {"0": 41, "11": 0}, "right": {}}'
    bounds = read_bounds({"PENSTOCK_UNTIL": text}, INPUTS)
    assert bounds == {"left": {0: 41, 11: 0}, "right": {}}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "expected the last offset to process"),
        ("[]", r"\[\] is not an object"),
        ('{"left": 4}', "4 is not an object"),
        ('{"left": {"x": 4}}', "invalid literal"),
        ('{"left": {"-1": 4}}', "is not an offset of a partition"),
        ('{"left": {"0": -4}}', "0: -4 is not an offset of a partition"),
        ('{"left": {"0": 1.5}}', "0: 1.5 is not an offset of a partition"),
        ('{"left": {"0": true}}', "0: true is not an offset of a partition"),
        ('{"up": {"0": 4}}', "'up' is not an input: expected one of left, right"),
    ],
)
def test_what_are_no_bounds_is_refused(text: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        read_bounds({"PENSTOCK_UNTIL": text}, INPUTS)
