"""The metadata of a resource."""

from pydantic import Field

from penstock.name import Name
from penstock.resources.models.base import OpenModel

DEFAULT_NAMESPACE = "default"


class ObjectMeta(OpenModel):
    """A resource's name and labels; whatever else Kubernetes keeps there is kept."""

    name: Name = Field(description="Unique among the resources of its kind in its namespace.")
    namespace: Name = Field(
        default=DEFAULT_NAMESPACE, description="Where the resource is; references stay within."
    )
    labels: dict[str, str] = Field(
        default_factory=dict, description="Words to find the resource by."
    )
    annotations: dict[str, str] = Field(
        default_factory=dict, description="Notes of tools and people."
    )
