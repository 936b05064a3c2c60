"""Averages numbers: the function that riff's documentation begins with."""

from collections.abc import Iterator


def average(numbers: Iterator[float]) -> Iterator[float]:
    """Yield the average of a window's numbers; one call is one window."""
    count = 0
    total = 0.0
    for number in numbers:
        count += 1
        total += number
    if count:
        yield total / count
