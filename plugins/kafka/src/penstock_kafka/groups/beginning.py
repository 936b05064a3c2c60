"""The positions that partitions begin with: offsets looked up, and stored once for all members."""

import asyncio
from collections.abc import Collection, Mapping

from penstock.plugin import AtOffsets, AtTime, Edge, Start, TemporaryError
from penstock_kafka.groups.offsets import Member, Offsets
from penstock_kafka.groups.stored import Mark, Stored, beginnings
from penstock_kafka.topics import Topics

_PATIENCE = 20.0  # seconds
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.2  # seconds


class Beginnings:
    """Sees to it that each partition of a topic has a position before it is read.

    Args:
        topics: Tells offsets.
        offsets: Keeps positions.
        group_id: The Kafka group.
        topic: The topic.
        start: Where the member asked to begin.
    """

    def __init__(
        self, topics: Topics, offsets: Offsets, group_id: str, topic: str, start: Start
    ) -> None:
        self._topics = topics
        self._offsets = offsets
        self._group_id = group_id
        self._topic = topic
        self._start = start

    async def settle(self, member: Member, *, newcomer: bool) -> None:
        """Store where partitions begin that have no position; one member of a group does.

        Args:
            member: Who stores it.
            newcomer: The member has just joined, and nobody else is there.

        Raises:
            MembershipError: The generation is over: who settles in the next one does it.
            TemporaryError: Try again.
            PermanentError: The cluster refuses it.
        """
        count = await self._topics.partitions(self._topic)
        stored = await self._offsets.fetch(self._group_id, self._topic, count)
        positions: dict[int, Stored] = {}
        for one in beginnings(self._start, count, stored, newcomer=newcomer):
            offsets = await self._offsets_of(one.start, one.partitions)
            positions |= {at: Stored(offset, one.mark) for at, offset in offsets.items()}
        if positions:
            await self._offsets.commit(self._group_id, self._topic, positions, member)

    async def begin_anew(self, partitions: Collection[int], member: Member) -> None:
        """Have partitions read from their first record on, as far as they are there.

        Raises:
            TemporaryError, MembershipError: They could not be stored; nothing else is lost.
        """
        offsets = await self._topics.earliest(self._topic, partitions)
        positions = {at: Stored(offset, Mark.EDGE) for at, offset in offsets.items()}
        await self._offsets.commit(self._group_id, self._topic, positions, member)

    async def settled(self, partitions: int) -> dict[int, Stored]:
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
                return stored
            if loop.time() > deadline:
                raise TemporaryError(
                    f"group {self._group_id}: no member has settled where partitions of topic "
                    f"{self._topic} begin"
                )
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def _offsets_of(self, start: Start, partitions: Collection[int]) -> Mapping[int, int]:
        match start:
            case Edge.EARLIEST:
                return await self._topics.earliest(self._topic, partitions)
            case Edge.LATEST:
                return await self._topics.end_offsets(self._topic, partitions)
            case AtTime(timestamp_ms):
                return await self._topics.offsets_at(self._topic, timestamp_ms, partitions)
            case AtOffsets(offsets, otherwise):
                rest = [partition for partition in partitions if partition not in offsets]
                named = {partition: offsets[partition] for partition in {*partitions} - {*rest}}
                return {**await self._offsets_of(otherwise, rest), **named} if rest else named
