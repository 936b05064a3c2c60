"""The processor: one session after the other, until it is stopped or something fails for good."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import AsyncExitStack

from penstock.backoff import Backoff
from penstock.plugin import (
    Group,
    NotReady,
    Start,
    Subscription,
    TemporaryError,
    start_of_version,
)
from penstock_sidecar import function
from penstock_sidecar.bindings import Binding, read_bindings
from penstock_sidecar.configuration import Configuration, Input
from penstock_sidecar.connections import Connections
from penstock_sidecar.engine import Output, Settings
from penstock_sidecar.pump import Pump, Sink, Source
from penstock_sidecar.ready_file import ReadyFile

_LOG = logging.getLogger(__name__)


class Processor:
    """Reads the inputs, calls the function, publishes its outputs.

    Args:
        configuration: What the environment says.

    Raises:
        UsageError: The bindings are wrong.
    """

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        root, outputs = configuration.bindings, configuration.outputs
        self._inputs = read_bindings(root, "input", len(configuration.inputs))
        self._outputs = read_bindings(root, "output", len(outputs))
        self._settings = Settings(
            group=str(configuration.group),
            inputs=tuple(one.name for one in configuration.inputs),
            outputs=tuple(
                Output(name, binding.content_type)
                for name, binding in zip(outputs, self._outputs, strict=True)
            ),
            window=configuration.window,
        )
        self._host = function.FunctionHost(
            configuration.function,
            function.Start(
                expected_content_types=[one.content_type for one in self._settings.outputs],
                input_names=self._settings.inputs,
                output_names=outputs,
            ),
            batches=configuration.batches,
        )
        self._connections = Connections(batches=configuration.batches)
        self._ready = ReadyFile(configuration.ready_file)
        self._pump: Pump | None = None
        self._running: asyncio.Task[None] | None = None
        self._stopping = False

    async def run(self) -> None:
        """Go on until `stop`.

        A gateway that is lost and a function's host that is gone are waited for with growing
        pauses; then everything begins anew from the positions that are acked.

        Raises:
            FunctionFailure: The function or one of its outputs failed.
            UsageError: The settings of a messaging system are wrong.
            PenstockError: A gateway refused something for good.
        """
        self._running = asyncio.create_task(self._run())
        try:
            await self._running
        except asyncio.CancelledError:
            if not self._stopping:
                raise

    def stop(self) -> None:
        """Finish what can be finished within the grace period, and end; asked again: at once."""
        grace = 0.0 if self._stopping else self._configuration.grace
        self._stopping = True
        self._ready.disappear()
        if self._pump:
            _LOG.info("stopping within %g s", grace)
            self._pump.stop(grace)
        elif self._running:
            self._running.cancel()

    async def _run(self) -> None:
        backoff = Backoff(longest=10.0)
        async with self._connections, AsyncExitStack() as stack:
            stack.push_async_callback(self._host.close)
            while True:
                try:
                    return await self._session(backoff)
                except TemporaryError as error:
                    if self._stopping:
                        _LOG.warning("lost while stopping: %s", error)
                        return None
                    pause = max(backoff.pause(), error.retry_after or 0.0)
                    _LOG.warning("beginning anew in %g s: %s", pause, error)
                    await asyncio.sleep(pause)

    async def _session(self, backoff: Backoff) -> None:
        await self._find_function()
        async with AsyncExitStack() as memberships:
            sources = []
            for number, one in enumerate(self._configuration.inputs):
                subscription = await self._subscribe(number, one)
                sources.append(
                    Source(one.name, await memberships.enter_async_context(subscription))
                )
            pump = Pump(self._settings, sources, await self._sinks(), self._host)
            self._pump = pump
            self._ready.appear()
            _LOG.info(
                "ready: %s -> %s as group %s, function at %s by %s",
                ", ".join(self._settings.inputs),
                ", ".join(self._configuration.outputs) or "no output",
                self._configuration.group,
                self._configuration.function,
                self._host.protocol,
            )
            try:
                await pump.run()
            finally:
                self._ready.disappear()
                self._pump = None
                if pump.has_acked:
                    backoff.reset()

    async def _find_function(self) -> None:
        backoff = Backoff(first=0.05, longest=1.0)
        waited = False
        while True:
            try:
                await self._host.connect()
            except NotReady as error:
                if not waited:
                    _LOG.info("waiting: %s", error)
                waited = True
                await asyncio.sleep(backoff.pause())
            else:
                return

    async def _subscribe(self, number: int, one: Input) -> Subscription:
        binding = self._inputs[number]
        pubsub = await self._connections.to(binding)
        group = self._group(number)
        start: Start = one.start
        if self._connections.is_direct(binding) and not group.version:
            acked = await pubsub.positions(binding.topic, group.name)
            start = start_of_version(group, acked, one.start, fallback=one.start)
        return await pubsub.subscribe(binding.topic, group, start, self._configuration.member)

    async def _sinks(self) -> Sequence[Sink]:
        return [
            Sink(output.name, await self._connections.to(binding), binding.topic)
            for output, binding in zip(self._settings.outputs, self._outputs, strict=True)
        ]

    def _group(self, number: int) -> Group:
        """The group of an input.

        One stream under two aliases is read twice: members of one group would share it. The
        first alias has the processor's group, each further one a group named after both.
        """
        group, binding = self._configuration.group, self._inputs[number]
        before = self._inputs[:number]
        if any(_same_stream(binding, other) for other in before):
            return Group(f"{group.name}.{self._configuration.inputs[number].name}", group.version)
        return group


def _same_stream(one: Binding, other: Binding) -> bool:
    return (one.gateway, one.topic) == (other.gateway, other.topic)
