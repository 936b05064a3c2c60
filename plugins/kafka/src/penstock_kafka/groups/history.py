"""What a group has acked so far, in any of its versions."""

import asyncio
from collections.abc import Mapping

from penstock_kafka.groups.offsets import Offsets
from penstock_kafka.groups.stored import Stored, highest_acked
from penstock_kafka.groups.versions import Versions


class History:
    """Remembers the positions of all versions of a group in a topic.

    What is stored through this process is known at once, the rest as of the last `refresh`.

    Args:
        versions: The groups that there are.
        offsets: The positions that the brokers keep.
        topic: The topic.
        name: The group's name, without a version.
    """

    def __init__(self, versions: Versions, offsets: Offsets, topic: str, name: str) -> None:
        self._versions = versions
        self._offsets = offsets
        self._topic = topic
        self._name = name
        self._refreshed = float("-inf")
        self._turn = asyncio.Lock()
        self._positions: dict[str, dict[int, Stored]] = {}
        self._highest: dict[int, int] = {}

    async def refresh(self, partitions: int, max_age: float = 0.0) -> None:
        """Ask the brokers, unless somebody has done so a moment ago.

        Args:
            partitions: How many the topic has.
            max_age: How many seconds ago that may be.

        Raises:
            TemporaryError: Try again.
            PermanentError: The cluster refuses it.
        """
        now = asyncio.get_running_loop().time
        oldest = now() - max_age
        async with self._turn:
            if self._refreshed > oldest:
                return
            began = now()
            groups = (await self._versions.of(self._name, max_age)).values()
            found = await asyncio.gather(
                *(self._offsets.fetch(group_id, self._topic, partitions) for group_id in groups)
            )
            self._positions = dict(zip(groups, found, strict=True))
            self._highest = highest_acked(found)
            self._refreshed = began

    def note(self, group_id: str, positions: Mapping[int, Stored]) -> None:
        """These have been stored for a version of the group."""
        self._positions.setdefault(group_id, {}).update(positions)
        self._highest = highest_acked(self._positions.values())

    def highest(self, partition: int) -> int:
        """The last record of a partition that any version has acked, or -1."""
        return self._highest.get(partition, -1)
