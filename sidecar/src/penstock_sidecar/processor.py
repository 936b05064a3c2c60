"""The processor: one session after the other, until it is stopped or something fails for good."""

import asyncio
import logging
import time
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import TYPE_CHECKING

from penstock.backoff import Backoff
from penstock.input_group import input_groups
from penstock.plugin import (
    Start,
    TemporaryError,
    start_of_version,
)
from penstock_sidecar import function
from penstock_sidecar.bindings import read_bindings, read_dead_letter
from penstock_sidecar.bounded_run import BoundedRun, NothingToRead, Unfinished
from penstock_sidecar.configuration import Configuration, Input
from penstock_sidecar.connections import Connections
from penstock_sidecar.engine import Output, Settings
from penstock_sidecar.observability import Membership, Observer, open_observer
from penstock_sidecar.pump import Pump, Sink, Source
from penstock_sidecar.ready_file import ReadyFile

if TYPE_CHECKING:
    from penstock.observability.tracing import Tracer

_LOG = logging.getLogger(__name__)

_UNHURRIED_SECONDS = 7 * 24 * 3600.0
"""How long what was read up to a bound may take."""


class Processor:
    """Reads the inputs, calls the function, publishes its outputs.

    Args:
        configuration: What the environment says.
        tracer: What makes spans of sampled messages; ``None``: there are none.

    Raises:
        UsageError: The bindings are wrong.
    """

    def __init__(self, configuration: Configuration, tracer: "Tracer | None" = None) -> None:
        self._configuration = configuration
        root, outputs = configuration.bindings, configuration.outputs
        self._inputs = read_bindings(root, "input", len(configuration.inputs))
        self._outputs = read_bindings(root, "output", len(outputs))
        self._dead_letters = (
            read_dead_letter(root, self._inputs, self._outputs)
            if configuration.delivery.dead_letter
            else None
        )
        self._groups = input_groups(
            configuration.group,
            [one.name for one in configuration.inputs],
            [(one.gateway, one.topic) for one in self._inputs],
        )
        self._settings = Settings(
            group=configuration.source,
            inputs=tuple(one.name for one in configuration.inputs),
            outputs=tuple(
                Output(name, binding.content_type)
                for name, binding in zip(outputs, self._outputs, strict=True)
            ),
            window=configuration.window,
            delivery=configuration.delivery,
            streams=tuple(one.stream for one in self._inputs),
            read_marks=configuration.buffer.passing,
            hold_marks=configuration.buffer.held,
            write_marks=configuration.buffer.passing,
            wall_clock=time.time() - time.monotonic(),
        )
        self._host = function.FunctionHost(
            configuration.function,
            function.Start(
                expected_content_types=[one.content_type for one in self._settings.outputs],
                input_names=self._settings.inputs,
                output_names=outputs,
            ),
            batches=configuration.batches,
            watch=self._watch,
        )
        self._tracer = tracer
        self._observer = Observer()
        self._connections = Connections(batches=configuration.batches)
        self._ready = ReadyFile(configuration.ready_file)
        self._pump: Pump | None = None
        self._running: asyncio.Task[None] | None = None
        self._stopping = False
        self._bounded: BoundedRun | None = None

    async def run(self) -> None:
        """Go on until `stop`, or until everything up to the bounds is done.

        A gateway that is lost is waited for with growing pauses; then everything begins anew from
        the positions that are acked.

        Raises:
            UsageError: The settings of a messaging system are wrong.
            Unfinished: It has bounds, and has not done everything up to them.
            PenstockError: A gateway refused something for good.
        """
        self._running = asyncio.create_task(self._run())
        try:
            await self._running
        except asyncio.CancelledError:
            if not self._stopping:
                raise
        if self._configuration.bounds is not None and not (self._bounded and self._bounded.is_done):
            raise Unfinished(
                f"group {self._configuration.group} has not done everything up to its bounds: "
                "started again, it goes on"
            )

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
            self._observer = await stack.enter_async_context(self._watched())
            while True:
                try:
                    if not await self._session(backoff):
                        return
                except TemporaryError as error:
                    if self._stopping:
                        _LOG.warning("lost while stopping: %s", error)
                        return
                    pause = max(backoff.pause(), error.retry_after or 0.0)
                    _LOG.warning("beginning anew in %g s: %s", pause, error)
                    self._observer.restarting()
                    await asyncio.sleep(pause)

    def _watch(self, call: function.FunctionCall) -> function.FunctionCall:
        return self._observer.call(call)

    def _watched(self) -> AbstractAsyncContextManager[Observer]:
        return open_observer(
            self._configuration,
            (self._inputs, self._outputs, self._dead_letters),
            self._settings,
            lambda: self._ready.is_there,
            self._tracer,
        )

    async def _session(self, backoff: Backoff) -> bool:
        """Read, call and publish until a stop; whether that was before the bounds were reached."""
        await self._host.find()
        async with AsyncExitStack() as memberships:
            self._bounded = BoundedRun() if self._configuration.bounds is not None else None
            sources = [
                await self._source(number, one, memberships)
                for number, one in enumerate(self._configuration.inputs)
            ]
            pump = Pump(self._settings, sources, await self._sinks(), self._host)
            self._pump = pump
            self._observer.started(pump)
            self._ready.appear()
            _LOG.info(
                "ready: %s -> %s as group %s, function at %s by %s",
                ", ".join(self._settings.inputs),
                ", ".join(self._configuration.outputs) or "no output",
                self._configuration.group,
                self._configuration.function,
                self._host.protocol,
                extra={
                    "group": str(self._configuration.group),
                    "streams": [one.stream for one in (*self._inputs, *self._outputs)],
                },
            )
            ending = asyncio.create_task(self._end(pump))
            try:
                await pump.run()
            finally:
                ending.cancel()
                self._ready.disappear()
                self._pump = None
                self._observer.ended(pump)
                if pump.has_acked:
                    backoff.reset()
            unfinished = self._bounded is not None and not self._bounded.is_done
            return unfinished and pump.has_acked and not self._stopping

    async def _end(self, pump: Pump) -> None:
        """Let windows end once everything up to the bounds is read."""
        if not self._bounded:
            return
        self._bounded.begin()
        await self._bounded.all_read.wait()
        _LOG.info("everything up to the bounds is read, and is being finished")
        pump.stop(_UNHURRIED_SECONDS, drain=True)

    async def _source(self, number: int, one: Input, memberships: AsyncExitStack) -> Source:
        """Become a member of an input's group, for as long as `memberships` lasts."""
        bounds = self._configuration.bounds
        if bounds is not None and one.name not in bounds:
            return Source(one.name, NothingToRead())
        membership = await self._membership(number, one)
        pubsub, topic, group, start = membership
        subscription = await pubsub.subscribe(topic, group, start, self._configuration.member)
        await memberships.enter_async_context(subscription)
        if self._bounded and bounds is not None:
            acked = (await pubsub.positions(topic, group.name)).get(group.version, {})
            subscription = self._bounded.add(subscription, bounds[one.name], acked)
        source = await self._observer.source(number, Source(one.name, subscription), membership)
        # Who stands in front of it is to see that it is closed.
        await memberships.enter_async_context(source.subscription)
        return source

    async def _membership(self, number: int, one: Input) -> Membership:
        binding = self._inputs[number]
        pubsub = await self._connections.to(binding)
        group = self._groups[number]
        start: Start = one.start
        if self._connections.is_direct(binding) and not group.version:
            acked = await pubsub.positions(binding.topic, group.name)
            start = start_of_version(group, acked, one.start, fallback=one.start)
        return Membership(pubsub, binding.topic, group, start)

    async def _sinks(self) -> Sequence[Sink]:
        outputs = [
            (output.name, binding)
            for output, binding in zip(self._settings.outputs, self._outputs, strict=True)
        ]
        if self._dead_letters:
            outputs.append((self._dead_letters.stream, self._dead_letters))
        sinks = [
            Sink(name, await self._connections.to(binding), binding.topic)
            for name, binding in outputs
        ]
        return [self._observer.sink(number, sink) for number, sink in enumerate(sinks)]
