"""What is under way at a time, and the one place where a task's failure is seen."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Any


class Tasks:
    """Runs coroutines; the first failure of any of them is told, the others go on.

    Args:
        failed: Told of a failure, with what was raised.
    """

    def __init__(self, failed: Callable[[BaseException], None]) -> None:
        self._failed = failed
        self._running: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Begin something that ends by itself, or with `end`."""
        task = asyncio.create_task(work)
        self._running.add(task)
        task.add_done_callback(self._ended)
        return task

    async def end(self, *, but: Iterable[asyncio.Task[None]] = ()) -> None:
        """Cancel what is running, and wait until it has stopped."""
        ending = self._running.difference(but)
        for task in ending:
            task.cancel()
        if ending:
            await asyncio.wait(ending)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self._failed(error)
