"""Acks of a member: stored in the name of the generation in which it holds the partitions."""

import asyncio
from collections.abc import Mapping

from penstock.plugin import TemporaryError
from penstock_kafka.groups.coordinators import NotAMember
from penstock_kafka.groups.history import History
from penstock_kafka.groups.membership import Membership
from penstock_kafka.groups.offsets import Member, Offsets
from penstock_kafka.groups.stored import Stored, behind

_REBALANCE_SECONDS = 15.0


class MemberAcks:
    """Stores what a member has acked, one commit at a time, in the order of asking.

    The broker refuses commits of a generation that is over, so one that comes late cannot replace
    one of the partition's next reader.

    Args:
        group_id: The Kafka group.
        topic: The topic.
        membership: Who commits, and what it holds.
        offsets: Where the commits go.
        history: What the group has acked.
    """

    def __init__(
        self,
        group_id: str,
        topic: str,
        membership: Membership,
        offsets: Offsets,
        history: History,
    ) -> None:
        self._group_id = group_id
        self._topic = topic
        self._membership = membership
        self._offsets = offsets
        self._history = history
        self._turn = asyncio.Lock()

    async def store(self, positions: Mapping[int, int]) -> frozenset[int]:
        """Store the last offsets that are done, of the partitions that this member holds.

        Returns:
            The partitions whose positions are stored; the others are not this member's, or no
            longer.

        Raises:
            TemporaryError: Nothing is known to be stored.
            PermanentError: The cluster refuses it.
        """
        held = self._membership.held
        given = {at: held[at] for at in positions if at in held}
        if not given:
            return frozenset()
        async with self._turn:
            while given := {at: when for at, when in given.items() if held.get(at) == when}:
                stored = {at: behind(positions[at]) for at in given}
                if await self._commit(stored):
                    self._history.note(self._group_id, stored)
                    break
        return frozenset(given)

    async def replace(self, positions: Mapping[int, Stored]) -> None:
        """Store positions in place of all acks so far, those that are on their way included.

        Raises:
            TemporaryError: Nothing is known to be stored.
            PermanentError: The cluster refuses it.
        """
        async with self._turn:
            while not await self._commit(positions):
                pass

    async def _commit(self, positions: Mapping[int, Stored]) -> bool:
        """Commit in the present generation, or wait for the next one; whether it is stored."""
        member = self._membership.member
        try:
            await self._offsets.commit(self._group_id, self._topic, positions, member)
        except NotAMember:
            # A rebalance is under way, or this member was given up: the next generation tells
            # what it still holds.
            await self._next_generation(member)
            return False
        return True

    async def _next_generation(self, member: Member) -> None:
        try:
            async with asyncio.timeout(_REBALANCE_SECONDS):
                moment = self._membership.moment
                while self._membership.member == member:
                    moment = await self._membership.after(moment)
        except TimeoutError:
            raise TemporaryError(
                f"group {self._group_id} has been rebalancing for {_REBALANCE_SECONDS:g} s: "
                "nothing is acked meanwhile"
            ) from None
