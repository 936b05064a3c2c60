"""Processors: a function between the streams that it reads and those that it writes."""

from collections.abc import Sequence
from typing import Any, Literal, Self

from pydantic import ConfigDict, Field, field_validator, model_validator
from pydantic.config import JsonDict

from penstock.cel import Rule, given, refuse_unless, rule, rules
from penstock.delivery import Delivery, has_place_for_late
from penstock.name import Alias, Reference
from penstock.plugin import Edge
from penstock.resources.models.base import Model
from penstock.resources.models.condition import Status
from penstock.resources.models.pod import FUNCTION_CONTAINER, Container, PodTemplate
from penstock.resources.models.reference import TypedReference
from penstock.resources.models.resource import Resource
from penstock.window import Window

MAX_BINDINGS = 64
"""Inputs, or outputs, of one processor; what the API server compares pair by pair needs a bound."""


def _alias_of(binding: str) -> str:
    return f"({given(f'{binding}.alias')} ? {binding}.alias : {binding}.stream)"


_UNIQUE_ALIASES = rule(
    f"self.all(a, self.exists_one(b, {_alias_of('a')} == {_alias_of('b')}))",
    "aliases are unique on each side; an alias that is not given is the stream's name",
)
_ONE_BUILD = rule(
    f"!({given('self.functionRef')} && {given('self.containerRef')})",
    "functionRef and containerRef exclude each other",
)
_BUILT = (
    f"has(self.build) && ({given('self.build.functionRef')} || {given('self.build.containerRef')})"
)
_IMAGE = (
    "has(self.template) && has(self.template.spec) && has(self.template.spec.containers) && "
    "self.template.spec.containers.exists(c, "
    f"(!{given('c.name')} || c.name == '{FUNCTION_CONTAINER}') && {given('c.image')})"
)
_BUILT_OR_IMAGE = rule(
    f"({_BUILT}) != ({_IMAGE})",
    "exactly one of build.functionRef, build.containerRef and an image of the container "
    "called function is needed",
)
_RULES: list[Rule["ProcessorSpec"]] = [
    Rule(
        ("window.latePolicy",),
        "!has(self.window) || !has(self.window.latePolicy) || "
        "self.window.latePolicy != 'DeadLetter' || "
        "(has(self.delivery) && has(self.delivery.deadLetter))",
        lambda spec: has_place_for_late(spec.window, spec.delivery),
        "DeadLetter needs delivery.deadLetter: name a stream there, as {stream: oops}",
    )
]
_ALL_RULES: JsonDict = {
    name: [*_BUILT_OR_IMAGE[name], *more] for name, more in rules(_RULES).items()
}


class StreamBinding(Model):
    """A stream that the function reads or writes, and what it calls it."""

    stream: Reference = Field(description="A stream of the processor's namespace.")
    alias: Alias = Field(
        default_factory=lambda validated: str(validated.get("stream", "")),
        description="What the function calls it; by default the stream's name.",
    )


class Input(StreamBinding):
    """A stream that the function reads."""

    start_offset: Edge = Field(
        default=Edge.LATEST, description="Where a processor that is new starts to read."
    )


class Output(StreamBinding):
    """A stream that the function writes."""


class Build(Model):
    """Where the function's image comes from, when it is built on the cluster: one of the two."""

    model_config = ConfigDict(json_schema_extra=_ONE_BUILD)

    function_ref: str = Field(
        default="", max_length=253, description="A Function of build.projectriff.io."
    )
    container_ref: str = Field(
        default="", max_length=253, description="A Container of build.projectriff.io."
    )


class ProcessorSpec(Model):
    """What a processor reads, runs and writes."""

    model_config = ConfigDict(json_schema_extra=_ALL_RULES)

    inputs: list[Input] = Field(
        min_length=1,
        max_length=MAX_BINDINGS,
        description="Streams that the function reads, in the order of its arguments.",
        json_schema_extra=_UNIQUE_ALIASES,
    )
    outputs: list[Output] = Field(
        default_factory=list,
        max_length=MAX_BINDINGS,
        description="Streams that the function writes, in the order of its results.",
        json_schema_extra=_UNIQUE_ALIASES,
    )
    build: Build | None = Field(
        default=None, description="Where the function's image comes from, when it is built."
    )
    template: PodTemplate = Field(
        default_factory=PodTemplate,
        description="The function's pods; the container called function, or not named, is its.",
    )
    window: Window = Field(
        default_factory=Window,
        description="How the inputs are chopped: the function is called once for each window.",
    )
    delivery: Delivery = Field(
        default_factory=Delivery,
        description="How messages are handed to the function, and what follows when it fails.",
    )

    @field_validator("inputs", mode="before")
    @classmethod
    def _reads_something(cls, inputs: Any) -> Any:
        if inputs == []:
            raise ValueError(
                "is empty: a processor reads at least one stream, as [{stream: numbers}]"
            )
        return inputs

    @model_validator(mode="after")
    def _keeps_the_rules(self) -> Self:
        refuse_unless(self, _RULES)
        return self

    @property
    def streams(self) -> Sequence[str]:
        """The streams that it needs: its inputs, its outputs and that of its dead letters."""
        names = [one.stream for one in (*self.inputs, *self.outputs)]
        return [*names, *filter(None, [self.delivery.dead_letter_stream])]

    @property
    def function_container(self) -> Container | None:
        """The container in which the function runs."""
        containers = self.template.spec.containers
        return next((one for one in containers if one.is_function), None)


class ProcessorStatus(Status):
    """What became of a processor."""

    latest_image: str = Field(default="", description="The image that runs.")
    deployment_ref: TypedReference | None = Field(default=None, description="Its Deployment.")
    scaled_object_ref: TypedReference | None = Field(
        default=None, description="Its KEDA ScaledObject."
    )


class Processor(Resource):
    """A function between the streams that it reads and those that it writes."""

    kind: Literal["Processor"] = "Processor"
    spec: ProcessorSpec = Field(description="What the processor reads, runs and writes.")
    status: ProcessorStatus | None = Field(default=None, description="What became of it.")
