"""`penstock run`: gateways in this process, functions and sidecars as processes of their own."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from penstock.local.control import serve_control
from penstock.local.gateways import Key, LocalGateways
from penstock.local.output import Output
from penstock.local.ports import free_ports
from penstock.local.processor import LocalProcessor
from penstock.local.reaper import Reaper
from penstock.local.secrets import mount_secrets
from penstock.local.sidecar import GRACE_SECONDS, check_sidecar_installed
from penstock.local.state import Run, RunState, state_folder
from penstock.local.streams import LocalStreams
from penstock.local.summary import summarize
from penstock.local.supervisor import Supervisor
from penstock.plugin import NotReady, Plugins
from penstock.resources.manifest import Manifests
from penstock.resources.models import ConcreteGateway
from penstock.workload import StreamBinding

if TYPE_CHECKING:
    from penstock.observability.tracing import Tracer
    from penstock.server.metrics import GatewayMetrics

KILL_SECONDS = GRACE_SECONDS + 2
"""When a process that was asked to end is killed."""


class Runtime:
    """One run of some manifests, until it is interrupted.

    Args:
        manifests: What to run; checked for the local runtime, and without errors.
        plugins: What its gateways are made by.
        output: Told of everything that happens.
        reload: Whether a function whose files change is started anew; then also one that fails
            at first is started again.
        started: When the person's command began, as `time.monotonic`.
        metrics_port: Of the gateways' metrics; 0 takes a free one, ``None`` leaves metrics out.
        tracer: What makes spans of sampled messages in gateways; ``None``: nothing does.
    """

    def __init__(
        self,
        manifests: Manifests,
        plugins: Plugins,
        output: Output,
        *,
        reload: bool,
        started: float,
        metrics_port: int | None = None,
        tracer: "Tracer | None" = None,
    ) -> None:
        self._manifests = manifests
        self._plugins = plugins
        self._output = output
        self._reload = reload
        self._started = started
        self._metrics_port = metrics_port
        self._tracer = tracer
        self._stop = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._processors: list[LocalProcessor] = []
        self._control = ""

    async def run(self) -> None:
        """Run until SIGINT, SIGTERM or SIGHUP, and stop in order; a second one kills what is left.

        Raises:
            UsageError: Something of the manifests cannot be run here, a gateway refuses a stream,
                or another run goes on.
            PenstockError: A function failed before it was ready.
        """
        self._processors = self._plan()
        loop = asyncio.get_running_loop()
        with RunState.claim(state_folder()) as state, Reaper() as reaper:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                loop.add_signal_handler(number, self._interrupt)
            async with (
                serve_control(state.work, self._paused) as control,
                AsyncExitStack() as gateways,
            ):
                self._control = control
                starting = self._spawn(self._start(state, reaper, gateways))
                await self._stop.wait()
                starting.cancel()
                await asyncio.wait({starting})
                await self._stop_processes()
        self._output.event("stopped")
        for task in self._tasks:
            if not task.cancelled() and (error := task.exception()):
                raise error

    def _plan(self) -> list[LocalProcessor]:
        """Find out what cannot be run before anything is started."""
        processors = self._manifests.processors
        if processors:
            check_sidecar_installed()
        measured = self._metrics_port is not None
        ports = iter(free_ports(len(processors) * (2 if measured else 1)))
        return [
            LocalProcessor(
                processor,
                next(ports),
                self._output,
                reload=self._reload,
                metrics_port=next(ports) if measured else None,
            )
            for processor in processors
        ]

    async def _start(self, state: RunState, reaper: Reaper, stack: AsyncExitStack) -> None:
        for processor in self._processors:
            # Functions take longest to come up, and need nothing of the gateways.
            if self._reload:
                self._spawn(processor.reload(self._not_watched()))
            self._spawn(processor.function.run(reaper))
        metrics = await self._serve_metrics(stack)
        gateways = LocalGateways(self._plugins, stack, self._output, metrics, self._tracer)
        streams = LocalStreams(self._manifests.streams, gateways)

        def found() -> None:
            self._start_sidecars(streams.bindings, state.work, reaper)
            state.describe(self._run(streams))

        await streams.open(self._mounted(state.work / "secrets"), found)
        for supervisor in (*self._functions, *self._sidecars):
            await supervisor.ready.wait()
        state.describe(replace(self._run(streams), ready=True))
        self._output.event(summarize(streams.running, self._manifests.processors))
        if self._metrics_port is not None:
            self._output.event(self._summarize_metrics(self._metrics_port))
        self._output.event(f"ready in {monotonic() - self._started:.1f} s; Ctrl-C stops")

    def _run(self, streams: LocalStreams) -> Run:
        return Run(
            os.getpid(),
            streams=streams.running,
            processors=tuple(one.running for one in self._processors if one.running),
            control=self._control,
        )

    @asynccontextmanager
    async def _paused(self, namespace: str, name: str) -> AsyncIterator[None]:
        """Keep the sidecar of a processor from running, and tell so."""
        for one in self._processors:
            running = one.running
            if running and (running.namespace, running.name) == (namespace, name):
                self._output.event(f'sidecar of "{one.name}" is stopped: its positions are moved')
                async with one.paused():
                    yield
                return
        raise NotReady(f'no sidecar of processor "{name}" runs in namespace "{namespace}"')

    def _mounted(self, secrets: Path) -> list[ConcreteGateway]:
        """The gateways, with files in place of Secrets."""
        manifests = self._manifests
        resources = mount_secrets(manifests.gateways, manifests.secrets, secrets)
        manifests.secrets.clear()
        return resources

    def _start_sidecars(
        self, streams: Mapping[Key, StreamBinding], work: Path, reaper: Reaper
    ) -> None:
        """Start those whose streams are all there by now."""
        for processor in self._processors:
            if processor.sidecar is None and processor.streams <= streams.keys():
                sidecar = processor.bind(streams, work)
                self._spawn(processor.run_sidecar(sidecar, reaper))

    async def _serve_metrics(self, stack: AsyncExitStack) -> "GatewayMetrics | None":
        if self._metrics_port is None:
            return None
        # What counts is loaded where something is counted.
        from penstock.local.metrics import serve_metrics  # noqa: PLC0415

        metrics, self._metrics_port = await serve_metrics(stack, self._metrics_port)
        return metrics

    def _summarize_metrics(self, gateways: int) -> str:
        from penstock.local.metrics import summarize_metrics  # noqa: PLC0415 - as above

        ports = {one.name: one.metrics_port for one in self._processors if one.metrics_port}
        return summarize_metrics(gateways, ports)

    def _not_watched(self) -> set[Path]:
        """Manifests, which are read once, and what the runtime itself writes."""
        manifests = self._manifests
        resources = (*manifests.gateways, *manifests.streams, *manifests.processors)
        return {state_folder().resolve(), *(one.source.file.resolve() for one in resources)}

    @property
    def _functions(self) -> list[Supervisor]:
        return [one.function for one in self._processors]

    @property
    def _sidecars(self) -> list[Supervisor]:
        return [one.sidecar for one in self._processors if one.sidecar]

    def _interrupt(self) -> None:
        if self._stop.is_set():
            for supervisor in (*self._functions, *self._sidecars):
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
