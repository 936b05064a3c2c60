"""What the engine says is to be done, in this order.

`Read`, `Feed`, `ReadOutputs` and `Publish` are each answered by exactly one event, and there is at
most one of them under way for a partition, a call, a call and an output.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from penstock.plugin import Message, PenstockError


class Part(NamedTuple):
    """Messages of one input, in order."""

    input: int
    messages: Sequence[Message]


@dataclass(frozen=True, slots=True)
class Read:
    """Read a partition once, at most so much; answered by `RecordsRead`."""

    input: int
    partition: int
    max_records: int
    max_bytes: int


@dataclass(frozen=True, slots=True)
class OpenCall:
    """Call the function: a window has its first messages."""

    call: int


@dataclass(frozen=True, slots=True)
class Feed:
    """Hand messages to a call; answered by `BatchTaken`."""

    call: int
    parts: Sequence[Part]


@dataclass(frozen=True, slots=True)
class FinishCall:
    """Tell a call that it has all its inputs."""

    call: int


@dataclass(frozen=True, slots=True)
class AbandonCall:
    """End a call at once; nothing of it is waited for any more, and no event answers."""

    call: int


@dataclass(frozen=True, slots=True)
class ReadOutputs:
    """Wait for outputs; answered by `OutputsReceived`, `CallEnded` or `CallFailed`."""

    call: int


@dataclass(frozen=True, slots=True)
class Publish:
    """Publish a batch to an output; answered by `Published` or `PublishFailed`."""

    output: int
    messages: Sequence[Message]


@dataclass(frozen=True, slots=True)
class Ack:
    """Store the last offset that is done, by partition of an input."""

    input: int
    positions: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Release:
    """Confirm that revoked partitions are done with, after the acks that came before this."""

    input: int
    partitions: frozenset[int]


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Revoked partitions were not done with in time: nothing more of them is acked.

    They are not released: the gateway hands them on by itself.
    """

    input: int
    partitions: frozenset[int]


@dataclass(frozen=True, slots=True)
class WakeAt:
    """Send `Woken` at this time, and not at the one asked for before; ``None``: not at all."""

    time: float | None


@dataclass(frozen=True, slots=True)
class Fail:
    """The function, or an output of it, failed: nothing goes on.

    What was done before, as far as it could be published since, is acked by now.

    Attributes:
        error: What happened.
        where: The inputs that are not done by stream, partition and offset, in words.
    """

    error: PenstockError
    where: str


@dataclass(frozen=True, slots=True)
class Done:
    """All that could be finished before the stop is; leave.

    Attributes:
        given_up: The inputs that were not done with in time, in words; empty: none.
    """

    given_up: str = ""


Command = (
    Read
    | OpenCall
    | Feed
    | FinishCall
    | AbandonCall
    | ReadOutputs
    | Publish
    | Ack
    | Release
    | GiveUp
    | WakeAt
    | Fail
    | Done
)
