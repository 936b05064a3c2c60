"""Does with a subscription what a host does with it, and remembers what happened."""

import asyncio
from collections.abc import Coroutine, Iterable

from penstock.plugin import (
    Assigned,
    PositionExpired,
    Record,
    Revoked,
    Subscription,
    SubscriptionEvent,
    TemporaryError,
)
from plugins.kafka.tests.groups.waiting import until

_PAUSE = 0.05


class ReadingMember:
    """Reads all partitions that it is assigned, a task for each.

    Args:
        subscription: The membership.
        acks: Whether it acks what it has read.
        releases: Whether it releases at once what is revoked.
        ignores: Partitions that it does not read.

    Attributes:
        partitions: What it was assigned and has not been revoked.
        events: All that it was told.
        records: What it has read, by partition, in the order in which it came.
        gaps: What it was told of records that are gone.
        lost: Why the membership ended, once it has.
    """

    def __init__(
        self,
        subscription: Subscription,
        *,
        acks: bool = False,
        releases: bool = True,
        ignores: Iterable[int] = (),
    ) -> None:
        self.subscription = subscription
        self.partitions: set[int] = set()
        self.events: list[SubscriptionEvent] = []
        self.records: dict[int, list[Record]] = {}
        self.gaps: list[PositionExpired] = []
        self.troubles: list[TemporaryError] = []
        self.lost: TemporaryError | None = None
        self.max_records = 500
        self._acks = acks
        self._releases = releases
        self._ignores = set(ignores)
        self._reads: dict[int, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._start(self._follow())

    @property
    def ids(self) -> list[int]:
        """The numbers in what it has read, in any order."""
        return [number for partition in self.records for number in self.of(partition)]

    def of(self, partition: int) -> list[int]:
        """The numbers in what it has read of a partition, in order."""
        return [int(record.message.payload) for record in self.records.get(partition, ())]

    @property
    def revocations(self) -> list[Revoked]:
        """What it had to give up."""
        return [event for event in self.events if isinstance(event, Revoked)]

    async def until_holding(self, count: int, patience: float = 20.0) -> set[int]:
        """Wait until it has so many partitions."""
        await until(lambda: len(self.partitions) == count, f"{self} has {count}", patience)
        return self.partitions

    async def until_read(self, ids: Iterable[int], patience: float = 20.0) -> None:
        """Wait until it has read all of these."""
        wanted = set(ids)
        await until(lambda: wanted <= set(self.ids), f"{self} reads {len(wanted)}", patience)

    async def until_lost(self, patience: float = 20.0) -> TemporaryError:
        """Wait until the membership is lost."""
        await until(lambda: self.lost, f"{self} loses its membership", patience)
        assert self.lost
        return self.lost

    async def ack_all(self) -> None:
        """Ack what it has read."""
        await self.subscription.ack({at: read[-1].offset for at, read in self.records.items()})

    def heed(self, partition: int) -> None:
        """Begin to read a partition that it has ignored."""
        self._ignores.discard(partition)
        if partition in self.partitions:
            self._read_on(partition)

    async def stop(self) -> None:
        """Stop reading, without leaving."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if result and not isinstance(result, asyncio.CancelledError):
                raise result

    async def close(self) -> None:
        """Stop reading, and leave."""
        await self.stop()
        await self.subscription.close()

    def __str__(self) -> str:
        read = {at: len(records) for at, records in sorted(self.records.items())}
        return f"a member with partitions {sorted(self.partitions)}, that has read {read}"

    def _start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        return task

    async def _follow(self) -> None:
        while True:
            try:
                event = await self.subscription.next_event()
            except TemporaryError as error:
                self.lost = error
                return
            self.events.append(event)
            match event:
                case Assigned(partitions):
                    assert not partitions & self.partitions, "assigned what it has"
                    self.partitions |= partitions
                    for partition in partitions - self._ignores:
                        self._read_on(partition)
                case Revoked(partitions, grace):
                    assert partitions <= self.partitions, "revoked what it has not"
                    self.partitions -= partitions
                    if grace and self._releases:
                        await self.give_up(partitions)

    async def give_up(self, partitions: Iterable[int]) -> None:
        """Release partitions, after the last ack if it acks."""
        await asyncio.gather(*(self._reads[at] for at in partitions if at in self._reads))
        await self.subscription.release(set(partitions))

    def _read_on(self, partition: int) -> None:
        self._reads[partition] = self._start(self._read(partition))

    async def _read(self, partition: int) -> None:
        while True:
            try:
                records = await self.subscription.read(partition, self.max_records)
            except PositionExpired as gap:
                self.gaps.append(gap)
                continue
            except TemporaryError as error:
                self.troubles.append(error)
                await asyncio.sleep(_PAUSE)
                continue
            if not records:
                return
            self.records.setdefault(partition, []).extend(records)
            if self._acks:
                await self._ack(partition, records[-1].offset)

    async def _ack(self, partition: int, offset: int) -> None:
        while True:
            try:
                await self.subscription.ack({partition: offset})
            except TemporaryError as error:
                self.troubles.append(error)
                await asyncio.sleep(_PAUSE)
            else:
                return
