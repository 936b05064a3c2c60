"""Gateways that share partitions wrongly."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count

from core.tests.testing.broken.breakage import Wrapped, caught_by, gateway_of, record
from penstock.plugin import (
    READ_BYTES,
    Assigned,
    Group,
    Record,
    Revoked,
    Start,
    Subscription,
    SubscriptionEvent,
)
from penstock.testing.cases.closing import Closing
from penstock.testing.cases.groups import Groups
from penstock.testing.cases.rebalancing import Rebalancing
from penstock.testing.way import Way
from penstock_inmemory import InMemoryGateway


@caught_by(
    Groups.test_members_of_one_group_do_not_read_the_same,
    Rebalancing.test_no_two_members_read_a_partition_at_once,
)
class GivesEverythingToEverybody(InMemoryGateway):
    _members = count()

    async def subscribe(
        self, topic: str, group: Group, start: Start, member: str = ""
    ) -> Subscription:
        own = Group(f"{group.name}-{next(self._members)}")
        return await super().subscribe(topic, own, start, member)


class NeverLeaves(Wrapped):
    async def close(self) -> None:
        for reader in self.inner._member._readers.values():  # type: ignore[attr-defined]  # memory's
            reader.end()


caught_by(
    Groups.test_who_waits_takes_over_behind_the_ack_of_who_leaves,
    Closing.test_its_partitions_are_handed_on,
    Rebalancing.test_the_share_of_who_leaves_goes_to_the_others,
)(NeverLeaves)
caught_by(Rebalancing.test_the_share_of_who_dies_goes_to_the_others, way=Way.BATCH, patience=3.0)(
    NeverLeaves
)


@caught_by(Groups.test_a_member_with_a_name_reads_on_when_it_comes_again)
class TakesANameForAGroup(InMemoryGateway):
    _members = count()

    async def subscribe(
        self, topic: str, group: Group, start: Start, member: str = ""
    ) -> Subscription:
        own = Group(f"{group.name}-{next(self._members)}") if member else group
        return await super().subscribe(topic, own, start, member)


@caught_by(Rebalancing.test_who_joins_gets_a_share)
class GivesTheFirstEverything(InMemoryGateway):
    async def subscribe(
        self, topic: str, group: Group, start: Start, member: str = ""
    ) -> Subscription:
        members = self._topic(topic).group(group)._membership.members
        own = Group(f"{group.name}-nobody") if members else group
        inner = await super().subscribe(topic, own, start, member)
        return HearsNothing(self, topic, group, inner) if members else inner


class HearsNothing(Wrapped):
    """Is told of no partition."""

    async def next_event(self) -> SubscriptionEvent:
        await asyncio.Event().wait()
        raise AssertionError


@caught_by(Rebalancing.test_nothing_is_handed_on_before_it_is_released)
class HandsOnAtOnce(Wrapped):
    async def next_event(self) -> SubscriptionEvent:
        event = await self.inner.next_event()
        if isinstance(event, Revoked):
            await self.inner.release(event.partitions)
        return event


@caught_by(Rebalancing.test_the_next_owner_starts_behind_what_was_acked_in_the_grace)
class DropsAcksInTheGrace(Wrapped):
    _revoked: frozenset[int] = frozenset()

    async def next_event(self) -> SubscriptionEvent:
        event = await self.inner.next_event()
        if isinstance(event, Revoked):
            self._revoked |= event.partitions
        return event

    async def ack(self, positions: Mapping[int, int]) -> None:
        kept = {at: offset for at, offset in positions.items() if at not in self._revoked}
        await self.inner.ack(kept)


class PromisesAGrace(Wrapped):
    async def next_event(self) -> SubscriptionEvent:
        event = await self.inner.next_event()
        return replace(event, grace=0.2) if isinstance(event, Revoked) else event


record(
    "WaitsForAReleaseForEver",
    (Rebalancing.test_after_the_grace_they_are_handed_on_without_a_release,),
    gateway_of(PromisesAGrace),
)


@caught_by(Rebalancing.test_a_partition_that_comes_back_is_read_from_the_position)
class AssignsAgainWhatWasNotRevoked(Wrapped):
    _revoked = False
    _again: SubscriptionEvent | None = None

    async def next_event(self) -> SubscriptionEvent:
        if self._again:
            again, self._again = self._again, None
            return again
        event = await self.inner.next_event()
        if isinstance(event, Revoked):
            self._revoked = True
        if isinstance(event, Assigned) and self._revoked:
            self._again = event
        return event


class ReadsWhatItDoesNotKnow(Wrapped):
    async def read(
        self, partition: int, max_records: int, max_bytes: int = READ_BYTES
    ) -> Sequence[Record]:
        readers = self.inner._member._readers  # type: ignore[attr-defined]  # memory's
        reader = readers.get(partition)
        return await reader.read(max_records, max_bytes) if reader else []


record(
    "ReadsWhatItDoesNotKnow",
    (Rebalancing.test_what_comes_back_is_not_read_before_that_was_told,),
    lambda _: gateway_of(ReadsWhatItDoesNotKnow)(grace=0.1),
)


@caught_by(Rebalancing.test_while_members_come_and_go_nothing_is_lost)
class SkipsTheBacklog(Wrapped):
    _begun: frozenset[int] = frozenset()

    async def read(
        self, partition: int, max_records: int, max_bytes: int = READ_BYTES
    ) -> Sequence[Record]:
        if partition not in self._begun:
            self._begun |= {partition}
            await asyncio.sleep(0.05)
            await self.inner.read(partition, max_records, max_bytes)
        return await self.inner.read(partition, max_records, max_bytes)
