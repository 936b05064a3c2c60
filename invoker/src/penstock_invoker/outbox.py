"""What the function has given and is not sent yet: the outputs of one call."""

import asyncio
from contextlib import suppress
from typing import Any

from penstock_invoker.errors import CallCancelled, FunctionExited, InputFailed

CAPACITY = 1000
"""How many outputs wait to be sent before the function is held up."""

_STOPS = (StopIteration, StopAsyncIteration)

Item = tuple[int, int, Any]
"""The input that an output came from, counted from 0 (for a one-value function; else 0); the
output it is for, where the value does not say; the value, which may be an `Output` or a `Message`.
"""


class Outbox:
    """The outputs of one call, in the order in which they were given.

    The function's threads write `items` and `inputs_done`, the event loop reads them: the list
    only grows at its end there and shrinks at its beginning here, and an input counts as done
    after its last output is in the list.
    """

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.inputs_done = 0
        """How many inputs of a one-value function are done, from the first on."""
        self.running = 0
        """How many threads or tasks may still give something."""
        self.closed = False
        """Whether the call is over, and whatever is given goes nowhere."""
        self.error: Exception | None = None
        """Why the call is to fail; the first reason counts."""
        self._woken = asyncio.Event()
        self._room = asyncio.Event()

    @property
    def is_complete(self) -> bool:
        """Whether nothing more is to be sent than what is there."""
        return self.error is not None or not self.running

    def wake(self) -> None:
        """Say that there is something to send."""
        self._woken.set()

    def begin(self) -> None:
        """Count a thread or task that gives outputs."""
        self.running += 1

    def end(self, error: BaseException | None = None, failed_input: int | None = None) -> None:
        """Count one that has ended, and why if it failed, as in `fail`."""
        self.running -= 1
        if error is not None:
            self.fail(error, failed_input)
        self.wake()

    def fail(self, error: BaseException, failed_input: int | None = None) -> None:
        """End the call with this error, behind what is there already.

        Args:
            error: Why.
            failed_input: The input that failed, all before it being done; ``None``: it is not
                that of one input, or nobody knows of which.
        """
        if self.error is None:
            if not isinstance(error, Exception) or isinstance(error, _STOPS):
                error = FunctionExited(error)
            self.error = error if failed_input is None else InputFailed(failed_input, error)
        self.wake()

    def close(self) -> None:
        """Let go of whoever waits for room."""
        self.closed = True
        self._room.set()

    async def room(self) -> None:
        """Wait until there is room for more.

        Raises:
            CallCancelled: The call is over.
        """
        self.wake()
        while len(self.items) >= CAPACITY and not self.closed:
            self._room.clear()
            await self._room.wait()
        if self.closed:
            raise CallCancelled

    async def wait(self, timeout: float | None) -> None:
        """Wait until there is something to send, or so many seconds to look for it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._woken.wait()
        self._woken.clear()

    def drain(self) -> list[Item]:
        """Take what is there."""
        count = len(self.items)
        taken = self.items[:count]
        del self.items[:count]
        self._room.set()
        return taken
