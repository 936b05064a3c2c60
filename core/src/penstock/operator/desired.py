"""What a resource wants of the cluster: the answer of each `reconcile`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

KubernetesObject = Mapping[str, Any]
"""An object as the API server has it in JSON."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that people are told about a resource.

    Attributes:
        type: Whether it is a problem.
        reason: In one CamelCase word, always the same for the same thing.
        message: In a sentence.
    """

    type: Literal["Normal", "Warning"]
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Desired:
    """What is to be there.

    Attributes:
        status: The resource's whole status.
        children: Objects to apply, in this order; what is in them is penstock's, all else is not.
        events: What is new since the status that was observed.
        releases: Whether penstock holds up the resource's deletion no longer.
    """

    status: Mapping[str, Any]
    children: Sequence[KubernetesObject] = field(default=())
    events: Sequence[Event] = field(default=())
    releases: bool = False
