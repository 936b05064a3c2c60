"""Amounts of bytes as people write them."""

import pytest

from penstock.quantity import parse_quantity


@pytest.mark.parametrize(
    ("text", "count"),
    [(5, 5), ("5", 5), ("2k", 2000), ("64Mi", 64 * 2**20), ("1G", 10**9), ("3Ei", 3 * 2**60)],
)
def test_quantities(text: object, count: int) -> None:
    assert parse_quantity(text) == count


@pytest.mark.parametrize("text", ["", "0", 0, -1, "64MB", "1.5G", "5 Mi", True, None, [1], "1K"])
def test_what_is_no_quantity(text: object) -> None:
    with pytest.raises(ValueError, match="is not a number of bytes: expected a whole number"):
        parse_quantity(text)
