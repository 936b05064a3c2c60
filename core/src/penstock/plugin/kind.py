"""What a plugin says about the kind of gateway it adds."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import BaseModel


class Capability(StrEnum):
    """A promise that some gateways give and others do not.

    The host asks only for what is declared; a gateway answers the rest with `Unsupported`.
    """

    DURABLE = "durable"
    """Records and positions outlive the gateway's process."""
    ORDERED = "ordered"
    """Records of one key are delivered in the order in which they were published."""
    PARTITIONS = "partitions"
    """A stream may have more than one partition, shared among a group's members."""
    SEEK = "seek"
    """A group may start at offsets or at a time, not only at an edge."""
    ACK_BY_OTHERS = "ack-by-others"
    """Who is not subscribed may ack for a group."""
    VERSIONS = "versions"
    """Versions of a group have positions of their own."""
    REPLAY = "replay"
    """Records that the group had acked are marked when they are read again."""
    RETENTION = "retention"
    """A stream's retention bounds are kept."""
    DEPROVISION = "deprovision"
    """A stream's data can be removed."""


@dataclass(frozen=True, slots=True)
class GatewayKind:
    """A kind of gateway: from this alone the host makes its CRD, controller, server and commands.

    Attributes:
        name: The Kubernetes kind, in CamelCase and ending in `Gateway`, such as `KafkaGateway`.
        spec: The pydantic model of the resource's `spec`; field descriptions become the CRD's.
        capabilities: What gateways of this kind promise.
        summary: One sentence for lists and for the CRD.
    """

    name: str
    spec: "type[BaseModel]"
    capabilities: frozenset[Capability]
    summary: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"([A-Z][a-zA-Z0-9]*)Gateway", self.name):
            raise ValueError(
                f"kind {self.name!r}: expected CamelCase that ends in Gateway, as in KafkaGateway"
            )

    @property
    def type(self) -> str:
        """The word for this kind in labels and commands: `kafka` for `KafkaGateway`."""
        return self.name.removesuffix("Gateway").lower()
