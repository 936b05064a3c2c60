"""A member of a group: what it holds, and what it has not been told yet."""

import asyncio
from collections import deque
from collections.abc import Collection, Mapping, Sequence

from penstock.plugin import (
    Assigned,
    Record,
    Revoked,
    SubscriptionEvent,
    TemporaryError,
    is_unheard_of,
)
from penstock_inmemory.reader import Reader


class Member:
    """Stands between the group, which assigns and revokes, and the host, which waits and reads."""

    def __init__(self) -> None:
        self._readers: dict[int, Reader] = {}
        self._events: deque[SubscriptionEvent] = deque()
        self._wake = asyncio.Event()
        self._given_up: set[int] = set()
        self._lost = ""

    def assign(self, readers: Mapping[int, Reader]) -> None:
        """Give it partitions to read."""
        self._readers.update(readers)
        self._tell(Assigned(frozenset(readers)))

    def revoke(self, partitions: Collection[int], grace: float) -> None:
        """End its reading of partitions, which it has to release within the grace, in seconds."""
        for partition in partitions:
            self._readers.pop(partition).end()
        self._given_up.update(partitions)
        self._tell(Revoked(frozenset(partitions), grace))

    def lose(self, reason: str) -> None:
        """End its membership."""
        for reader in self._readers.values():
            reader.end()
        self._events.clear()
        self._lost = reason
        self._wake.set()

    async def next_event(self) -> SubscriptionEvent:
        """What `Subscription.next_event` promises."""
        while not self._events:
            if self._lost:
                raise TemporaryError(self._lost)
            self._wake.clear()
            await self._wake.wait()
        return self._events.popleft()

    async def read(self, partition: int, max_records: int, max_bytes: int) -> Sequence[Record]:
        """What `Subscription.read` promises."""
        # Only of what it had before could it mistake new records for those that follow.
        if partition in self._given_up and is_unheard_of(partition, self._events):
            return []
        reader = self._readers.get(partition)
        return await reader.read(max_records, max_bytes) if reader else []

    def _tell(self, event: SubscriptionEvent) -> None:
        self._events.append(event)
        self._wake.set()
