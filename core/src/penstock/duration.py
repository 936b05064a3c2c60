"""Durations as Kubernetes writes them: `60s`, `1m30s`, `100ms`."""

import math
import re
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|h|m|s)")
PATTERN = rf"^({_PART.pattern})+$".replace("(?:", "(")
"""What a duration looks like, as a regular expression that RE2 reads too."""


def parse_duration(text: str) -> float:
    """Seconds of a duration.

    Raises:
        ValueError: It is not one; the text says what is expected.
    """
    if not re.fullmatch(PATTERN, text):
        raise ValueError(
            f"{text!r} is not a duration: expected numbers with h, m, s or ms, as 60s or 1m30s"
        )
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in _PART.findall(text))
    if not math.isfinite(seconds):
        raise ValueError("a duration is too long to be counted in seconds")
    return seconds


def format_duration(seconds: float) -> str:
    """The shortest text of a duration, exact to the millisecond: 90 is `1m30s`."""
    milliseconds = round(seconds * 1000)
    parts = []
    for unit, size in (("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, milliseconds = divmod(milliseconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def _validate(value: object) -> object:
    if isinstance(value, str):
        return parse_duration(value)
    if not isinstance(value, float) or not math.isfinite(value):
        raise ValueError(f"{value!r} is not a duration: expected a text with a unit, as 60s")
    return value


Duration = Annotated[
    float,
    BeforeValidator(_validate),
    PlainSerializer(format_duration),
    WithJsonSchema({"type": "string", "pattern": PATTERN}),
]
"""A pydantic field in seconds that is written as a text; a float in code is taken as it is."""
