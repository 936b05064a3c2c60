"""Between the engine and the world: each command becomes a task, the task's end an event."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from penstock.plugin import PermanentError, PubSub, Subscription, TemporaryError, UsageError
from penstock_sidecar.engine import Engine, Event, Settings, Usage, commands, events
from penstock_sidecar.function import FunctionHost
from penstock_sidecar.pump.acknowledger import Acknowledger
from penstock_sidecar.pump.caller import Caller
from penstock_sidecar.pump.input_reader import InputReader
from penstock_sidecar.pump.publisher import Publisher
from penstock_sidecar.pump.report import Report
from penstock_sidecar.pump.tasks import Tasks

_LOG = logging.getLogger(__name__)
_LAST_ACKS_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Source:
    """An input: its alias, and the membership that reads it.

    Attributes:
        done: Told of the last offsets that are done, by partition, as soon as they are; the ack
            of them is yet to come.
    """

    name: str
    subscription: Subscription
    done: Callable[[Mapping[int, int]], None] = lambda _: None


@dataclass(frozen=True, slots=True)
class Sink:
    """An output: its alias, and where it is published to."""

    name: str
    pubsub: PubSub
    topic: str


class Pump:
    """One run of an engine, from open subscriptions to a stop or to a failure.

    Nothing waits here without a bound: the engine grants every read and every frame, and has at
    most one of each under way for a partition, a call and an output.

    Args:
        settings: The processor.
        sources: Its inputs, in their order.
        sinks: Its outputs, in their order; then the dead letters, if there are any.
        host: The function's host, connected.
    """

    def __init__(
        self,
        settings: Settings,
        sources: Sequence[Source],
        sinks: Sequence[Sink],
        host: FunctionHost,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._engine = Engine(settings)
        self._end: asyncio.Future[None] = self._loop.create_future()
        self._timer: asyncio.TimerHandle | None = None
        self._stopping = False
        self._tasks = Tasks(self._fail)
        self._readers = [
            InputReader(number, source.name, source.subscription, self._tasks, self._tell)
            for number, source in enumerate(sources)
        ]
        self._acknowledgers = [
            Acknowledger(number, source.name, source.subscription, self._tasks, self._tell)
            for number, source in enumerate(sources)
        ]
        self._publishers = [
            Publisher(number, sink.name, sink.pubsub, sink.topic, self._tell)
            for number, sink in enumerate(sinks)
        ]
        self._caller = Caller(host, self._tasks, self._tell)
        self._sources = sources
        report = self._report = Report()
        self._carry_out: Mapping[type, Callable[[Any], object]] = {
            commands.Read: lambda command: self._readers[command.input].read(command),
            commands.OpenCall: lambda command: self._caller.open(command.call),
            commands.Feed: self._caller.feed,
            commands.FinishCall: lambda command: self._caller.finish(command.call),
            commands.AbandonCall: lambda command: self._caller.abandon(command.call),
            commands.ReadOutputs: lambda command: self._caller.read(command.call),
            commands.Publish: self._publish,
            commands.Ack: self._ack,
            commands.Release: lambda command: self._acks_of(command).release(command.partitions),
            commands.GiveUp: self._give_up,
            commands.WakeAt: self._wake_at,
            commands.FindHost: self._find_host,
            commands.Retried: report.retried,
            commands.Split: report.split,
            commands.SetAside: report.set_aside,
            commands.Lost: report.lost,
            commands.EndedEarly: report.ended_early,
            commands.Stopped: self._stopped,
            commands.Fail: self._failed,
            commands.Done: self._done,
        }

    @property
    def has_acked(self) -> bool:
        """Whether any input was done for good."""
        return any(one.has_acked for one in self._acknowledgers)

    @property
    def usage(self) -> Usage:
        """What is held now, and what was done."""
        return self._engine.usage

    async def run(self) -> None:
        """Go on until a stop is done with.

        Raises:
            TemporaryError: A membership or the function's host is lost: begin anew.
            PenstockError: A gateway refused for good.
        """
        for reader in self._readers:
            self._tasks.start(reader.follow())
        try:
            await self._end
        finally:
            await self._leave()

    def stop(self, grace: float, *, drain: bool = False) -> None:
        """Finish what can be finished within so many seconds, and end.

        Args:
            grace: Seconds.
            drain: Whether the function is still to get what was read, and what is in open windows.
        """
        self._stopping = not drain
        self._tell(events.StopRequested(grace, drain))
        self._hurry()

    def _tell(self, event: Event) -> None:
        if self._end.done():
            return
        for command in self._engine.handle(event, self._loop.time()):
            self._carry_out[type(command)](command)

    def _acks_of(self, command: commands.Ack | commands.Release) -> Acknowledger:
        return self._acknowledgers[command.input]

    def _ack(self, command: commands.Ack) -> None:
        self._sources[command.input].done(command.positions)
        self._acks_of(command).ack(command.positions)

    def _publish(self, command: commands.Publish) -> None:
        self._tasks.start(self._publishers[command.output].publish(command.messages))

    def _give_up(self, command: commands.GiveUp) -> None:
        self._acknowledgers[command.input].give_up(command.partitions)
        name, partitions = self._sources[command.input].name, sorted(command.partitions)
        _LOG.warning(
            "input %s: partitions %s were not done with in time: their next reader repeats what "
            "is not acked",
            name,
            ", ".join(map(str, partitions)),
            extra={"input": name, "partitions": partitions},
        )

    def _wake_at(self, command: commands.WakeAt) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = self._loop.call_at(command.time, self._tell, events.Woken())

    def _find_host(self, _command: commands.FindHost) -> None:
        self._caller.find_host()
        self._loop.call_soon(self._hurry)

    def _hurry(self) -> None:
        """Give up what only the function could finish: it is stopped as well, most likely."""
        if self._stopping and self._caller.host_is_away:
            self._tell(events.StopRequested(0.0))

    def _stopped(self, command: commands.Stopped) -> None:
        self._report.stopped(command, self._sources[command.input].name)
        self._caller.watch_host()

    def _failed(self, command: commands.Fail) -> None:
        error = command.error
        if command.where and not isinstance(error, TemporaryError | UsageError):
            error = PermanentError(f"{error}; not done: {command.where}")
            error.__cause__ = command.error
        self._fail(error)

    def _done(self, command: commands.Done) -> None:
        if command.given_up:
            _LOG.warning("not done in time, and to be repeated: %s", command.given_up)
        if not self._end.done():
            self._end.set_result(None)

    def _fail(self, error: BaseException) -> None:
        if not self._end.done():
            self._end.set_exception(error)

    async def _leave(self) -> None:
        """Store what is done, and give everything else up."""
        if self._timer:
            self._timer.cancel()
        acks = [task for one in self._acknowledgers if (task := one.finish())]
        await self._tasks.end(but=acks)
        self._caller.abandon_all()
        if acks:
            _, late = await asyncio.wait(acks, timeout=_LAST_ACKS_SECONDS)
            if late:
                _LOG.warning("the last acks were not answered: some inputs will be repeated")
        await self._tasks.end()
