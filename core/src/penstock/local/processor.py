"""A processor on this machine: the process of its function, and that of its sidecar."""

from collections.abc import Collection, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from penstock.local.function import function_service
from penstock.local.output import Output
from penstock.local.reaper import Reaper
from penstock.local.reload import WatchedFolder
from penstock.local.sidecar import GRACE_SECONDS, sidecar_service, sidecar_variables
from penstock.local.state import RunningProcessor
from penstock.local.summary import display_name
from penstock.local.supervisor import Supervisor
from penstock.plugin import NotReady
from penstock.resources.models import Processor
from penstock.resources.suggestion import listing
from penstock.workload import StreamBinding

KILL_SLACK = 2.0
"""Seconds behind its grace in which a sidecar may still leave its groups."""
RELOAD_SECONDS = 0.5
"""When a function is killed that is to start anew: its sidecar repeats the calls that it would
like to end, and a person waits."""


class LocalProcessor:
    """Both processes of a processor.

    Args:
        processor: The processor.
        port: A free port, for its function.
        output: Told of everything that happens.
        reload: Whether a function that fails at first is started again.
        metrics_port: A free port, for the sidecar's metrics; ``None``: it shows none.

    Attributes:
        name: What it is shown under.
        metrics_port: As given.
        function: Keeps the function's process.
        sidecar: Keeps the sidecar's, from `bind` on.
        running: What other commands have to know, from then on.

    Raises:
        UsageError: What the function's container says cannot be done here.
    """

    def __init__(
        self,
        processor: Processor,
        port: int,
        output: Output,
        *,
        reload: bool,
        metrics_port: int | None = None,
    ) -> None:
        self.name = display_name(processor.metadata)
        self.metrics_port = metrics_port
        self._processor = processor
        self._port = port
        self._output = output
        self._service = function_service(processor, self.name, port)
        self.function = Supervisor(self._service, output, must_start=not reload)
        self.sidecar: Supervisor | None = None
        self.running: RunningProcessor | None = None

    @property
    def streams(self) -> set[tuple[str, str]]:
        """Those that it needs, by namespace and name."""
        namespace = self._processor.metadata.namespace
        return {(namespace, stream) for stream in self._processor.spec.streams}

    def bind(self, streams: Mapping[tuple[str, str], StreamBinding], work: Path) -> Supervisor:
        """Make the sidecar, now that the streams are known.

        Args:
            streams: By namespace and name; at least those of the processor.
            work: A folder in which the sidecar gets one of its own.
        """
        metadata = self._processor.metadata
        folder = work / f"{metadata.namespace}.{metadata.name}"
        service = sidecar_service(
            self._processor,
            self.name,
            {name: one for (space, name), one in streams.items() if space == metadata.namespace},
            self._port,
            folder,
            metrics_port=self.metrics_port,
        )
        self.running = RunningProcessor(
            metadata.namespace,
            metadata.name,
            tuple((one.alias, one.stream) for one in self._processor.spec.inputs),
            sidecar_variables(self._processor, self._port, folder),
        )
        self.sidecar = Supervisor(service, self._output, must_start=False)
        return self.sidecar

    async def run_sidecar(self, sidecar: Supervisor, reaper: Reaper) -> None:
        """Keep the sidecar running, from when the function is ready."""
        await self.function.ready.wait()
        await sidecar.run(reaper)

    def paused(self) -> AbstractAsyncContextManager[None]:
        """Keep the sidecar from running for a while.

        Raises:
            NotReady: It was never started.
        """
        if self.sidecar is None:
            raise NotReady(f'the sidecar of "{self.name}" waits for its streams')
        return self.sidecar.paused(GRACE_SECONDS + KILL_SLACK)

    async def reload(self, without: Collection[Path]) -> None:
        """Start the function anew when a file in its folder changes, but for those `without`."""
        watched = WatchedFolder(self._service.command.folder, without)
        async for changed in watched.changes():
            self._output.event(f"{listing(changed)} changed: {self._service.name} starts anew")
            await self.function.restart(RELOAD_SECONDS)
            if self.sidecar:
                # It may have failed because the function did.
                self.sidecar.hurry()
