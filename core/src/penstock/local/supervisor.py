"""Keeps one process running: starts it again, after growing pauses, whenever it ends."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from time import monotonic

from penstock.backoff import Backoff
from penstock.local.output import Output
from penstock.local.process import Command, Process, describe_exit
from penstock.local.reaper import Reaper
from penstock.plugin import PenstockError

PROBE_SECONDS = 0.02
"""How often a process that starts is asked whether it is ready."""
PATIENCE = 5.0
"""Seconds after which a person is told that it is not."""
FIRST_PAUSE = 0.2
"""Seconds before a process that ended is started again, for the first time."""
STEADY = 10.0
"""Seconds of running after which a process counts as sound again."""


@dataclass(frozen=True, slots=True)
class Service:
    """A process to be kept running.

    Attributes:
        name: What events call it: `function "x"`.
        log_name: The name in front of its output.
        command: What to start.
        is_ready: Whether it is ready now.
        not_ready: What it has not done until then, as in `has not opened its port`.
        before_start: Called before each start.
        hopeless_exit: An exit code that tells of wrong settings, which no new start mends.
        warning: What a line of its output warns of, to be shown in its place among the events.
    """

    name: str
    log_name: str
    command: Command
    is_ready: Callable[[], Awaitable[bool]]
    not_ready: str
    before_start: Callable[[], None] = lambda: None
    hopeless_exit: int | None = None
    warning: Callable[[str], str | None] = lambda _: None


class StartFailed(PenstockError):
    """A process ended before it was ever ready, or says that it never will be."""


class Supervisor:
    """Keeps a service's process running from `run` to `stop`.

    Args:
        service: What to run.
        output: Told of each event, and of what the process writes.
        must_start: Whether the first process has to become ready; otherwise its end is followed
            by a new start, as that of any other.

    Attributes:
        ready: Set while the process is ready.
    """

    def __init__(self, service: Service, output: Output, *, must_start: bool) -> None:
        self.ready = asyncio.Event()
        self._service = service
        self._output = output
        self._must_start = must_start
        self._backoff = Backoff(FIRST_PAUSE)
        self._process: Process | None = None
        self._stopping = asyncio.Event()
        self._restarting = False
        self._hurry = asyncio.Event()
        self._allowed = asyncio.Event()
        self._allowed.set()

    async def run(self, reaper: Reaper) -> None:
        """Start the process, again and again, until it is stopped.

        Args:
            reaper: Told of each process.

        Raises:
            StartFailed: It ended before it was ever ready, though it must start; or with its
                hopeless exit code.
        """
        while await self._may_live():
            began = monotonic()
            ending = await self._live(reaper)
            if not (self._stopping.is_set() or self._restarting):
                if monotonic() - began >= STEADY:
                    self._backoff.reset()
                pause = self._backoff.pause()
                self._output.warning(f"{ending}; it starts again in {pause:g} s")
                self._hurry.clear()
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._hurry.wait()

    async def _may_live(self) -> bool:
        """Wait until a process may be started; whether one still is to be."""
        await self._allowed.wait()
        self._restarting = False
        return not self._stopping.is_set()

    def hurry(self) -> None:
        """End a pause, and let the next ones begin anew: what was wrong may be mended."""
        self._backoff.reset()
        self._hurry.set()

    async def restart(self, grace: float) -> None:
        """Start the process anew, now; the old one has `grace` seconds to end."""
        self._backoff.reset()
        self._restarting = True
        await self._end(grace)

    @asynccontextmanager
    async def paused(self, grace: float) -> AsyncIterator[None]:
        """End the process within `grace` seconds, and start it anew only behind the context."""
        self._backoff.reset()
        self._restarting = True
        self._allowed.clear()
        try:
            await self._end(grace)
            yield
        finally:
            self._allowed.set()

    async def stop(self, grace: float) -> None:
        """End the process within `grace` seconds, and start it no more."""
        self._stopping.set()
        self._allowed.set()
        await self._end(grace)

    def kill(self) -> None:
        """End the process at once, also one that is being stopped."""
        self._stopping.set()
        self._allowed.set()
        self._hurry.set()
        if self._process:
            self._process.kill()

    async def _end(self, grace: float) -> None:
        self._hurry.set()
        if self._process:
            await self._process.stop(grace)

    async def _live(self, reaper: Reaper) -> str:
        """One process from its start to its end; in words, how it ended."""
        service = self._service
        service.before_start()
        try:
            process = await Process.start(
                service.command,
                reaper,
                self._show,
            )
        except OSError as error:
            ending = f"{service.name} cannot be started: {error}"
            if self._must_start:
                raise StartFailed(ending) from error
            return ending
        self._process = process
        if self._stopping.is_set() or self._restarting:
            # Asked for while the process was being made.
            process.kill()
        probing = asyncio.create_task(self._probe())
        try:
            code = await process.wait()
        except asyncio.CancelledError:
            process.kill()
            await process.wait()
            raise
        finally:
            probing.cancel()
            self._process = None
            self.ready.clear()
        ending = f"{service.name} {describe_exit(code)}"
        hopeless = self._must_start or code == service.hopeless_exit
        if hopeless and not self._stopping.is_set():
            raise StartFailed(_early(ending, service.not_ready, list(process.last_lines)))
        return ending

    def _show(self, line: str) -> None:
        if warning := self._service.warning(line):
            self._output.warning(warning)
        else:
            self._output.log(self._service.log_name, line)

    async def _probe(self) -> None:
        """Notice that the process is ready, or tell a person that it is not."""
        service = self._service
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self._until_ready()
        if not self.ready.is_set():
            self._output.warning(
                f"{service.name} {service.not_ready} in {PATIENCE:g} s; still waiting for it"
            )
            await self._until_ready()

    async def _until_ready(self) -> None:
        while not await self._service.is_ready():  # noqa: ASYNC110 - another process cannot set an event
            await asyncio.sleep(PROBE_SECONDS)
        self._must_start = False
        self._output.event(f"{self._service.name} is ready")
        self.ready.set()


def _early(ending: str, not_ready: str, last_lines: list[str]) -> str:
    said = "".join(f"\n  {line}" for line in last_lines)
    return f"{ending} and {not_ready}" + (f"; its last lines:{said}" if said else "")
