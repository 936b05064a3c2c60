"""Acks of those who are no members of a group."""

import asyncio
from collections.abc import Mapping
from functools import partial

from penstock_kafka.groups.gathering import Gathering
from penstock_kafka.groups.offsets import Offsets
from penstock_kafka.groups.stored import Stored


class OutsiderAcks:
    """Commits for others, for one group and topic one commit at a time, in the order of asking.

    Args:
        offsets: Where the commits go.
    """

    def __init__(self, offsets: Offsets) -> None:
        self._offsets = offsets
        self._commits: dict[tuple[str, str], Gathering[Stored, None]] = {}

    async def commit(self, group_id: str, topic: str, positions: Mapping[int, Stored]) -> None:
        """Store positions; returns when they are stored.

        Raises:
            TemporaryError: Nothing is known to be stored.
            PermanentError: The cluster refuses it.
        """
        place = (group_id, topic)
        commits = self._commits.get(place)
        if commits is None:
            do = partial(self._offsets.commit_as_nobody, group_id, topic)
            commits = self._commits[place] = Gathering(do)
        try:
            await commits.ask(positions)
        finally:
            if commits.is_idle:
                self._commits.pop(place, None)

    async def close(self) -> None:
        """Give up what is on its way."""
        await asyncio.gather(*(commits.close() for commits in self._commits.values()))
