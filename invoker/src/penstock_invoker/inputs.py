"""The iterators that a function of streams gets: one for each of its inputs."""

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

from penstock.wire.protocol.columns_pb2 import MessageColumns
from penstock_invoker.arguments import Argument


class _Frames:
    """Frames of one input, read one after the other.

    Args:
        argument: What reads them.
        fail: Ends the call: a message that cannot be read is not the function's to forgive.
    """

    def __init__(self, argument: Argument, fail: Callable[[Exception], None]) -> None:
        self._argument = argument
        self._fail = fail
        self._frames: deque[MessageColumns] = deque()
        self._values: Iterator[Any] = iter(())
        self._error: Exception | None = None

    def _advance(self) -> bool:
        """Go on to the values of the next frame; `False`: no frame is here."""
        if self._error:
            self._fail(self._error)
            raise self._error
        if not self._frames:
            return False
        values, _, self._error = self._argument.read(self._frames.popleft())
        self._values = iter(values)
        return True


class BlockingInput(_Frames, Iterator[Any]):
    """For a function in a thread.

    Args:
        argument: What reads the messages.
        fail: As in `_Frames`.
        take: Blocks until there are frames; none: the input has ended.
    """

    def __init__(
        self,
        argument: Argument,
        fail: Callable[[Exception], None],
        take: Callable[[], list[MessageColumns]],
    ) -> None:
        super().__init__(argument, fail)
        self._take = take

    def __next__(self) -> Any:
        while True:
            for value in self._values:
                return value
            if not self._advance():
                self._frames.extend(self._take())
                if not self._frames:
                    raise StopIteration


class AsyncInput(_Frames, AsyncIterator[Any]):
    """For a function on the event loop; the arguments as in `BlockingInput`."""

    def __init__(
        self,
        argument: Argument,
        fail: Callable[[Exception], None],
        take: Callable[[], Awaitable[list[MessageColumns]]],
    ) -> None:
        super().__init__(argument, fail)
        self._take = take

    async def __anext__(self) -> Any:
        while True:
            for value in self._values:
                return value
            if not self._advance():
                self._frames.extend(await self._take())
                if not self._frames:
                    raise StopAsyncIteration
