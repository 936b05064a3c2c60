"""What a controller says about a resource."""

from typing import Annotated, Literal

from pydantic import Field, WithJsonSchema

from penstock.resources.models.base import Model

DateTime = Annotated[str, WithJsonSchema({"type": "string", "format": "date-time"})]
"""A time as RFC 3339 writes it."""


class Condition(Model):
    """One statement about a resource, as in Kubernetes' own conditions."""

    type: str = Field(
        description="What the statement is about, such as Ready.", min_length=1, max_length=316
    )
    status: Literal["True", "False", "Unknown"] = Field(description="Whether it holds.")
    reason: str = Field(default="", description="Why, in one CamelCase word.", max_length=1024)
    message: str = Field(default="", description="Why, in a sentence.", max_length=32768)
    last_transition_time: DateTime | None = Field(
        default=None, description="When the status last changed."
    )
    observed_generation: int | None = Field(
        default=None, ge=0, description="The generation of the resource that this is about."
    )


class Status(Model):
    """What every kind's status has."""

    conditions: list[Condition] = Field(
        default_factory=list,
        description="Ready, and what it depends on.",
        json_schema_extra={
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["type"],
        },
    )
    observed_generation: int | None = Field(
        default=None, ge=0, description="The generation of the spec that was last acted on."
    )
