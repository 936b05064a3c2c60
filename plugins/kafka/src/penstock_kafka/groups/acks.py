"""Acks of a member: stored in the name of the generation in which it holds the partitions."""

import asyncio
from collections.abc import Mapping
from typing import NamedTuple

from penstock.plugin import TemporaryError
from penstock_kafka.groups.coordinators import NotAMember
from penstock_kafka.groups.gathering import Gathering
from penstock_kafka.groups.history import History
from penstock_kafka.groups.membership import Membership
from penstock_kafka.groups.offsets import Member, Offsets
from penstock_kafka.groups.stored import Stored, behind

PATIENCE = 20.0
"""Seconds for which an ack waits for a rebalance to end, and for the brokers."""


class _Ack(NamedTuple):
    """An ack of one partition.

    Attributes:
        stored: What to store.
        given: When the partition was given to the member; ``None``: whoever has it.
    """

    stored: Stored
    given: int | None


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
        self._commits: Gathering[_Ack, frozenset[int]] = Gathering(self._store)

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
        acks = {at: _Ack(behind(positions[at]), held[at]) for at in held.keys() & positions}
        if not acks:
            return frozenset()
        return (await self._commits.ask(acks)).intersection(acks)

    async def replace(self, positions: Mapping[int, Stored]) -> None:
        """Store positions in place of all acks so far, those that are on their way included.

        Raises:
            TemporaryError: Nothing is known to be stored.
            PermanentError: The cluster refuses it.
        """
        await self._commits.ask({at: _Ack(one, None) for at, one in positions.items()})

    async def close(self) -> None:
        """Give up what is on its way."""
        await self._commits.close()

    async def _store(self, acks: Mapping[int, _Ack]) -> frozenset[int]:
        held = self._membership.held
        try:
            async with asyncio.timeout(PATIENCE):
                while mine := {
                    at: ack.stored
                    for at, ack in acks.items()
                    if ack.given is None or held.get(at) == ack.given
                }:
                    member = self._membership.member
                    try:
                        await self._offsets.commit(self._group_id, self._topic, mine, member)
                    except NotAMember:
                        # A rebalance is under way, or this member was given up: the next
                        # generation tells what it still holds.
                        await self._other_than(member)
                    else:
                        self._history.note(self._group_id, mine)
                        break
        except TimeoutError:
            raise TemporaryError(
                f"group {self._group_id} has been rebalancing for {PATIENCE:g} s: nothing is acked "
                "meanwhile"
            ) from None
        return frozenset(mine)

    async def _other_than(self, member: Member) -> None:
        moment = self._membership.moment
        while self._membership.member == member:
            moment = await self._membership.after(moment)
