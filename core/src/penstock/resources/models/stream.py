"""Streams: named sequences of messages of one content type, carried by a gateway."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, Strict, WithJsonSchema, field_validator

from penstock.duration import Duration
from penstock.media_type import OCTET_STREAM, MediaType
from penstock.plugin import DeletionPolicy, Retention, StreamSettings
from penstock.quantity import Quantity
from penstock.resources.models.base import Model
from penstock.resources.models.condition import Status
from penstock.resources.models.reference import GatewayReference, ObjectReference
from penstock.resources.models.resource import Resource


def _check_content_type(text: str) -> str:
    MediaType.parse(text)
    return text


ContentType = Annotated[
    str,
    AfterValidator(_check_content_type),
    WithJsonSchema({"type": "string", "pattern": r"^[^/;, ]+/[^/;, ]+ *(;.*)?$"}),
]


class StreamRetention(Model):
    """How long records are kept; the first bound that is passed counts."""

    time: Duration | None = Field(default=None, description="Age of a record, such as 24h.")
    bytes: Quantity | None = Field(
        default=None, description="Bytes kept in each partition, such as 64Mi."
    )
    messages: Annotated[int, Strict()] | None = Field(
        default=None, ge=1, description="Records kept in each partition."
    )

    @field_validator("time")
    @classmethod
    def _keeps_something(cls, time: float | None) -> float | None:
        if time is not None and time <= 0:
            raise ValueError("time must be more than 0s")
        return time


class StreamSpec(Model):
    """What a stream carries, and by which gateway."""

    gateway: GatewayReference = Field(description="The gateway that carries the stream.")
    content_type: ContentType = Field(
        default=OCTET_STREAM,
        description="Media type of the stream's messages; others are refused.",
    )
    partitions: Annotated[int, Strict()] | None = Field(
        default=None,
        ge=1,
        le=100_000,
        description="How many parts can be read side by side; by default the gateway decides.",
    )
    retention: StreamRetention = Field(
        default_factory=StreamRetention, description="How long records are kept."
    )
    config: dict[str, str] = Field(
        default_factory=dict,
        description="Settings of the messaging system by its own names, such as cleanup.policy.",
    )
    deletion_policy: DeletionPolicy = Field(
        default=DeletionPolicy.RETAIN,
        description=(
            "What becomes of the records when the stream is deleted. With Delete the stream goes "
            "once its gateway has removed them, or five minutes later without that."
        ),
    )


class Binding(Model):
    """What describes a stream to those who use it."""

    metadata_ref: ObjectReference = Field(description="The ConfigMap with the content type.")
    secret_ref: ObjectReference = Field(description="The Secret with gateway and topic.")


class StreamStatus(Status):
    """What became of a stream."""

    binding: Binding | None = Field(default=None, description="Where to find the stream.")


class Stream(Resource):
    """A named sequence of messages of one content type, carried by a gateway."""

    kind: Literal["Stream"] = "Stream"
    spec: StreamSpec = Field(description="What the stream carries, and by which gateway.")
    status: StreamStatus | None = Field(default=None, description="What became of it.")

    def settings(self) -> StreamSettings:
        """The stream as gateways are asked to provision it."""
        retention = self.spec.retention
        return StreamSettings(
            namespace=self.metadata.namespace,
            name=self.metadata.name,
            content_type=self.spec.content_type,
            partitions=self.spec.partitions,
            retention=Retention(retention.time, retention.bytes, retention.messages),
            config=self.spec.config,
            deletion_policy=self.spec.deletion_policy,
        )
