"""The calls that are open."""

from collections.abc import Callable

from penstock.plugin import PenstockError
from penstock_sidecar.engine import Event, events
from penstock_sidecar.engine.commands import Feed
from penstock_sidecar.function import FunctionCall, FunctionFailed, FunctionHost
from penstock_sidecar.pump.silence import Silence
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
        self._silences: dict[int, Silence] = {}

    def open(self, number: int) -> None:
        """Begin a call."""
        self._calls[number] = self._host.call()
        self._silences[number] = Silence()

    def feed(self, command: Feed) -> None:
        """Hand it messages."""
        self._tasks.start(self._feed(self._calls[command.call], command))

    def finish(self, number: int) -> None:
        """It has all its messages."""
        self._silences[number].finished()
        self._tasks.start(self._calls[number].finish())

    def read(self, number: int) -> None:
        """Wait for its outputs."""
        self._tasks.start(self._read(self._calls[number], number))

    def abandon(self, number: int) -> None:
        """End it at once."""
        self._forget(number).cancel()

    def abandon_all(self) -> None:
        """End every call that is open."""
        for number in list(self._calls):
            self.abandon(number)

    def _forget(self, number: int) -> FunctionCall:
        self._silences.pop(number).end()
        return self._calls.pop(number)

    def find_host(self) -> None:
        """Look for the function's host until it is there."""
        self._tasks.start(self._find_host())

    async def _find_host(self) -> None:
        await self._host.find()
        self._tell(events.HostFound())

    async def _feed(self, call: FunctionCall, command: Feed) -> None:
        silence = self._silences[command.call]
        silence.feeding(sum(len(part.messages) for part in command.parts))
        if await call.write(command.parts):
            silence.taken()
            self._tell(events.BatchTaken(command.call))

    async def _read(self, call: FunctionCall, number: int) -> None:
        try:
            outputs = await call.read()
        except PenstockError as error:
            if number in self._calls:
                self._forget(number)
            self._tell(_failed(number, error))
            return
        if outputs is None:
            if number in self._calls:
                self._forget(number)
            self._tell(events.CallEnded(number))
        else:
            if number in self._silences:
                self._silences[number].heard(outputs.inputs_done)
            self._tell(events.OutputsReceived(number, *outputs))


def _failed(number: int, error: PenstockError) -> events.CallFailed:
    if isinstance(error, FunctionFailed):
        return events.CallFailed(number, error, error.input, error.retryable)
    return events.CallFailed(number, error)
