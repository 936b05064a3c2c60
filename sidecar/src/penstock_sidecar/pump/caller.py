"""The calls that are open."""

from collections.abc import Callable

from penstock.plugin import PenstockError
from penstock_sidecar.engine import Event, events
from penstock_sidecar.engine.commands import Feed
from penstock_sidecar.function import FunctionCall, FunctionHost
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

    async def _feed(self, call: FunctionCall, command: Feed) -> None:
        if await call.write(command.parts):
            self._tell(events.BatchTaken(command.call))

    async def _read(self, call: FunctionCall, number: int) -> None:
        try:
            outputs = await call.read()
        except PenstockError as error:
            self._calls.pop(number, None)
            self._tell(events.CallFailed(number, error))
            return
        if outputs is None:
            self._calls.pop(number, None)
            self._tell(events.CallEnded(number))
        else:
            self._tell(events.OutputsReceived(number, *outputs))
