"""What happens to a subscription, in order, and how it ended."""

import asyncio
from collections import deque

from penstock.plugin import (
    PenstockError,
    SubscriptionEvent,
    TemporaryError,
    is_unheard_of,
)


class Events:
    """Assignments and revocations until the end; those before it are still to be had then."""

    def __init__(self) -> None:
        self._events: deque[SubscriptionEvent] = deque()
        self._failure: PenstockError | None = None
        self._news = asyncio.Event()

    def put(self, event: SubscriptionEvent) -> None:
        """Add what happened."""
        self._events.append(event)
        self._news.set()

    def hides(self, partition: int) -> bool:
        """Whether a partition must not be read yet: what became of it is still to be told."""
        return is_unheard_of(partition, self._events)

    @property
    def failure(self) -> PenstockError | None:
        """Why it ended; ``None`` while it goes on."""
        return self._failure

    def end(self, failure: PenstockError) -> bool:
        """Nothing more will happen; false when that was known already."""
        if self._failure:
            return False
        self._failure = failure
        self._news.set()
        return True

    async def next(self) -> SubscriptionEvent:
        """Wait for the next event; it is not lost when this is cancelled.

        Raises:
            TemporaryError: The membership is lost, for this reason.
        """
        await self._news.wait()
        if not self._events:
            self.raise_for_end()
        event = self._events.popleft()
        if not self._events and not self._failure:
            self._news.clear()
        return event

    def raise_for_end(self) -> None:
        """Raise why it ended, if it did.

        Raises:
            TemporaryError: Whatever the reason: who subscribes anew is told whether that lasts.
        """
        if self._failure:
            raise TemporaryError(str(self._failure)) from self._failure
