"""A subscription used as a host does it: one task on its events, one for each partition."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import suppress

from penstock.plugin import (
    Assigned,
    PenstockError,
    PositionExpired,
    Record,
    Revoked,
    Subscription,
    TemporaryError,
)
from penstock.testing.expectation import BrokenPromise
from penstock.testing.owners import Owners
from penstock.testing.watch import Watch

_PAUSE = 0.1  # seconds before something is tried again that failed for now

Subscribe = Callable[[], Awaitable[Subscription]]


class Member:
    """One member of a group, and what it has been given.

    What every subscription promises is watched all the time: a partition is assigned before it is
    read and not twice, reads of what is revoked end, offsets ascend within an assignment.

    Args:
        name: For the texts of errors.
        subscribe: Joins the group.
        watch: Where it tells what happens.
        holds: Partitions that are not read.
        releases: Whether it confirms what is revoked.
        acks: Whether it acks all that it reads.
        rejoins: Whether it subscribes anew when its membership is lost.
        owners: Who reads what, where that is watched.

    Attributes:
        subscription: Its present subscription.
        partitions: What it holds.
        records: What it has read, by partition.
        gaps: What could not be read any more.
        revocations: In their order.
    """

    subscription: Subscription

    def __init__(
        self,
        name: str,
        subscribe: Subscribe,
        *,
        watch: Watch,
        holds: frozenset[int] = frozenset(),
        releases: bool = True,
        acks: bool = False,
        rejoins: bool = False,
        owners: Owners | None = None,
    ) -> None:
        self.name = name
        self.partitions: set[int] = set()
        self.records: dict[int, list[Record]] = {}
        self.gaps: list[PositionExpired] = []
        self.revocations: list[Revoked] = []
        self._subscribe = subscribe
        self._watch = watch
        self._holds = set(holds)
        self._releases = releases
        self._acks = acks
        self._rejoins = rejoins
        self._owners = owners or Owners()
        self._readers: dict[int, asyncio.Task[None]] = {}
        self._following: asyncio.Task[None] | None = None

    async def join(self) -> None:
        """Become a member.

        Raises:
            PenstockError: As `PubSub.subscribe`.
        """
        self.subscription = await self._subscribe()
        self._following = self._start(self._follow())

    @property
    def count(self) -> int:
        """How many records it has read."""
        return sum(map(len, self.records.values()))

    @property
    def payloads(self) -> list[bytes]:
        """Payloads of all records, partition by partition."""
        return [one.message.payload for _, read in sorted(self.records.items()) for one in read]

    async def until(
        self, condition: Callable[[], bool], what: str, within: float | None = None
    ) -> None:
        """Wait for what its attributes, or those of others, will say.

        Args:
            condition: Whether it is so.
            what: The same in words.
            within: Seconds, where that is not the patience.

        Raises:
            BrokenPromise: It does not come to that, or something was wrong.
        """
        __tracebackhide__ = True
        await self._watch.until(condition, what, lambda: self, within)

    async def until_read(self, count: int) -> list[Record]:
        """Wait for so many records, and give all of them, partition by partition."""
        __tracebackhide__ = True
        await self.until(lambda: self.count >= count, f"{self.name} reads {count} records")
        if self.count > count:
            raise BrokenPromise(
                f"records that {self.name} reads\n  expected: {count}\n  came:     {self}"
            )
        return [record for _, records in sorted(self.records.items()) for record in records]

    async def until_holding(self, partitions: int) -> None:
        """Wait until it holds so many partitions."""
        __tracebackhide__ = True
        await self.until(
            lambda: len(self.partitions) == partitions,
            f"{self.name} holds {partitions} partition{'s' * (partitions != 1)}",
        )

    def resume(self, partition: int) -> None:
        """Read a partition that was held."""
        self._holds.discard(partition)
        self._readers[partition] = self._start(self._read(partition))

    async def ack_all(self) -> None:
        """Ack everything that it has read."""
        await self.subscription.ack(_last_offsets(self.records))

    async def release(self) -> None:
        """Confirm what was revoked and not yet confirmed, because it does not do so by itself."""
        for revocation in self.revocations:
            self._give(revocation.partitions)
            await self.subscription.release(revocation.partitions)

    async def stop(self) -> None:
        """Leave the group."""
        await self._end_tasks()
        self._give(set(self.partitions))
        self.partitions.clear()
        await self.subscription.close()

    async def _end_tasks(self) -> None:
        tasks = [*self._readers.values()]
        if self._following and self._following is not asyncio.current_task():
            tasks.append(self._following)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._readers.clear()

    def __str__(self) -> str:
        read = {partition: len(records) for partition, records in sorted(self.records.items())}
        over = sorted(
            at for at in self.partitions & self._readers.keys() if self._readers[at].done()
        )
        ended = f"; its reads of {over} have returned nothing" if over else ""
        return (
            f"{self.name} holds partitions {sorted(self.partitions) or 'none'}, has read "
            f"{sum(read.values())} records by partition {read}{ended}"
        )

    def _start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        return self._watch.run(f"the subscription of {self.name}", work)

    async def _follow(self) -> None:
        while True:
            try:
                event = await self.subscription.next_event()
            except TemporaryError as error:
                if not self._rejoins:
                    lost = f"the membership of {self.name} was lost: {error}"
                    raise BrokenPromise(lost) from error
                await self._join_anew()
                continue
            match event:
                case Assigned(partitions):
                    self._assign(partitions)
                case Revoked(partitions):
                    await self._revoke(event)
            self._watch.tell()

    async def _join_anew(self) -> None:
        await self._end_tasks()
        self._give(set(self.partitions))
        self.partitions.clear()
        while True:
            with suppress(PenstockError):
                await self.subscription.close()
            try:
                self.subscription = await self._subscribe()
            except TemporaryError as error:
                await asyncio.sleep(error.retry_after or _PAUSE)
            else:
                return

    def _assign(self, partitions: frozenset[int]) -> None:
        if twice := partitions & self.partitions:
            raise BrokenPromise(
                f"{self.name} was assigned partitions {sorted(twice)}, which it holds already: "
                "a partition is not assigned again before it was revoked and released"
            )
        self.partitions |= partitions
        for partition in partitions - self._holds:
            self._readers[partition] = self._start(self._read(partition))

    async def _revoke(self, event: Revoked) -> None:
        if strange := event.partitions - self.partitions:
            raise BrokenPromise(
                f"partitions {sorted(strange)} were revoked of {self.name}, which does not hold "
                "them"
            )
        self.partitions -= event.partitions
        reading = [self._readers.pop(one) for one in event.partitions if one in self._readers]
        if reading:
            # They should have ended before; who waits for what follows has to hear of this first.
            _, pending = await asyncio.wait(reading, timeout=self._watch.patience / 2)
            for task in pending:
                task.cancel()
                raise BrokenPromise(
                    f"partitions {sorted(event.partitions)} were revoked of {self.name}, and a "
                    "read of them is pending: reads of them have ended"
                )
        self.revocations.append(event)
        if event.grace == 0 or self._releases:
            self._give(event.partitions)
            await self.subscription.release(event.partitions)

    def _give(self, partitions: frozenset[int] | set[int]) -> None:
        for partition in partitions:
            self._owners.give(partition, self.name)

    async def _read(self, partition: int) -> None:
        last = -1
        subscription = self.subscription
        while True:
            try:
                records = await subscription.read(partition, 1000)
            except PositionExpired as gap:
                self._tell_of(gap)
                continue
            except TemporaryError as error:
                await asyncio.sleep(error.retry_after or _PAUSE)
                continue
            if not records:
                return
            self._owners.take(partition, self.name)
            for record in records:
                if record.offset <= last:
                    raise BrokenPromise(
                        f"{self.name} read offset {record.offset} of partition {partition} after "
                        f"{last}: records come in ascending offset, each once in an assignment"
                    )
                last = record.offset
            self.records.setdefault(partition, []).extend(records)
            self._watch.tell()
            if self._acks:
                with suppress(TemporaryError):  # the next ack says all that this one did
                    await subscription.ack({partition: last})

    def _tell_of(self, gap: PositionExpired) -> None:
        if any((gap.partition, gap.wanted) == (one.partition, one.wanted) for one in self.gaps):
            raise BrokenPromise(
                f"{self.name} was told twice of the gap at offset {gap.wanted} of partition "
                f"{gap.partition}: the next call goes on behind the gap"
            )
        self.gaps.append(gap)
        self._watch.tell()


def _last_offsets(records: Mapping[int, list[Record]]) -> dict[int, int]:
    return {partition: read[-1].offset for partition, read in records.items() if read}
