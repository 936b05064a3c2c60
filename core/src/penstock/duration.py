"""Durations as Kubernetes writes them: `60s`, `1m30s`, `100ms`."""

import math
import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    BeforeValidator,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

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


@dataclass(frozen=True, slots=True)
class Within:
    """Bounds of a duration, as in `Annotated[Duration, Within("1ms", "24h")]`.

    What is given is rounded to the millisecond, to which durations are written.

    Attributes:
        shortest, longest: The bounds as texts, inclusive.
    """

    shortest: str
    longest: str

    def __get_pydantic_core_schema__(
        self, source: Any, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """Check the bounds of what the type makes of a value."""
        return core_schema.no_info_wrap_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Let the API server check them as well; an empty text means the default."""
        rule = (
            f"self == '' || (duration(self) >= duration('{self.shortest}') && "
            f"duration(self) <= duration('{self.longest}'))"
        )
        message = f"expected {self.shortest} to {self.longest}"
        rules = {"x-kubernetes-validations": [{"rule": rule, "message": message}]}
        # What a rule looks at needs a bound.
        return {**handler(schema), "maxLength": 64, **rules}

    def _checked(self, value: object, handler: ValidatorFunctionWrapHandler) -> float:
        seconds: float = handler(value)
        if not parse_duration(self.shortest) <= seconds <= parse_duration(self.longest):
            shown = value if isinstance(value, str) else format_duration(seconds)
            raise ValueError(
                f"{shown!r} is not allowed: expected {self.shortest} to {self.longest}"
            )
        return round(seconds, 3)
