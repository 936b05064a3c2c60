"""What is still to be looked at: each key once, never two times at once."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, Self, TypeVar

from penstock.backoff import Backoff

Item = TypeVar("Item", bound=Hashable)

_LOG = logging.getLogger(__name__)

_FIRST_PAUSE = 0.25  # seconds
_LONGEST_PAUSE = 60.0  # seconds


class WorkQueue(Generic[Item]):
    """Hands items to workers, from `async with` on until that is left.

    What is added again while it is worked on is worked on once more.

    Args:
        work: Does one; returns whether it went well. What did not is tried again, with pauses
            that grow.
        workers: How many are worked on side by side.
    """

    def __init__(self, work: Callable[[Item], Awaitable[bool]], workers: int = 8) -> None:
        self._work = work
        self._workers = workers
        # A dict keeps the order.
        self._waiting: dict[Item, None] = {}
        self._busy: set[Item] = set()
        self._again: set[Item] = set()
        self._backoffs: dict[Item, Backoff] = {}
        self._timers: dict[Item, asyncio.TimerHandle] = {}
        self._added = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def add(self, item: Item) -> None:
        """Have an item looked at."""
        if timer := self._timers.pop(item, None):
            timer.cancel()
        if item in self._busy:
            self._again.add(item)
        else:
            self._waiting[item] = None
            self._added.set()

    async def __aenter__(self) -> Self:
        # They are there at once: kopf waits, at its end, for every task that is younger than it.
        self._tasks = [asyncio.create_task(self._run_one()) for _ in range(self._workers)]
        return self

    async def __aexit__(self, *_: object) -> None:
        for timer in self._timers.values():
            timer.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _run_one(self) -> None:
        while True:
            while not self._waiting:
                self._added.clear()
                await self._added.wait()
            item = next(iter(self._waiting))
            del self._waiting[item]
            self._busy.add(item)
            try:
                well = await self._work(item)
            # One that nobody expected must not end the work on all others.
            except Exception:  # noqa: BLE001
                _LOG.exception("working on %s failed", item)
                well = False
            finally:
                self._busy.discard(item)
            self._settle(item, well=well)

    def _settle(self, item: Item, *, well: bool) -> None:
        if well:
            self._backoffs.pop(item, None)
        if item in self._again:
            self._again.discard(item)
            self.add(item)
        elif not well:
            backoff = self._backoffs.setdefault(item, Backoff(_FIRST_PAUSE, _LONGEST_PAUSE))
            loop = asyncio.get_running_loop()
            self._timers[item] = loop.call_later(backoff.pause(), self.add, item)
