"""What may stand in the `spec` of an InMemoryGateway. All of it is optional."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict

from penstock.plugin import Duration, Quantity

MAX_PARTITIONS = 10_000

_Count = Annotated[int, Strict(), Field(ge=1)]


def _check_age(seconds: float) -> float:
    if seconds <= 0:
        raise ValueError("time must be more than 0s")
    return seconds


class RetentionDefaults(BaseModel):
    """Bounds for each partition of a stream that sets none of its own; they bound the memory."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    time: Annotated[Duration, AfterValidator(_check_age)] | None = Field(
        default=None, description="Age of a record, such as 24h; by default any."
    )
    bytes: Quantity = Field(
        default=256 * 1024 * 1024,
        description="Payload and key bytes kept in each partition, such as 64Mi.",
    )
    messages: _Count = Field(default=1_000_000, description="Records kept in each partition.")


class InMemoryGatewaySpec(BaseModel):
    """The settings of an InMemoryGateway."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    partitions: _Count = Field(
        default=1,
        le=MAX_PARTITIONS,
        description="Partitions of a stream that does not say how many it wants.",
    )
    retention: RetentionDefaults = Field(
        default=RetentionDefaults(),
        description="What is kept of a stream that does not say how much.",
    )
