"""What a subscriber is handed: a member and its group, behind penstock's interface.

The docstrings of `penstock.plugin.Subscription` say what each method promises.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence

from penstock.plugin import READ_BYTES, Record, Start, Subscription, SubscriptionEvent
from penstock_inmemory.group import ConsumerGroup


class InMemorySubscription(Subscription):
    """A new member of a group.

    Args:
        group: Its group.
        start: Where the group begins in the partitions for which that is still open.
    """

    def __init__(self, group: ConsumerGroup, start: Start) -> None:
        self._group = group
        self._member = group.join(start)

    async def next_event(self) -> SubscriptionEvent:
        """Wait for the next assignment or revocation."""
        return await self._member.next_event()

    async def read(
        self, partition: int, max_records: int, max_bytes: int = READ_BYTES
    ) -> Sequence[Record]:
        """Wait for records of one partition."""
        # A read that finds records never waits: a reader in a loop would let nobody else run.
        await asyncio.sleep(0)
        return await self._member.read(partition, max_records, max_bytes)

    async def release(self, partitions: Collection[int]) -> None:
        """Let revoked partitions go to their next reader."""
        self._group.release(self._member, partitions)

    async def ack(self, positions: Mapping[int, int]) -> None:
        """Store positions; those of partitions that this member has lost meanwhile are dropped."""
        self._group.ack_as(self._member, positions)

    async def close(self) -> None:
        """Leave the group."""
        self._group.leave(self._member, "the subscription is closed: subscribe again")
