"""The parts of a pod template that penstock reads; all others are Kubernetes' and are kept."""

from typing import Any

from pydantic import Field

from penstock.resources.models.base import OpenModel

FUNCTION_CONTAINER = "function"


class EnvironmentVariable(OpenModel):
    """A variable of a container's environment."""

    name: str = Field(description="The variable's name.")
    value: str = Field(default="", description="Its value.")
    value_from: dict[str, Any] | None = Field(
        default=None, description="Where the value is kept: a Secret or a ConfigMap of a cluster."
    )


class Container(OpenModel):
    """A container of a pod; `penstock run` starts its command as a process."""

    name: str = Field(
        default="", max_length=63, description="`function`, or empty, is the function's container."
    )
    image: str = Field(default="", max_length=1024, description="The image to run on a cluster.")
    command: list[str] = Field(
        default_factory=list, description="Program and arguments, in place of the image's own."
    )
    args: list[str] = Field(default_factory=list, description="Further arguments.")
    env: list[EnvironmentVariable] = Field(default_factory=list, description="Its environment.")
    working_dir: str = Field(
        default="", description="Where the command starts; by default the image's own folder."
    )

    @property
    def is_function(self) -> bool:
        """Whether the function runs in it."""
        return self.name in ("", FUNCTION_CONTAINER)


class PodSpec(OpenModel):
    """What runs in a pod."""

    containers: list[Container] = Field(
        default_factory=list, max_length=64, description="What runs side by side in the pod."
    )


class PodTemplate(OpenModel):
    """What the pods are made from: a PodTemplateSpec of Kubernetes."""

    metadata: dict[str, Any] = Field(
        default_factory=dict, description="Labels and annotations of the pods."
    )
    spec: PodSpec = Field(default_factory=PodSpec, description="What runs in them.")
