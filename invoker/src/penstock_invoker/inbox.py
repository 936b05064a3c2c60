"""What has come and is not read yet: the inputs of one call, and when to take more of them."""

import asyncio
from collections import deque
from collections.abc import Callable

from penstock.wire.protocol.columns_pb2 import MessageColumns
from penstock_invoker.errors import CallCancelled

BUFFER_BYTES = 16 * 1024 * 1024
"""How much of a call's inputs waits for a function that is busy."""

_MESSAGE_BYTES = 256
"""What a message counts beside its payload."""

Give = Callable[[list[MessageColumns] | None], None]


class Inbox:
    """The inputs of one call. Everything here happens on the event loop.

    More is taken while there is room, and beyond it as long as the function waits for an input
    that has not come (it may be behind those of another), or the client takes no outputs: reading
    never waits for writing. A function that is merely busy holds the client back.

    Args:
        inputs: How many there are.
        on_change: Called when the function begins to wait for messages, and when it has them.
    """

    def __init__(self, inputs: int, on_change: Callable[[], None]) -> None:
        self.waiting = 0
        """How many are waiting in `take`."""
        self._on_change = on_change
        self._backlogs: list[list[MessageColumns]] = [[] for _ in range(inputs)]
        self._arrivals = [asyncio.Event() for _ in range(inputs)]
        self._takers: list[deque[Give]] = [deque() for _ in range(inputs)]
        self._buffered = 0
        self._stalled = False
        self._ended = False
        self._closed = False
        self._room = asyncio.Event()
        self._room.set()

    @property
    def inputs(self) -> int:
        """How many inputs there are."""
        return len(self._backlogs)

    async def room(self) -> None:
        """Wait until more may be put."""
        await self._room.wait()

    def put(self, index: int, columns: MessageColumns) -> None:
        """Add messages of one input."""
        self._backlogs[index].append(columns)
        self._buffered += _weight(columns)
        self._arrive(index)
        self._update_room()

    def end(self) -> None:
        """Say that no more will come."""
        self._ended = True
        self._wake()

    def close(self) -> None:
        """Give up: whoever waits for messages, now or later, is told that the call is over."""
        self._closed = True
        self._wake()

    def client_stalled(self, *, stalled: bool) -> None:
        """Note whether the client has stopped taking outputs."""
        self._stalled = stalled
        self._update_room()

    async def take(self, index: int) -> list[MessageColumns]:
        """Wait for messages of one input and take all that are there; none: the input has ended.

        Raises:
            CallCancelled: The call is over.
        """
        self._change_waiting(1)
        try:
            while not (self._backlogs[index] or self._ended or self._closed):
                self._arrivals[index].clear()
                await self._arrivals[index].wait()
        finally:
            self._change_waiting(-1)
        if self._closed:
            raise CallCancelled
        return self._pull(index)

    def hand_over(self, index: int, give: Give) -> None:
        """Give what `take` returns, as soon as it is there; ``None``: the call is over.

        For a thread, which would else be woken by way of a task of its own.
        """
        self._change_waiting(1)
        self._takers[index].append(give)
        self._serve(index)

    def _serve(self, index: int) -> None:
        takers = self._takers[index]
        while takers and (self._backlogs[index] or self._ended or self._closed):
            give = takers.popleft()
            self._change_waiting(-1)
            give(None if self._closed else self._pull(index))

    def _pull(self, index: int) -> list[MessageColumns]:
        taken, self._backlogs[index] = self._backlogs[index], []
        self._buffered -= sum(map(_weight, taken))
        self._update_room()
        return taken

    def _arrive(self, index: int) -> None:
        self._arrivals[index].set()
        self._serve(index)

    def _change_waiting(self, change: int) -> None:
        self.waiting += change
        self._on_change()
        self._update_room()

    def _update_room(self) -> None:
        if self._buffered < BUFFER_BYTES or self.waiting or self._stalled:
            self._room.set()
        else:
            self._room.clear()

    def _wake(self) -> None:
        for index in range(self.inputs):
            self._arrive(index)


def _weight(columns: MessageColumns) -> int:
    payloads = columns.payload
    return sum(map(len, payloads)) + _MESSAGE_BYTES * len(payloads)
