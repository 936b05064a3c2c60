"""Gateways that ack wrongly, or mark what was acked."""

import asyncio
from collections.abc import Mapping, Sequence

from core.tests.testing.broken.breakage import Wrapped, caught_by
from penstock.plugin import READ_BYTES, Group, PermanentError, Record, TemporaryError
from penstock.testing.cases.acking import Acking
from penstock.testing.cases.acking_by_others import AckingByOthers
from penstock.testing.cases.reading import Reading
from penstock.testing.cases.rebalancing import Rebalancing
from penstock.testing.cases.replay import Replay
from penstock_inmemory import InMemoryGateway


@caught_by(Acking.test_a_group_resumes_behind_its_ack)
class ResumesAtTheAck(Wrapped):
    async def ack(self, positions: Mapping[int, int]) -> None:
        await self.inner.ack({at: offset - 1 for at, offset in positions.items()})


@caught_by(Acking.test_an_ack_is_stored_when_it_returns)
class AcksLater(Wrapped):
    async def ack(self, positions: Mapping[int, int]) -> None:
        known = self.gateway
        assert isinstance(known, InMemoryGateway)
        group = known._topic(self.topic).group(self.group)
        asyncio.get_running_loop().call_later(0.2, group.ack, positions)


@caught_by(Acking.test_a_lower_ack_replaces_a_higher_one)
class KeepsTheHighestAck(Wrapped):
    async def ack(self, positions: Mapping[int, int]) -> None:
        stored = (await self.gateway.positions(self.topic, self.group.name)).get(0, {})
        higher = {at: max(offset, stored.get(at, -1)) for at, offset in positions.items()}
        await self.inner.ack(higher)


@caught_by(Acking.test_one_ack_is_for_several_partitions)
class AcksOnePartition(Wrapped):
    async def ack(self, positions: Mapping[int, int]) -> None:
        await self.inner.ack(dict(sorted(positions.items())[:1]))


@caught_by(Reading.test_calls_that_are_cancelled_leave_the_rest_as_it_was)
class StaysBusyWhenItIsCancelled(Wrapped):
    _busy = False

    async def ack(self, positions: Mapping[int, int]) -> None:
        if self._busy:
            raise TemporaryError("another ack is under way")
        self._busy = True
        await asyncio.sleep(0)
        await self.inner.ack(positions)
        self._busy = False


@caught_by(Rebalancing.test_an_ack_that_comes_too_late_is_no_error)
class FailsOnLateAcks(Wrapped):
    async def ack(self, positions: Mapping[int, int]) -> None:
        await self.inner.ack(positions)
        stored = (await self.gateway.positions(self.topic, self.group.name)).get(0, {})
        if any(stored.get(at) != offset for at, offset in positions.items()):
            raise PermanentError("not the partition of this member")


@caught_by(AckingByOthers.test_a_group_without_members_starts_behind_an_ack)
class DropsAcksOfOthers(InMemoryGateway):
    async def ack(self, topic: str, group: Group, positions: Mapping[int, int]) -> None:
        pass


@caught_by(AckingByOthers.test_it_is_stored_while_members_are_there)
class DropsAcksOfOthersUnderMembers(InMemoryGateway):
    async def ack(self, topic: str, group: Group, positions: Mapping[int, int]) -> None:
        if not self._topic(topic).group(group)._membership.members:
            await super().ack(topic, group, positions)


@caught_by(AckingByOthers.test_minus_one_begins_again_at_offset_0)
class NeverForgetsAnAck(InMemoryGateway):
    async def ack(self, topic: str, group: Group, positions: Mapping[int, int]) -> None:
        await super().ack(topic, group, {at: one for at, one in positions.items() if one >= 0})


@caught_by(AckingByOthers.test_it_replaces_a_higher_one)
class KeepsTheHighestAckOfOthers(InMemoryGateway):
    async def ack(self, topic: str, group: Group, positions: Mapping[int, int]) -> None:
        acked = self._topic(topic).group(group).acked
        higher = {at: max(offset, acked.get(at, -1)) for at, offset in positions.items()}
        await super().ack(topic, group, higher)


@caught_by(AckingByOthers.test_a_member_that_leaves_does_not_replace_it)
class AcksAgainWhenItLeaves(Wrapped):
    _acked: Mapping[int, int] | None = None

    async def ack(self, positions: Mapping[int, int]) -> None:
        self._acked = positions
        await self.inner.ack(positions)

    async def close(self) -> None:
        if self._acked:
            await self.inner.ack(self._acked)
        await self.inner.close()


@caught_by(AckingByOthers.test_a_member_acks_after_it)
class NeverReplacesWhatMembersDidNotStore(Wrapped):
    _acked: Mapping[int, int] | None = None

    async def ack(self, positions: Mapping[int, int]) -> None:
        stored = (await self.gateway.positions(self.topic, self.group.name)).get(0)
        if stored in (None, self._acked):
            self._acked = positions
            await self.inner.ack(positions)


@caught_by(Replay.test_what_another_version_has_acked_is_marked)
class MarksNothing(Wrapped):
    async def read(
        self, partition: int, max_records: int, max_bytes: int = READ_BYTES
    ) -> Sequence[Record]:
        records = await self.inner.read(partition, max_records, max_bytes)
        return [record._replace(replay=False) for record in records]


@caught_by(Replay.test_what_the_group_has_not_acked_is_not_marked)
class MarksEverything(Wrapped):
    async def read(
        self, partition: int, max_records: int, max_bytes: int = READ_BYTES
    ) -> Sequence[Record]:
        records = await self.inner.read(partition, max_records, max_bytes)
        return [record._replace(replay=True) for record in records]


@caught_by(Replay.test_marks_are_those_of_the_time_of_the_read)
class MarksWhatWasAckedAtFirst(Wrapped):
    _acked: int | None = None

    async def read(
        self, partition: int, max_records: int, max_bytes: int = READ_BYTES
    ) -> Sequence[Record]:
        if self._acked is None:
            versions = await self.gateway.positions(self.topic, self.group.name)
            self._acked = max((acked[partition] for acked in versions.values()), default=-1)
        records = await self.inner.read(partition, max_records, max_bytes)
        return [record._replace(replay=record.offset <= self._acked) for record in records]
