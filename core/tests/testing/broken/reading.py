"""Gateways that read wrongly."""

import asyncio
from collections.abc import Collection, Sequence

from core.tests.testing.broken.breakage import Wrapped, caught_by
from penstock.plugin import READ_BYTES, PositionExpired, Record, SubscriptionEvent
from penstock.testing.cases.closing import Closing
from penstock.testing.cases.groups import Groups
from penstock.testing.cases.messages import Messages
from penstock.testing.cases.reading import Reading
from penstock.testing.cases.rebalancing import Rebalancing
from penstock.testing.cases.retention import RetentionBounds


@caught_by(Messages.test_a_record_says_when_it_was_stored)
class TellsSeconds(Wrapped):
    async def read(
        self, partition: int, max_records: int, max_bytes: int = READ_BYTES
    ) -> Sequence[Record]:
        records = await self.inner.read(partition, max_records, max_bytes)
        return [record._replace(timestamp_ms=record.timestamp_ms // 1000) for record in records]


@caught_by(Reading.test_a_read_waits_for_a_record)
class ReturnsNothingAfterAWhile(Wrapped):
    async def read(
        self, partition: int, max_records: int, max_bytes: int = READ_BYTES
    ) -> Sequence[Record]:
        try:
            return await asyncio.wait_for(self.inner.read(partition, max_records, max_bytes), 0)
        except TimeoutError:
            return []


@caught_by(Reading.test_a_read_does_not_wait_for_more)
class FillsItsBatches(Wrapped):
    async def read(
        self, partition: int, max_records: int, max_bytes: int = READ_BYTES
    ) -> Sequence[Record]:
        records: list[Record] = []
        while len(records) < max_records:
            records += await self.inner.read(partition, max_records - len(records), max_bytes)
        return records


@caught_by(Reading.test_each_record_is_returned_once_and_in_order)
class ReturnsTheLastOneAgain(Wrapped):
    _last: Sequence[Record] = ()

    async def read(
        self, partition: int, max_records: int, max_bytes: int = READ_BYTES
    ) -> Sequence[Record]:
        records = await self.inner.read(partition, max_records, max_bytes)
        again, self._last = self._last, records[-1:]
        return [*again, *records]


@caught_by(Reading.test_a_read_returns_no_more_records_than_asked_for)
class CountsNoRecords(Wrapped):
    async def read(
        self,
        partition: int,
        max_records: int,  # noqa: ARG002
        max_bytes: int = READ_BYTES,
    ) -> Sequence[Record]:
        return await self.inner.read(partition, 1000, max_bytes)


@caught_by(Reading.test_a_read_stops_behind_the_bytes_asked_for)
class CountsNoBytes(Wrapped):
    async def read(
        self,
        partition: int,
        max_records: int,
        max_bytes: int = READ_BYTES,  # noqa: ARG002
    ) -> Sequence[Record]:
        return await self.inner.read(partition, max_records)


@caught_by(Reading.test_a_read_is_bounded_where_nobody_says_how)
class CountsNoBytesByDefault(Wrapped):
    async def read(
        self, partition: int, max_records: int, max_bytes: int = 10**12
    ) -> Sequence[Record]:
        return await self.inner.read(partition, max_records, max_bytes)


@caught_by(Groups.test_a_release_of_what_is_not_revoked_is_ignored)
class GivesUpWhatItReleases(Wrapped):
    async def release(self, partitions: Collection[int]) -> None:
        await self.inner.release(partitions)
        await self.inner.close()


@caught_by(Reading.test_a_large_record_is_returned_to_who_asks_for_few_bytes)
class LeavesOutWhatIsLarge(Wrapped):
    async def read(
        self, partition: int, max_records: int, max_bytes: int = READ_BYTES
    ) -> Sequence[Record]:
        records = await self.inner.read(partition, max_records, max_bytes)
        return [record for record in records if len(record.message.payload) <= max_bytes]


@caught_by(Reading.test_a_partition_that_is_not_assigned_gives_nothing)
class KnowsNoOtherPartitions(Wrapped):
    async def read(
        self, partition: int, max_records: int, max_bytes: int = READ_BYTES
    ) -> Sequence[Record]:
        if partition:
            raise KeyError(partition)
        return await self.inner.read(partition, max_records, max_bytes)


@caught_by(Reading.test_a_read_that_is_cancelled_loses_no_record)
class LosesRecordsOfCancelledReads(Wrapped):
    async def read(
        self, partition: int, max_records: int, max_bytes: int = READ_BYTES
    ) -> Sequence[Record]:
        records = await self.inner.read(partition, max_records, max_bytes)
        await asyncio.sleep(0)
        return records


@caught_by(Reading.test_a_partition_that_is_not_read_holds_up_no_other)
class WaitsForTheSlowest(Wrapped):
    _read: dict[int, int]

    async def read(
        self, partition: int, max_records: int, max_bytes: int = READ_BYTES
    ) -> Sequence[Record]:
        read = self.__dict__.setdefault("_read", {})
        for other, end in (await self.gateway.end_positions(self.topic)).items():
            if other != partition and end - read.get(other, -1) > 5:
                await asyncio.Event().wait()
        records = await self.inner.read(partition, max_records, max_bytes)
        read[partition] = records[-1].offset if records else 0
        return records


@caught_by(Groups.test_the_only_member_is_assigned_what_there_is)
class TellsOfNothing(Wrapped):
    _told = 0

    async def next_event(self) -> SubscriptionEvent:
        self._told += 1
        if self._told == 1:
            self._event = await self.inner.next_event()
        return self._event if self._told < 3 else await self.inner.next_event()


@caught_by(Groups.test_a_wait_for_events_that_is_cancelled_loses_none)
class LosesEventsOfCancelledWaits(Wrapped):
    async def next_event(self) -> SubscriptionEvent:
        event = await self.inner.next_event()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return event


@caught_by(Closing.test_pending_reads_return_nothing, Rebalancing.test_reads_of_what_is_revoked_end)
class LeavesReadsPending(Wrapped):
    async def read(
        self, partition: int, max_records: int, max_bytes: int = READ_BYTES
    ) -> Sequence[Record]:
        records = await self.inner.read(partition, max_records, max_bytes)
        if not records:
            await asyncio.Event().wait()
        return records


@caught_by(Closing.test_it_may_be_closed_twice)
class ClosesOnce(Wrapped):
    _closed = False

    async def close(self) -> None:
        if self._closed:
            raise RuntimeError("it is closed")
        self._closed = True
        await self.inner.close()


@caught_by(Closing.test_a_close_that_was_cancelled_is_ended_by_the_next)
class ClosesOnceEvenIfItIsCancelled(Wrapped):
    _closed = False

    async def close(self) -> None:
        if not self._closed:
            self._closed = True
            await asyncio.sleep(0)
            await self.inner.close()


@caught_by(Closing.test_a_wait_for_events_ends)
class WaitsForEver(Wrapped):
    _closed = False

    async def next_event(self) -> SubscriptionEvent:
        waiting = asyncio.ensure_future(self.inner.next_event())
        done, _ = await asyncio.wait({waiting})
        if self._closed:
            waiting.exception()
            await asyncio.Event().wait()
        return done.pop().result()

    async def close(self) -> None:
        self._closed = True
        await self.inner.close()


@caught_by(Closing.test_nothing_is_read_afterwards)
class FailsWhenItIsClosed(Wrapped):
    async def read(
        self, partition: int, max_records: int, max_bytes: int = READ_BYTES
    ) -> Sequence[Record]:
        if records := await self.inner.read(partition, max_records, max_bytes):
            return records
        raise RuntimeError("it is closed")


@caught_by(RetentionBounds.test_a_reader_is_told_of_a_gap)
class TellsOfNoGaps(Wrapped):
    async def read(
        self, partition: int, max_records: int, max_bytes: int = READ_BYTES
    ) -> Sequence[Record]:
        try:
            return await self.inner.read(partition, max_records, max_bytes)
        except PositionExpired:
            return await self.inner.read(partition, max_records, max_bytes)


@caught_by(RetentionBounds.test_reading_goes_on_behind_a_gap)
class StaysBeforeTheGap(Wrapped):
    _gap: PositionExpired | None = None

    async def read(
        self, partition: int, max_records: int, max_bytes: int = READ_BYTES
    ) -> Sequence[Record]:
        if self._gap:
            raise self._gap
        try:
            return await self.inner.read(partition, max_records, max_bytes)
        except PositionExpired as gap:
            self._gap = gap
            raise
