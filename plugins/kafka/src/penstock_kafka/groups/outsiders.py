"""Acks of those who are no members of a group: gathered while one is on its way."""

import asyncio
from collections.abc import Mapping
from typing import NamedTuple

from penstock_kafka.groups.offsets import Offsets
from penstock_kafka.groups.stored import Stored


class _Key(NamedTuple):
    group_id: str
    topic: str


class OutsiderAcks:
    """Commits for others, for one group and topic one commit at a time, in the order of asking.

    Args:
        offsets: Where the commits go.
    """

    def __init__(self, offsets: Offsets) -> None:
        self._offsets = offsets
        self._gathering: dict[_Key, dict[int, Stored]] = {}
        self._commits: dict[_Key, asyncio.Task[None]] = {}
        self._running: set[asyncio.Task[None]] = set()

    async def commit(self, group_id: str, topic: str, positions: Mapping[int, Stored]) -> None:
        """Store positions; returns when they are stored.

        Raises:
            TemporaryError: Nothing is known to be stored.
            PermanentError: The cluster refuses it.
        """
        key = _Key(group_id, topic)
        if (gathering := self._gathering.get(key)) is None:
            gathering = self._gathering[key] = {}
            before = self._commits.get(key)
            commit = self._commits[key] = asyncio.create_task(self._commit_next(key, before))
            self._running.add(commit)
            commit.add_done_callback(self._done)
        gathering |= positions
        # The commit is that of everybody who has joined it: who gives up leaves it to the others.
        await asyncio.shield(self._commits[key])

    async def close(self) -> None:
        """Give up what is on its way."""
        running = tuple(self._running)
        for commit in running:
            commit.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _commit_next(self, key: _Key, before: asyncio.Task[None] | None) -> None:
        try:
            if before:
                await asyncio.wait({before})
            await self._offsets.commit_as_nobody(*key, self._gathering.pop(key))
        finally:
            if self._commits.get(key) is asyncio.current_task():
                del self._commits[key]
                self._gathering.pop(key, None)

    def _done(self, commit: asyncio.Task[None]) -> None:
        self._running.discard(commit)
        if not commit.cancelled():
            # Everybody who asked may have given up: then nobody looks at how it went.
            commit.exception()
