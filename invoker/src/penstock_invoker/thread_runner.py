"""Runs a function that may block: in a thread, which the event loop never waits for."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Generator, Iterable
from concurrent.futures import CancelledError
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import Any, TypeVar

from penstock.wire.protocol.columns_pb2 import MessageColumns
from penstock_invoker.arguments import Envelope
from penstock_invoker.errors import CallCancelled
from penstock_invoker.inputs import BlockingInput
from penstock_invoker.outbox import CAPACITY
from penstock_invoker.runner import Runner
from penstock_invoker.streams import covered, gives_one, streams_of

Result = TypeVar("Result")

FLUSH_SECONDS = 0.02
"""How long an output waits at most while its function is busy.

A function that asks for more input, or ends, has its outputs sent at once. Nothing else is said
between threads: a word for each output would cost more than the output.
"""


class ThreadRunner(Runner):
    """One thread for each call, and one more for each further stream that the function gives.

    A thread cannot be stopped from outside. One whose call is over ends when its function next
    takes an input or gives an output; at the end of the process it ends in any case.
    """

    def start(self) -> None:
        """See `Runner`."""
        self._loop = asyncio.get_running_loop()
        self._spawn(self._call if self._function.takes_streams else self._apply)

    def cancel(self) -> None:
        """See `Runner`; a thread finds the inbox or the outbox closed."""

    async def ended(self) -> None:
        """See `Runner`; nobody knows how long a function blocks."""

    @property
    def flush_seconds(self) -> float | None:
        """See `Runner`; who waits for input has given what there is."""
        return FLUSH_SECONDS if self._inbox.waiting < self._outbox.running else None

    def _spawn(self, work: Callable[[], None]) -> None:
        thread = threading.Thread(
            target=self._run, args=(work,), name=self._function.name, daemon=True
        )
        thread.start()
        self._outbox.begin()

    def _run(self, work: Callable[[], None]) -> None:
        error: BaseException | None = None
        try:
            work()
        # Whatever a function raises, sys.exit() included, ends its call and nothing else.
        except BaseException as caught:  # noqa: BLE001
            error = caught
        with suppress(RuntimeError):  # the event loop is closed
            self._loop.call_soon_threadsafe(self._outbox.end, error, self._current_input)

    def _apply(self) -> None:
        """Apply a function of values to each message."""
        function, argument, outbox = self._function, self._arguments[0], self._outbox
        origin = 0
        while frames := self._take(0):
            for columns in frames:
                values, envelopes, error = argument.read(columns)
                for value, envelope in zip(values, envelopes, strict=False):
                    if outbox.closed:
                        raise CallCancelled
                    result = function.call(value)
                    if gives_one(function, result):
                        self._put(origin, 0, covered(result, envelope))
                    else:
                        for index, stream in enumerate(streams_of(function, result)):
                            self._drain(stream, origin, index, envelope)
                    origin += 1
                    outbox.inputs_done = origin
                if error:
                    raise error

    def _call(self) -> None:
        """Call a function of streams."""
        inputs = [
            BlockingInput(argument, self._fail, partial(self._take, index))
            for index, argument in self._in_order()
        ]
        first, *others = streams_of(self._function, self._function.call(*inputs)) or [()]
        for index, stream in enumerate(others, 1):
            drain = partial(self._drain, stream, 0, index)
            self._loop.call_soon_threadsafe(self._spawn, drain)
        self._drain(first, 0, 0)

    def _drain(
        self, stream: Iterable[Any], origin: int, output: int, envelope: Envelope | None = None
    ) -> None:
        try:
            for value in stream:
                self._put(origin, output, covered(value, envelope))
        finally:
            # A generator that is left in the middle runs its own `finally` here and now.
            if isinstance(stream, Generator):
                stream.close()

    def _put(self, origin: int, output: int, value: Any) -> None:
        outbox = self._outbox
        if outbox.closed:
            raise CallCancelled
        if value is not None:
            outbox.items.append((origin, output, value))
            if len(outbox.items) >= CAPACITY:
                self._wait(outbox.room())

    def _take(self, index: int) -> list[MessageColumns]:
        handed: SimpleQueue[list[MessageColumns] | None] = SimpleQueue()
        try:
            self._loop.call_soon_threadsafe(self._inbox.hand_over, index, handed.put)
        except RuntimeError:  # the event loop is closed: the process ends
            raise CallCancelled from None
        frames = handed.get()
        if frames is None:
            raise CallCancelled
        return frames

    def _fail(self, error: Exception) -> None:
        self._loop.call_soon_threadsafe(self._outbox.fail, error)

    def _wait(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Have the event loop do something, and wait for it."""
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop).result()
        except (CancelledError, RuntimeError):  # the process ends
            work.close()
            raise CallCancelled from None
