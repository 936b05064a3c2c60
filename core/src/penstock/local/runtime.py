"""`penstock run`: gateways in this process, functions and sidecars as processes of their own."""

import asyncio
import os
import signal
from collections.abc import Coroutine, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from time import monotonic

from penstock.local.function import function_service
from penstock.local.gateways import Key, LocalGateways
from penstock.local.output import Output
from penstock.local.ports import free_ports
from penstock.local.reaper import Reaper
from penstock.local.reload import Snapshot, changes, take_snapshot
from penstock.local.sidecar import GRACE_SECONDS, check_sidecar_installed, sidecar_service
from penstock.local.state import Run, RunningStream, RunState, state_folder
from penstock.local.summary import display_name, summarize
from penstock.local.supervisor import Service, Supervisor
from penstock.plugin import Plugins
from penstock.resources.manifest import Manifests
from penstock.resources.models import Processor
from penstock.workload import StreamBinding

KILL_SECONDS = GRACE_SECONDS + 2
"""When a process that was asked to end is killed."""


@dataclass(frozen=True, slots=True)
class _Plan:
    """A processor that can be run here, before anything of it is started."""

    processor: Processor
    name: str
    port: int
    function: Service


class Runtime:
    """One run of some manifests, until it is interrupted.

    Args:
        manifests: What to run; checked for the local runtime, and without errors.
        plugins: What its gateways are made by.
        output: Told of everything that happens.
        reload: Whether a function whose files change is started anew; then also one that fails
            at first is started again.
        started: When the person's command began, as `time.monotonic`.
    """

    def __init__(
        self,
        manifests: Manifests,
        plugins: Plugins,
        output: Output,
        *,
        reload: bool,
        started: float,
    ) -> None:
        self._manifests = manifests
        self._plugins = plugins
        self._output = output
        self._reload = reload
        self._started = started
        self._stop = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._functions: list[Supervisor] = []
        self._sidecars: list[Supervisor] = []

    async def run(self) -> None:
        """Run until SIGINT or SIGTERM, and stop in order; a second signal kills what is left.

        Raises:
            UsageError: Something of the manifests cannot be run here, or another run goes on.
            PenstockError: A gateway refused a stream, or a function failed before it was ready.
        """
        plans = self._plan()
        loop = asyncio.get_running_loop()
        with RunState.claim(state_folder()) as state, Reaper() as reaper:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, self._interrupt)
            async with AsyncExitStack() as gateways:
                starting = self._spawn(self._start(plans, state, reaper, gateways))
                await self._stop.wait()
                starting.cancel()
                await asyncio.wait({starting})
                await self._stop_processes()
        self._output.event("stopped")
        for task in self._tasks:
            if not task.cancelled() and (error := task.exception()):
                raise error

    def _interrupt(self) -> None:
        if self._stop.is_set():
            for supervisor in (*self._sidecars, *self._functions):
                supervisor.kill()
        else:
            self._output.event("stopping; Ctrl-C once more does not wait")
            self._stop.set()

    async def _stop_processes(self) -> None:
        """Sidecars first: they settle what they hold while functions and gateways are there."""
        for group in (self._sidecars, self._functions):
            await asyncio.gather(*[supervisor.stop(KILL_SECONDS) for supervisor in group])
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Do something beside; when it fails, everything stops, and `run` raises its error."""
        task = asyncio.create_task(work)
        task.add_done_callback(self._check)
        self._tasks.append(task)
        return task

    def _check(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and task.exception():
            self._stop.set()

    def _plan(self) -> list[_Plan]:
        """Find out what cannot be run before anything is started."""
        processors = self._manifests.processors
        if processors:
            check_sidecar_installed()
        plans = []
        for processor, port in zip(processors, free_ports(len(processors)), strict=True):
            name = display_name(processor.metadata)
            plans.append(_Plan(processor, name, port, function_service(processor, name, port)))
        return plans

    async def _start(
        self, plans: list[_Plan], state: RunState, reaper: Reaper, stack: AsyncExitStack
    ) -> None:
        gateways = LocalGateways(self._plugins, stack, self._output)
        for gateway in self._manifests.gateways:
            await gateways.open(gateway)
        bindings = {
            (stream.metadata.namespace, stream.metadata.name): await gateways.provision(stream)
            for stream in self._manifests.streams
        }
        streams = tuple(
            RunningStream(*key, one.gateway, one.topic, one.content_type)
            for key, one in bindings.items()
        )
        run = Run(os.getpid(), streams=streams)
        state.describe(run)
        for plan in plans:
            self._start_processor(plan, bindings, state, reaper)
        for supervisor in (*self._functions, *self._sidecars):
            await supervisor.ready.wait()
        state.describe(replace(run, ready=True))
        self._output.event(summarize(streams, self._manifests.processors))
        self._output.event(f"ready in {monotonic() - self._started:.1f} s; Ctrl-C stops")

    def _start_processor(
        self,
        plan: _Plan,
        bindings: Mapping[Key, StreamBinding],
        state: RunState,
        reaper: Reaper,
    ) -> None:
        metadata = plan.processor.metadata
        function = Supervisor(plan.function, reaper, self._output, must_start=not self._reload)
        service = sidecar_service(
            plan.processor,
            plan.name,
            {name: one for (space, name), one in bindings.items() if space == metadata.namespace},
            plan.port,
            state.work / f"{metadata.namespace}.{metadata.name}",
        )
        sidecar = Supervisor(service, reaper, self._output, must_start=False)
        if self._reload:
            seen = take_snapshot(plan.function.command.folder)
            self._spawn(self._restart_when_changed(plan.function, seen, function, sidecar))
        self._functions.append(function)
        self._sidecars.append(sidecar)
        self._spawn(function.run())
        self._spawn(self._run_sidecar(function, sidecar))

    async def _run_sidecar(self, function: Supervisor, sidecar: Supervisor) -> None:
        await function.ready.wait()
        await sidecar.run()

    async def _restart_when_changed(
        self, service: Service, seen: Snapshot, function: Supervisor, sidecar: Supervisor
    ) -> None:
        async for changed in changes(service.command.folder, seen):
            self._output.event(f"{changed[0]} changed: {service.name} starts anew")
            await function.restart(KILL_SECONDS)
            # It may have failed because the function did.
            sidecar.hurry()
