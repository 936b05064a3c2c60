"""What may stand in the `spec` of an InMemoryGateway. All of it is optional."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, Strict

MAX_PARTITIONS = 10_000

_Count = Annotated[int, Strict(), Field(ge=1)]


class RetentionDefaults(BaseModel):
    """Bounds for each partition of a stream that sets none of its own; they bound the memory."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bytes: _Count = Field(
        default=256 * 1024 * 1024, description="Payload and key bytes kept in each partition."
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
