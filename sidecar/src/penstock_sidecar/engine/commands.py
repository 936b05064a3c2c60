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
class FindHost:
    """The function's host is gone: look for it until it is there; answered by `HostFound`."""


@dataclass(frozen=True, slots=True)
class Publish:
    """Publish a batch to an output; answered by `Published` or `PublishFailed`.

    The number behind those of the function's outputs is that of the dead letters.
    """

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
    """Send `Woken` at this time, and not at the one asked for before."""

    time: float


@dataclass(frozen=True, slots=True)
class Retried:
    """The function failed, and gets the same messages again.

    Attributes:
        error: Why it failed.
        where: The messages, in words.
        attempt: How often it has failed with them.
        pause: Seconds until the next attempt.
    """

    error: PenstockError
    where: str
    attempt: int
    pause: float


@dataclass(frozen=True, slots=True)
class Split:
    """The function fails again and again: its messages are given to it in two parts.

    Attributes:
        error: Why it failed.
        where: The messages, in words.
        messages: How many there are.
    """

    error: PenstockError
    where: str
    messages: int


@dataclass(frozen=True, slots=True)
class SetAside:
    """A message goes to the dead letters.

    Attributes:
        error: Why.
        where: The message, in words.
    """

    error: PenstockError
    where: str


@dataclass(frozen=True, slots=True)
class Lost:
    """Messages are not processed, as they are not repeated, and there are no dead letters.

    Attributes:
        error: Why.
        where: The messages, in words.
    """

    error: PenstockError
    where: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """A message can be neither processed nor set aside: nothing of its partition goes on.

    Attributes:
        input: Of the partition.
        partition: The partition.
        error: Why.
        where: The message, in words.
    """

    input: int
    partition: int
    error: PenstockError
    where: str


@dataclass(frozen=True, slots=True)
class EndedEarly:
    """Windows got fewer messages than they would have.

    Attributes:
        windows: How many.
        reason: Why.
    """

    windows: int
    reason: str


@dataclass(frozen=True, slots=True)
class Fail:
    """Nothing can go on: begin anew, or end.

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
    | FindHost
    | Publish
    | Ack
    | Release
    | GiveUp
    | WakeAt
    | Retried
    | Split
    | SetAside
    | Lost
    | Stopped
    | EndedEarly
    | Fail
    | Done
)
