"""Gateways that tell positions wrongly, or start groups where they should not."""

import asyncio
from collections.abc import Collection, Mapping, Sequence

from core.tests.testing.broken.breakage import Wrapped, caught_by
from penstock.plugin import (
    READ_BYTES,
    AtOffsets,
    AtTime,
    Edge,
    Group,
    Record,
    Start,
    Subscription,
    SubscriptionEvent,
)
from penstock.testing.cases.acking import Acking
from penstock.testing.cases.groups import Groups
from penstock.testing.cases.positions import Positions
from penstock.testing.cases.seeking import Seeking
from penstock.testing.cases.starts import Starts
from penstock.testing.cases.versions import Versions
from penstock.testing.way import Way
from penstock_inmemory import InMemoryGateway


@caught_by(Positions.test_end_positions_are_the_last_offsets_of_partitions_with_records)
class EndsBehindTheLastRecord(InMemoryGateway):
    async def end_positions(self, topic: str) -> Mapping[int, int]:
        return {at: offset + 1 for at, offset in (await super().end_positions(topic)).items()}


@caught_by(Positions.test_a_topic_that_nobody_made_has_no_end)
class EndsWhatIsNotThereAtZero(InMemoryGateway):
    async def end_positions(self, topic: str) -> Mapping[int, int]:
        return {0: 0} if topic not in self._topics else await super().end_positions(topic)


@caught_by(Positions.test_what_nobody_has_used_has_no_positions)
class TellsPositionsOfNobody(InMemoryGateway):
    async def positions(self, topic: str, name: str) -> Mapping[int, Mapping[int, int]]:
        return await super().positions(topic, name) or {0: {}}


@caught_by(Positions.test_where_a_group_starts_is_no_position)
class TellsStartsAsPositions(InMemoryGateway):
    async def positions(self, topic: str, name: str) -> Mapping[int, Mapping[int, int]]:
        known = self._topics.get(topic)
        joined = known and name in known._groups
        return await super().positions(topic, name) or ({0: {0: 0}} if joined else {})


@caught_by(Positions.test_positions_are_of_one_topic)
class KeepsPositionsByGroupAlone(InMemoryGateway):
    async def positions(self, topic: str, name: str) -> Mapping[int, Mapping[int, int]]:  # noqa: ARG002
        of_all = [known.positions(name) for known in self._topics.values()]
        return {version: acked for one in of_all for version, acked in one.items()}


@caught_by(
    Seeking.test_edges_and_times_are_located,
    Seeking.test_a_time_behind_all_records_is_located_at_the_one_to_come,
)
class LocatesTheRecordBefore(InMemoryGateway):
    async def locate(self, topic: str, start: Edge | AtTime) -> Mapping[int, int]:
        return {at: offset - 1 for at, offset in (await super().locate(topic, start)).items()}


@caught_by(Seeking.test_a_topic_that_nobody_made_has_no_offsets)
class MakesWhatItLocates(InMemoryGateway):
    async def locate(self, topic: str, start: Edge | AtTime) -> Mapping[int, int]:
        self._topic(topic)
        return await super().locate(topic, start)


class Starting(InMemoryGateway):
    """Starts groups elsewhere."""

    def elsewhere(self, topic: str, group: Group, start: Start) -> Start:  # noqa: ARG002
        return start

    async def subscribe(
        self, topic: str, group: Group, start: Start, member: str = ""
    ) -> Subscription:
        return await super().subscribe(topic, group, self.elsewhere(topic, group, start), member)


@caught_by(Starts.test_earliest_is_the_first_record_that_is_kept)
class StartsAlwaysAtTheLatest(Starting):
    def elsewhere(self, topic: str, group: Group, start: Start) -> Start:  # noqa: ARG002
        return Edge.LATEST


@caught_by(
    Starts.test_latest_is_behind_the_last_record,
    Seeking.test_an_offset_is_the_first_that_is_delivered,
    Seeking.test_a_time_is_that_of_the_first_record_that_is_delivered,
)
class StartsAlwaysAtTheEarliest(Starting):
    def elsewhere(self, topic: str, group: Group, start: Start) -> Start:  # noqa: ARG002
        return Edge.EARLIEST


@caught_by(Seeking.test_partitions_without_an_offset_start_at_the_edge)
class StartsElsewhereAtTheEarliest(Starting):
    def elsewhere(self, topic: str, group: Group, start: Start) -> Start:  # noqa: ARG002
        return AtOffsets(start.offsets) if isinstance(start, AtOffsets) else start


@caught_by(Seeking.test_a_time_before_all_records_is_the_earliest)
class TakesATimeForTheLatest(Starting):
    def elsewhere(self, topic: str, group: Group, start: Start) -> Start:  # noqa: ARG002
        return Edge.LATEST if isinstance(start, AtTime) else start


@caught_by(
    Seeking.test_offsets_replace_an_edge_when_nobody_is_there,
    Seeking.test_a_time_replaces_an_edge_when_nobody_is_there,
)
class KeepsEdgesForEver(Starting):
    def elsewhere(self, topic: str, group: Group, start: Start) -> Start:
        known = group.name in self._topic(topic)._groups
        return Edge.EARLIEST if known else start


@caught_by(Seeking.test_offsets_replace_no_edge_while_a_member_is_there)
class ReplacesEdgesUnderMembers(Starting):
    def elsewhere(self, topic: str, group: Group, start: Start) -> Start:
        if isinstance(start, AtOffsets):
            self._topic(topic).group(group)._starts.update(start.offsets)
        return start


@caught_by(
    Seeking.test_offsets_replace_no_ack,
    Starts.test_a_group_with_a_position_starts_behind_it_whatever_is_asked,
)
class ForgetsAcksWhenSomebodyJoins(Starting):
    def elsewhere(self, topic: str, group: Group, start: Start) -> Start:
        known = self._topic(topic).group(group)
        known.acked.clear()
        known._starts.clear()
        known._from_edge.clear()
        return start


@caught_by(Starts.test_a_start_is_for_the_partitions_without_a_position)
class StartsTheRestAnew(Starting):
    def elsewhere(self, topic: str, group: Group, start: Start) -> Start:
        known = self._topic(topic).group(group)
        if known.acked:
            known._starts.clear()
        return start


@caught_by(
    Starts.test_a_member_that_comes_later_reads_what_was_published_meanwhile,
    Starts.test_an_edge_that_is_settled_stays_for_who_asks_for_the_other,
)
class ForgetsWhereItStarted(Starting):
    def elsewhere(self, topic: str, group: Group, start: Start) -> Start:
        known = self._topic(topic).group(group)
        if not known._membership.members:
            known._starts.clear()
        return start


class Late(Subscription):
    """A subscription that begins when the first event is waited for, and a while after that."""

    def __init__(self, gateway: InMemoryGateway, topic: str, group: Group, start: Start) -> None:
        self._join = InMemoryGateway.subscribe(gateway, topic, group, start)
        self._inner: Subscription | None = None

    async def next_event(self) -> SubscriptionEvent:
        if self._inner is None:
            await asyncio.sleep(0.1)
            self._inner = await self._join
        return await self._inner.next_event()

    async def read(
        self, partition: int, max_records: int, max_bytes: int = READ_BYTES
    ) -> Sequence[Record]:
        return await self._inner.read(partition, max_records, max_bytes) if self._inner else []

    async def release(self, partitions: Collection[int]) -> None:
        assert self._inner
        await self._inner.release(partitions)

    async def ack(self, positions: Mapping[int, int]) -> None:
        assert self._inner
        await self._inner.ack(positions)

    async def close(self) -> None:
        self._join.close()
        if self._inner:
            await self._inner.close()


@caught_by(Starts.test_what_is_published_as_soon_as_subscribe_returns_is_read)
class SettlesLater(InMemoryGateway):
    async def subscribe(
        self,
        topic: str,
        group: Group,
        start: Start,
        member: str = "",  # noqa: ARG002
    ) -> Subscription:
        return Late(self, topic, group, start)


class SkipsOlder(Wrapped):
    """Leaves out what was stored before a time."""

    since_ms = 0

    async def read(
        self, partition: int, max_records: int, max_bytes: int = READ_BYTES
    ) -> Sequence[Record]:
        while True:
            records = await self.inner.read(partition, max_records, max_bytes)
            newer = [record for record in records if record.timestamp_ms >= self.since_ms]
            if newer or not records:
                return newer


@caught_by(Seeking.test_a_time_behind_all_records_misses_none_that_comes)
class WaitsForATimeToCome(InMemoryGateway):
    async def subscribe(
        self, topic: str, group: Group, start: Start, member: str = ""
    ) -> Subscription:
        inner = await super().subscribe(topic, group, start, member)
        skips = SkipsOlder(self, topic, group, inner)
        skips.since_ms = start.timestamp_ms if isinstance(start, AtTime) else 0
        return skips


@caught_by(Groups.test_groups_read_each_for_itself)
class HasOneGroupForAll(InMemoryGateway):
    async def subscribe(
        self,
        topic: str,
        group: Group,  # noqa: ARG002
        start: Start,
        member: str = "",
    ) -> Subscription:
        return await super().subscribe(topic, Group("all"), start, member)


@caught_by(
    Versions.test_versions_share_no_partitions,
    Versions.test_each_version_resumes_behind_its_own_ack,
    Versions.test_a_new_version_starts_where_it_asked_to,
)
class IgnoresVersions(InMemoryGateway):
    async def subscribe(
        self, topic: str, group: Group, start: Start, member: str = ""
    ) -> Subscription:
        return await super().subscribe(topic, Group(group.name), start, member)


class TellsNoVersions(InMemoryGateway):
    async def positions(self, topic: str, name: str) -> Mapping[int, Mapping[int, int]]:
        every = await super().positions(topic, name)
        return {0: every[0]} if 0 in every else {}


caught_by(Versions.test_positions_tell_those_of_each_version)(TellsNoVersions)
caught_by(Versions.test_a_group_without_a_version_starts_at_its_lowest, way=Way.BATCH)(
    TellsNoVersions
)


@caught_by(Acking.test_what_was_read_and_not_acked_is_read_again)
class AcksWhatIsReadWhenItCloses(Wrapped):
    _last: dict[int, int]

    async def read(
        self, partition: int, max_records: int, max_bytes: int = READ_BYTES
    ) -> Sequence[Record]:
        records = await self.inner.read(partition, max_records, max_bytes)
        if records:
            self._last = {**getattr(self, "_last", {}), partition: records[-1].offset}
        return records

    async def close(self) -> None:
        await self.inner.ack(getattr(self, "_last", {}))
        await self.inner.close()
