"""The positions that partitions begin with: offsets looked up, and stored once for all members."""

import asyncio
from collections.abc import Collection, Mapping

from penstock.plugin import AtOffsets, AtTime, Edge, Start, TemporaryError
from penstock_kafka.groups.beginning import beginning
from penstock_kafka.groups.offsets import Member, Offsets
from penstock_kafka.groups.stored import Mark, Stored
from penstock_kafka.topics import Topics

_PATIENCE = 20.0  # seconds
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.2  # seconds


class Settlement:
    """Sees to it that each partition of a topic has a position before it is read.

    Args:
        topics: Tells offsets.
        offsets: Keeps positions.
        group_id: The Kafka group.
        topic: The topic.
        start: Where the member asked to begin.
        begun: It is known that the group has begun already.
    """

    def __init__(
        self,
        topics: Topics,
        offsets: Offsets,
        group_id: str,
        topic: str,
        start: Start,
        *,
        begun: bool = False,
    ) -> None:
        self._topics = topics
        self._offsets = offsets
        self._group_id = group_id
        self._topic = topic
        self._start = start
        self._begun = begun

    async def settle(self, partitions: int, member: Member, *, alone: bool) -> None:
        """Store where partitions begin that have no position; one member of a group does.

        Args:
            partitions: How many the topic has.
            member: Who stores it.
            alone: The group has no other member on the topic.

        Raises:
            NotAMember: The generation is over: who settles in the next one does it.
            TemporaryError: Try again.
            PermanentError: The cluster refuses it.
        """
        stored = await self._offsets.fetch(self._group_id, self._topic, partitions)
        # Who has seen the group begin has joined before: it asks for no other start now.
        decided = beginning(
            self._start,
            partitions,
            stored,
            begun=self._begun,
            alone=alone and not self._begun,
        )
        if decided:
            offsets = await self._find(decided.start, decided.partitions)
            positions = {at: Stored(offset, decided.mark) for at, offset in offsets.items()}
            await self._offsets.commit(self._group_id, self._topic, positions, member)

    async def settled(self, partitions: int) -> Mapping[int, Stored]:
        """Wait until the first so many partitions have a position.

        Raises:
            TemporaryError: They have none after a while: who settles them may be in trouble.
            PermanentError: The cluster refuses to say.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _PATIENCE
        pause = _FIRST_PAUSE
        while True:
            stored = await self._offsets.fetch(self._group_id, self._topic, partitions)
            if len(stored) == partitions:
                self._begun = True
                return stored
            if loop.time() > deadline:
                raise TemporaryError(
                    f"group {self._group_id}: no member has settled where partitions of topic "
                    f"{self._topic} begin"
                )
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def first(self, partitions: Collection[int]) -> Mapping[int, Stored]:
        """The positions of partitions that are read from their first record on.

        Raises:
            TemporaryError: Try again; they may not be there.
        """
        offsets = await self._topics.earliest(self._topic, partitions)
        return {at: Stored(offset, Mark.EDGE) for at, offset in offsets.items()}

    async def _find(self, start: Start, partitions: Collection[int]) -> Mapping[int, int]:
        match start:
            case Edge.EARLIEST:
                return await self._topics.earliest(self._topic, partitions)
            case Edge.LATEST:
                return await self._topics.end_offsets(self._topic, partitions)
            case AtTime(timestamp_ms):
                return await self._topics.offsets_at(self._topic, timestamp_ms, partitions)
            case AtOffsets(offsets, otherwise):
                named = offsets.keys() & partitions
                # Kafka has no position behind the end: a record that is to come has no offset yet.
                ends = await self._topics.end_offsets(self._topic, named)
                found = {at: min(offsets[at], ends[at]) for at in named}
                if rest := frozenset(partitions) - named:
                    found |= await self._find(otherwise, rest)
                return found
