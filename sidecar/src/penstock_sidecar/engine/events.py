"""What the engine is told, each with the time at which it happened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from penstock.plugin import Message, PenstockError, PublishResult, Record


@dataclass(frozen=True, slots=True)
class PartitionsAssigned:
    """These partitions of an input may be read from now on."""

    input: int
    partitions: frozenset[int]


@dataclass(frozen=True, slots=True)
class PartitionsRevoked:
    """These partitions go elsewhere, at the latest after `grace` seconds; 0: they are gone."""

    input: int
    partitions: frozenset[int]
    grace: float


@dataclass(frozen=True, slots=True)
class RecordsRead:
    """What a `Read` brought: at least one record, in ascending offset."""

    input: int
    partition: int
    records: Sequence[Record]


@dataclass(frozen=True, slots=True)
class BatchTaken:
    """The function's host took the last `Feed` of a call."""

    call: int


@dataclass(frozen=True, slots=True)
class OutputsReceived:
    """What a `ReadOutputs` brought.

    Attributes:
        call: The call that they came from.
        messages: The outputs in the order in which they came; none is fine.
        results: Which output each is for: one entry for all of them, or one for each.
        inputs: Which input of the call each came from, counted from 0 in the order in which the
            call was fed; empty where the host cannot tell. Never descends within one output.
        inputs_done: How many inputs of the call are done, from the first on: all of their
            outputs are here or came before. 0 where the host cannot tell.
    """

    call: int
    messages: Sequence[Message]
    results: Sequence[int] = (0,)
    inputs: Sequence[int] = ()
    inputs_done: int = 0


@dataclass(frozen=True, slots=True)
class CallEnded:
    """A call ended well: every output of it has been received."""

    call: int


@dataclass(frozen=True, slots=True)
class CallFailed:
    """A call ended with an error.

    Attributes:
        call: The call.
        error: `NotReady`: its host is gone; any other: the function failed.
        input: The input of the call that it failed with, counted from 0; ``None``: not known.
        retryable: Whether it may go well when it is tried again.
    """

    call: int
    error: PenstockError
    input: int | None = None
    retryable: bool = True


@dataclass(frozen=True, slots=True)
class HostFound:
    """The function's host is there again: answers `FindHost`."""


@dataclass(frozen=True, slots=True)
class Published:
    """The gateway answered to the last `Publish` of an output, message by message."""

    output: int
    results: Sequence[PublishResult]


@dataclass(frozen=True, slots=True)
class PublishFailed:
    """The last `Publish` of an output failed as a whole."""

    output: int
    error: PenstockError


@dataclass(frozen=True, slots=True)
class Acked:
    """Positions of an input are stored: the last offset that is done, by partition."""

    input: int
    positions: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Woken:
    """The time of the last `WakeAt` has come."""


@dataclass(frozen=True, slots=True)
class StopRequested:
    """Finish what can be finished within `grace` seconds, and give up the rest.

    Attributes:
        grace: Seconds.
        drain: Whether the function is still to get what was read, and what is in open windows.
    """

    grace: float
    drain: bool = False


Event = (
    PartitionsAssigned
    | PartitionsRevoked
    | RecordsRead
    | BatchTaken
    | OutputsReceived
    | CallEnded
    | CallFailed
    | HostFound
    | Published
    | PublishFailed
    | Acked
    | Woken
    | StopRequested
)
