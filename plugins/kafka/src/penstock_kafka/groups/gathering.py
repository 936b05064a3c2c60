"""What is asked for while the same is being done: gathered, and then done in one go."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Generic, TypeVar

from penstock.plugin import TemporaryError

_ValueT = TypeVar("_ValueT")
_ResultT = TypeVar("_ResultT")


class Gathering(Generic[_ValueT, _ResultT]):
    """Does something for partitions, one go at a time, in the order of asking.

    Where a partition is asked for more than once in one go, the last value counts.

    Args:
        do: Does it; given values by partition.
    """

    def __init__(self, do: Callable[[Mapping[int, _ValueT]], Awaitable[_ResultT]]) -> None:
        self._do = do
        self._gathered: dict[int, _ValueT] = {}
        self._running: asyncio.Task[_ResultT] | None = None
        self._next: asyncio.Task[_ResultT] | None = None

    @property
    def is_idle(self) -> bool:
        """Whether nothing is being done, nor to be done."""
        return self._running is None and self._next is None

    async def ask(self, values: Mapping[int, _ValueT]) -> _ResultT:
        """Have it done, and return what came of the go that it was a part of.

        Raises:
            TemporaryError: It was given up by `close`.
        """
        self._gathered |= values
        if self._next is None:
            self._next = asyncio.create_task(self._go(self._running))
            # Everybody who asked may have given up: then nobody looks at how it went.
            self._next.add_done_callback(lambda done: done.cancelled() or done.exception())
        go, me = self._next, asyncio.current_task()
        try:
            # The go is that of everybody who has joined it: who gives up leaves it to the others.
            return await asyncio.shield(go)
        except asyncio.CancelledError:
            if go.cancelled() and me and not me.cancelling():
                raise TemporaryError("it was given up, because this end is being closed") from None
            raise

    async def close(self) -> None:
        """Give up what is being done."""
        tasks = [task for task in (self._next, self._running) if task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _go(self, before: asyncio.Task[_ResultT] | None) -> _ResultT:
        me = asyncio.current_task()
        try:
            if before:
                await asyncio.wait([before])
            self._running, self._next = self._next, None
            gathered, self._gathered = self._gathered, {}
            return await self._do(gathered)
        finally:
            if self._running is me:
                self._running = None
            if self._next is me:
                self._next = None
                self._gathered = {}
