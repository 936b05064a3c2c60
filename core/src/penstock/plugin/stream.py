"""What a gateway is asked to provision, and what it answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple


class DeletionPolicy(StrEnum):
    """What becomes of a stream's data when the stream is deleted."""

    RETAIN = "Retain"
    DELETE = "Delete"


@dataclass(frozen=True, slots=True)
class Retention:
    """How long records are kept; the first bound that is passed counts, ``None`` is no bound.

    Attributes:
        seconds: Age of a record.
        bytes: Payload and key bytes, for each partition.
        messages: Records, for each partition.
    """

    seconds: float | None = None
    bytes: int | None = None
    messages: int | None = None


class StreamName(NamedTuple):
    """The namespace and the name of a stream, two DNS-1123 labels."""

    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class StreamSettings:
    """A stream as declared, in a gateway's terms.

    Attributes:
        namespace, name: DNS-1123 labels; together they are unique within a gateway.
        content_type: What the stream's messages are.
        partitions: How many are wanted; ``None`` leaves it to the gateway.
        retention: Bounds on what is kept.
        config: Settings of the messaging system by its own names, such as `cleanup.policy`.
        deletion_policy: Whether `deprovision` is called when the stream is deleted.
    """

    namespace: str
    name: str
    content_type: str = "application/octet-stream"
    partitions: int | None = None
    retention: Retention = Retention()
    config: Mapping[str, str] = field(default_factory=dict)
    deletion_policy: DeletionPolicy = DeletionPolicy.RETAIN


class Address(NamedTuple):
    """Where a provisioned stream is found.

    Attributes:
        topic: Its name in the messaging system, as publish and subscribe take it.
        gateway: `host:port` that speaks the gateway protocol; empty: the server that was asked.
        drift: Where what exists differs from what was declared and is left so, one sentence each:
            a topic that was there before, with other partitions or settings.
    """

    topic: str
    gateway: str = ""
    drift: tuple[str, ...] = ()
