"""The calls that are open."""

import asyncio
from collections.abc import Callable

from penstock.plugin import NotReady, PenstockError
from penstock_sidecar.engine import Event, events
from penstock_sidecar.engine.commands import Feed
from penstock_sidecar.function import FunctionCall, FunctionFailed, FunctionHost
from penstock_sidecar.pump.tasks import Tasks


class Caller:
    """Makes calls of the function.

    Args:
        host: What calls it.
        tasks: Where reads and writes run.
        tell: The engine's ear.
    """

    def __init__(self, host: FunctionHost, tasks: Tasks, tell: Callable[[Event], None]) -> None:
        self._host = host
        self._tasks = tasks
        self._tell = tell
        self._calls: dict[int, FunctionCall] = {}
        self._watch: asyncio.Task[None] | None = None
        self.host_is_away = False
        """Whether the host is being looked for."""

    def open(self, number: int) -> None:
        """Begin a call."""
        self._calls[number] = self._host.call()

    def feed(self, command: Feed) -> None:
        """Hand it messages."""
        self._tasks.start(self._feed(self._calls[command.call], command))

    def finish(self, number: int) -> None:
        """It has all its messages."""
        self._tasks.start(self._calls[number].finish())

    def read(self, number: int) -> None:
        """Wait for its outputs."""
        self._tasks.start(self._read(self._calls[number], number))

    def abandon(self, number: int) -> None:
        """End it at once."""
        self._calls.pop(number).cancel()

    def abandon_all(self) -> None:
        """End every call that is open."""
        for number in list(self._calls):
            self.abandon(number)

    def find_host(self) -> None:
        """Look for the function's host until it is there."""
        self.host_is_away = True
        self._tasks.start(self._find_host())

    def watch_host(self) -> None:
        """Begin anew once the host goes away: another one may do better.

        A call that is open tells so as well; where all that is left has stopped, there is none.
        """
        if self._watch is None:
            self._watch = self._tasks.start(self._watch_host())

    async def _watch_host(self) -> None:
        await self._host.gone()
        raise NotReady("the function went away, and may do better once it is there again")

    async def _find_host(self) -> None:
        await self._host.find()
        self.host_is_away = False
        self._tell(events.HostFound())

    async def _feed(self, call: FunctionCall, command: Feed) -> None:
        if await call.write(command.parts):
            self._tell(events.BatchTaken(command.call))

    async def _read(self, call: FunctionCall, number: int) -> None:
        try:
            outputs = await call.read()
        except PenstockError as error:
            self._calls.pop(number, None)
            self._tell(_failed(number, error))
            return
        if outputs is None:
            self._calls.pop(number, None)
            self._tell(events.CallEnded(number))
        else:
            self._tell(events.OutputsReceived(number, *outputs))


def _failed(number: int, error: PenstockError) -> events.CallFailed:
    if isinstance(error, FunctionFailed):
        return events.CallFailed(number, error, error.input, error.retryable)
    return events.CallFailed(number, error)
