"""How much a sidecar may keep in memory, as its environment says."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from penstock.plugin import UsageError
from penstock.quantity import parse_quantity
from penstock_sidecar.engine.settings import HOLD_MARKS, Marks

_LARGEST: Final = 10**9  # messages
_PART: Final = 4
"""What is on its way to the function, or to the outputs, may be so much of all at most."""


@dataclass(frozen=True, slots=True)
class Buffer:
    """Bounds on what was read and is not done.

    Attributes:
        messages: How many.
        bytes: Of their payloads and keys.
    """

    messages: int = HOLD_MARKS.high_records
    bytes: int = HOLD_MARKS.high_bytes

    @property
    def held(self) -> Marks:
        """When nothing more is read, and from when on it is again."""
        return Marks(
            high_records=self.messages,
            low_records=self.messages * 3 // 4,
            high_bytes=self.bytes,
            low_bytes=self.bytes * 3 // 4,
        )

    @property
    def passing(self) -> Marks:
        """The same for what waits to be taken by the function, and to be published."""
        usual = Marks()
        records = max(1, min(usual.high_records, self.messages // _PART))
        size = max(1, min(usual.high_bytes, self.bytes // _PART))
        return Marks(
            high_records=records,
            low_records=records // 2,
            high_bytes=size,
            low_bytes=size // 2,
        )


def read_buffer(environment: Mapping[str, str]) -> Buffer:
    """Read `PENSTOCK_BUFFER_MESSAGES` and `PENSTOCK_BUFFER_BYTES`.

    Raises:
        UsageError: A value is not allowed.
    """
    buffer = Buffer()
    if text := environment.get("PENSTOCK_BUFFER_MESSAGES", ""):
        is_number = text.isascii() and text.isdigit()
        if not (is_number and 0 < int(text) <= _LARGEST):
            raise UsageError(
                f"PENSTOCK_BUFFER_MESSAGES={text!r}: expected a number of messages, 1 to {_LARGEST}"
            )
        buffer = replace(buffer, messages=int(text))
    if text := environment.get("PENSTOCK_BUFFER_BYTES", ""):
        try:
            buffer = replace(buffer, bytes=parse_quantity(text))
        except ValueError as error:
            raise UsageError(f"PENSTOCK_BUFFER_BYTES: {error}") from error
    return buffer
