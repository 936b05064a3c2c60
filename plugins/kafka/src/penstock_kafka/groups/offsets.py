"""The positions of groups, as the brokers keep them: fetched and committed by anybody."""

import asyncio
from collections.abc import Mapping
from typing import NamedTuple

from aiokafka.protocol.commit import OffsetCommitRequest, OffsetFetchRequest

from penstock_kafka.cluster import Cluster
from penstock_kafka.groups.coordinators import Coordinators, NotAMember
from penstock_kafka.groups.stored import Stored
from penstock_kafka.groups.transactions import Transactions

_SHOWS_WITHIN = 2.0  # seconds
_FIRST_PAUSE = 0.001  # seconds


class Member(NamedTuple):
    """Who commits: a member, in one generation of its group."""

    generation: int
    id: str


NOBODY = Member(-1, "")
"""Who is no member; Kafka takes its commits while a group has no members."""


class Offsets:
    """Fetches and commits positions.

    Args:
        cluster: The cluster.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._coordinators = Coordinators(cluster)
        self._transactions = Transactions(cluster)

    async def close(self) -> None:
        """Hang up."""
        await asyncio.gather(self._transactions.close(), self._coordinators.close())

    async def fetch(
        self, group_id: str, topic: str, partitions: int | None = None
    ) -> dict[int, Stored]:
        """The positions of a group in a topic, by partition; those without one are left out.

        Args:
            group_id: The Kafka group.
            topic: The topic.
            partitions: How many of its partitions to ask for; ``None`` asks for all positions
                that the group has in any topic.

        Raises:
            TemporaryError: Try again.
            PermanentError: The cluster refuses it.
        """
        wanted = None if partitions is None else [(topic, list(range(partitions)))]
        request = OffsetFetchRequest(group_id, wanted)
        reply = await self._coordinators.ask(
            group_id, request, f"reading positions of group {group_id}"
        )
        return {
            entry["partition"]: Stored(entry["offset"], entry["metadata"] or "")
            for answered in reply["topics"]
            if answered["topic"] == topic
            for entry in answered["partitions"]
            if entry["offset"] >= 0
        }

    async def commit(
        self, group_id: str, topic: str, positions: Mapping[int, Stored], member: Member
    ) -> None:
        """Commit as a member of the group.

        Raises:
            NotAMember: It is none, or not in this generation.
            TemporaryError: Nothing is known to be stored.
            PermanentError: The cluster refuses it.
        """
        request = OffsetCommitRequest(
            group_id,
            member.generation,
            member.id,
            OffsetCommitRequest.DEFAULT_RETENTION_TIME,
            [(topic, [(at, one.offset, str(one.mark)) for at, one in positions.items()])],
        )
        await self._coordinators.ask(
            group_id, request, f"storing positions of group {group_id} in topic {topic}"
        )

    async def commit_as_nobody(
        self, group_id: str, topic: str, positions: Mapping[int, Stored]
    ) -> None:
        """Commit without being a member, whether the group has members or not.

        Raises:
            TemporaryError: Nothing is known to be stored.
            PermanentError: The cluster refuses it.
        """
        try:
            await self.commit(group_id, topic, positions, NOBODY)
        except NotAMember:
            # A group with members takes commits of others in a transaction alone: for the sake of
            # producers that consume and produce exactly once, it does not ask who they are.
            before = await self.fetch(group_id, topic, max(positions) + 1)
            await self._transactions.commit(group_id, topic, positions)
            await self._shown(group_id, topic, positions, before)

    async def _shown(
        self,
        group_id: str,
        topic: str,
        positions: Mapping[int, Stored],
        before: Mapping[int, Stored],
    ) -> None:
        """Wait until a transaction's commits show: it has ended a moment before they do.

        Somebody else may have replaced them by then, and that will do as well.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _SHOWS_WITHIN
        pause = _FIRST_PAUSE
        while loop.time() < deadline:
            found = await self.fetch(group_id, topic, max(positions) + 1)
            if all(found.get(at) not in {before.get(at)} - {one} for at, one in positions.items()):
                return
            await asyncio.sleep(pause)
            pause *= 2
