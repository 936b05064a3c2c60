"""How a processor chops its inputs into windows: what a manifest and a sidecar are told."""

from enum import StrEnum
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from penstock.duration import Duration

DEFAULT_SIZE = 60.0
"""Seconds of a tumbling window that says nothing else: riff's."""

_SHORTEST = 0.001  # seconds; a duration is written to the millisecond


class WindowType(StrEnum):
    """The kinds of window."""

    TUMBLING = "Tumbling"
    COUNT = "Count"


class Window(BaseModel):
    """When a window is opened and when it ends; a window with no message costs no call."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "x-kubernetes-validations": [
                {
                    "rule": "self.type == 'Count' ? has(self.count) : !has(self.count)",
                    "message": "count is required with type Count, and belongs to it alone",
                },
                {
                    "rule": "self.type == 'Tumbling' || !has(self.size)",
                    "message": "size belongs to type Tumbling",
                },
            ]
        },
    )

    type: WindowType = Field(
        default=WindowType.TUMBLING,
        description="Tumbling: ends after `size`; Count: ends after `count` messages.",
    )
    size: Duration | None = Field(
        default=None,
        description="How long a Tumbling window is open from its first message on; default 60s.",
    )
    count: int | None = Field(
        default=None,
        ge=1,
        le=1_000_000,
        description="How many messages make a Count window.",
    )

    @model_validator(mode="after")
    def _fields_fit_the_type(self) -> Self:
        if self.type is WindowType.COUNT and self.count is None:
            raise ValueError("count is required with type Count")
        if self.type is not WindowType.COUNT and self.count is not None:
            raise ValueError("count belongs to type Count: remove it, or set type: Count")
        if self.type is not WindowType.TUMBLING and self.size is not None:
            raise ValueError("size belongs to type Tumbling: remove it, or set type: Tumbling")
        if self.size is not None and self.size < _SHORTEST:
            raise ValueError("size must be at least 1ms")
        return self

    @property
    def size_seconds(self) -> float:
        """Seconds of a Tumbling window."""
        return DEFAULT_SIZE if self.size is None else self.size
