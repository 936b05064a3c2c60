"""One member's share of a group's reading of one topic."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from penstock.plugin.message import Record

READ_BYTES = 4 * 1024 * 1024
"""How much one read returns at most by default, in bytes of payload; at least one record."""


@dataclass(frozen=True, slots=True)
class Assigned:
    """These partitions are now read by this member, from the group's position on."""

    partitions: frozenset[int]


@dataclass(frozen=True, slots=True)
class Revoked:
    """These partitions go to another member as soon as this one has released them.

    Attributes:
        partitions: Reads of them have ended.
        grace: Seconds in which the member may finish and ack; after that the gateway goes on
            without its release. 0: they are lost already, and another member may be reading.
    """

    partitions: frozenset[int]
    grace: float


SubscriptionEvent = Assigned | Revoked


def is_unheard_of(partition: int, events: Iterable[SubscriptionEvent]) -> bool:
    """Whether a member has still to hear what became of a partition.

    Until then it reads none of it. Who was given anew what it had lost would take the records of
    the new assignment for those that follow the old ones.

    Args:
        partition: The partition.
        events: What the member has not been told yet.
    """
    return any(partition in event.partitions for event in events)


class Subscription(ABC):
    """A member of a group on one topic.

    The host runs one task on `next_event` and one `read` for each assigned partition at a time;
    a partition that is not being read is held back, and no other with it. All methods are called
    on one event loop. Cancelling any of them is safe: no event and no record is lost by it.
    """

    @abstractmethod
    async def next_event(self) -> SubscriptionEvent:
        """Wait for the next assignment or revocation, in the order in which they happened.

        Called in a loop for as long as the subscription is open. A partition is assigned before
        it is read, and not assigned again before it was revoked and released.

        Raises:
            TemporaryError: The membership is lost (the broker is gone, the session expired): the
                host closes the subscription and subscribes anew.
        """

    @abstractmethod
    async def read(
        self, partition: int, max_records: int, max_bytes: int = READ_BYTES
    ) -> Sequence[Record]:
        """Wait for at least one record of a partition and return those that follow in order.

        Called again and again while the host has room; never twice at a time for one partition.
        Returns what is there: it never waits to fill a batch. Each record is returned once in the
        life of an assignment.

        Args:
            partition: One that is assigned.
            max_records: At most so many records, at least 1.
            max_bytes: Stop after the record that passes this many bytes of payload.

        Returns:
            Records in ascending offset; none: the partition is no longer assigned. One gives
            none, too, before `next_event` has told that it is assigned.

        Raises:
            PositionExpired: The next record is gone by retention; the next call goes on behind
                the gap.
            TemporaryError: Read again after a pause.
        """

    @abstractmethod
    async def release(self, partitions: Collection[int]) -> None:
        """Confirm that this member is done with revoked partitions: they may be handed on.

        Called once for each revocation with a grace, after the last ack for it; a partition that
        is not being revoked is ignored.
        """

    @abstractmethod
    async def ack(self, positions: Mapping[int, int]) -> None:
        """Store, by partition, the last offset that is done; the group resumes behind it.

        Called once for each batch of progress. When it returns, the positions are stored as
        safely as the gateway stores records. It replaces what was stored, even when lower. Those
        of a partition that the member has lost by now may be dropped: somebody else acks it.

        Raises:
            TemporaryError: Nothing is known to be stored: ack again.
        """

    @abstractmethod
    async def close(self) -> None:
        """Leave the group at once; safe to call twice. Pending reads return nothing.

        The host has acked and released what it wanted to before.
        """

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()
