"""A run that ends by itself: nothing behind a bound is read, and all up to it is done."""

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence

from penstock.observability.forwarding import ForwardingSubscription
from penstock.plugin import (
    READ_BYTES,
    Assigned,
    PenstockError,
    PositionExpired,
    Record,
    Subscription,
    SubscriptionEvent,
)


class Unfinished(PenstockError):
    """A run with bounds was stopped before everything up to them was done."""


class BoundedSubscription(ForwardingSubscription):
    """Hands out no record behind the bound of its partition.

    A partition counts as read once more of it is asked for than there is: by then whoever asks
    has got the last record. Where the last one of a range is gone from the log, that shows with
    the first record behind it.

    Args:
        inner: The membership.
        bounds: The last offsets to hand out, by partition; nothing is read of any other.
        acked: The last acked offsets of the group, by partition.
        read: Told of each partition that has been read up to its bound.
    """

    def __init__(
        self,
        inner: Subscription,
        bounds: Mapping[int, int],
        acked: Mapping[int, int],
        read: Callable[[], None],
    ) -> None:
        super().__init__(inner)
        self._bounds = bounds
        self._acked = dict(acked)
        self._read = read
        self._unread = {at for at, bound in bounds.items() if self._acked.get(at, -1) < bound}
        self._at_bound: set[int] = set()
        self._delivered: dict[int, int] = {}
        self._left: dict[int, asyncio.Event] = {}

    @property
    def is_read(self) -> bool:
        """Whether nothing is left to be handed out."""
        return not self._unread

    @property
    def is_done(self) -> bool:
        """Whether what was handed out is acked as well."""
        return self.is_read and all(
            self._acked.get(at, -1) >= offset for at, offset in self._delivered.items()
        )

    async def next_event(self) -> SubscriptionEvent:
        """What comes back is read again, from where it is acked."""
        event = await super().next_event()
        if isinstance(event, Assigned):
            for at in event.partitions:
                self._left[at] = asyncio.Event()
                self._at_bound.discard(at)
                if self._acked.get(at, -1) < self._bounds.get(at, -1):
                    self._unread.add(at)
        else:
            self._leave(event.partitions)
        return event

    async def read(
        self, partition: int, max_records: int, max_bytes: int = READ_BYTES
    ) -> Sequence[Record]:
        """The next records up to the bound; behind it, wait until the partition is revoked."""
        left = self._left.get(partition)
        if left is None:
            return ()
        if partition in self._unread:
            if partition not in self._at_bound and (
                (records := await self._read_on(partition, max_records, max_bytes))
                or partition not in self._at_bound
            ):
                return records
            self._unread.discard(partition)
            self._read()
        await left.wait()
        return ()

    async def _read_on(self, partition: int, max_records: int, max_bytes: int) -> Sequence[Record]:
        bound = self._bounds[partition]
        try:
            records = await super().read(partition, max_records, max_bytes)
        except PositionExpired as gap:
            if gap.earliest > bound:
                self._at_bound.add(partition)
            raise
        if not records:
            return ()
        if records[-1].offset >= bound:
            self._at_bound.add(partition)
            records = [record for record in records if record.offset <= bound]
        if records:
            self._delivered[partition] = records[-1].offset
        return records

    async def ack(self, positions: Mapping[int, int]) -> None:
        """Note what is done."""
        await super().ack(positions)
        self._acked.update(positions)

    async def close(self) -> None:
        """End reads that wait."""
        self._leave(tuple(self._left))
        await super().close()

    def _leave(self, partitions: Collection[int]) -> None:
        for at in partitions:
            if left := self._left.pop(at, None):
                left.set()


class NothingToRead(Subscription):
    """In place of a membership in an input of which nothing is to be read."""

    async def next_event(self) -> SubscriptionEvent:
        """Wait: nothing is ever assigned."""
        await asyncio.Event().wait()
        raise AssertionError("nobody sets the event")

    async def read(
        self,
        partition: int,  # noqa: ARG002 - the contract's signature
        max_records: int,  # noqa: ARG002
        max_bytes: int = READ_BYTES,  # noqa: ARG002
    ) -> Sequence[Record]:
        """Nothing is assigned."""
        return ()

    async def release(self, partitions: Collection[int]) -> None:
        """Nothing is assigned."""

    async def ack(self, positions: Mapping[int, int]) -> None:
        """Nothing is assigned."""

    async def close(self) -> None:
        """Nothing is open."""


class BoundedRun:
    """The inputs of one session that has bounds.

    Attributes:
        all_read: Set once every input has been read up to its bounds; looked for from `begin` on.
    """

    def __init__(self) -> None:
        self.all_read = asyncio.Event()
        self._inputs: list[BoundedSubscription] = []

    def add(
        self, inner: Subscription, bounds: Mapping[int, int], acked: Mapping[int, int]
    ) -> Subscription:
        """Stand in front of a membership; the arguments are those of `BoundedSubscription`."""
        bounded = BoundedSubscription(inner, bounds, acked, self.begin)
        self._inputs.append(bounded)
        return bounded

    def begin(self) -> None:
        """Every input is there: look whether something is left to be read."""
        if all(one.is_read for one in self._inputs):
            self.all_read.set()

    @property
    def is_done(self) -> bool:
        """Whether everything up to the bounds is done."""
        return all(one.is_done for one in self._inputs)
