"""Runs an asynchronous function: in a task on the event loop."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Coroutine, Iterable
from functools import partial
from typing import Any

from penstock_invoker.arguments import Envelope
from penstock_invoker.inputs import AsyncInput
from penstock_invoker.outbox import CAPACITY
from penstock_invoker.runner import Runner
from penstock_invoker.streams import covered, gives_one, streams_of


class TaskRunner(Runner):
    """One task for each call, and one more for each further stream that the function gives."""

    def start(self) -> None:
        """See `Runner`."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._spawn(self._call() if self._function.takes_streams else self._apply())

    def cancel(self) -> None:
        """See `Runner`."""
        for task in self._tasks:
            task.cancel()

    async def ended(self) -> None:
        """See `Runner`; the function's own `finally` blocks have run."""
        await asyncio.wait(self._tasks)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.add(asyncio.create_task(self._run(work), name=self._function.name))
        self._outbox.begin()

    async def _run(self, work: Coroutine[Any, Any, None]) -> None:
        error: BaseException | None = None
        try:
            await work
        # Whatever a function raises, sys.exit() included, ends its call and nothing else; and so
        # does the cancellation of the call itself.
        except BaseException as caught:  # noqa: BLE001
            error = caught
        self._outbox.end(error, self._current_input)

    async def _apply(self) -> None:
        """Apply a function of values to each message."""
        function, argument, outbox = self._function, self._arguments[0], self._outbox
        origin = 0
        while frames := await self._inbox.take(0):
            for columns in frames:
                values, envelopes, error = argument.read(columns)
                for value, envelope in zip(values, envelopes, strict=False):
                    result = function.call(value)
                    if function.coroutine:
                        result = await result
                    if gives_one(function, result):
                        await self._put(origin, 0, covered(result, envelope))
                    else:
                        for index, stream in enumerate(streams_of(function, result)):
                            await self._drain(stream, origin, index, envelope)
                    origin += 1
                    outbox.inputs_done = origin
                if error:
                    raise error
                # A function that never waits leaves the others their turn.
                outbox.wake()
                await asyncio.sleep(0)

    async def _call(self) -> None:
        """Call a function of streams."""
        result = self._function.call(
            *(
                AsyncInput(argument, self._outbox.fail, partial(self._inbox.take, index))
                for index, argument in self._in_order()
            )
        )
        if self._function.coroutine:
            result = await result
        first, *others = streams_of(self._function, result) or [()]
        for index, stream in enumerate(others, 1):
            self._spawn(self._drain(stream, 0, index))
        await self._drain(first, 0, 0)

    async def _drain(
        self,
        stream: AsyncIterable[Any] | Iterable[Any],
        origin: int,
        output: int,
        envelope: Envelope | None = None,
    ) -> None:
        if not isinstance(stream, AsyncIterable):
            for value in stream:
                await self._put(origin, output, covered(value, envelope))
            return
        try:
            async for value in stream:
                await self._put(origin, output, covered(value, envelope))
        finally:
            # A generator that is left in the middle runs its own `finally` here and now.
            if isinstance(stream, AsyncGenerator):
                await stream.aclose()

    async def _put(self, origin: int, output: int, value: Any) -> None:
        outbox = self._outbox
        if value is not None:
            outbox.items.append((origin, output, value))
            outbox.wake()
            if len(outbox.items) >= CAPACITY:
                await outbox.room()
