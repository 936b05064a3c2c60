"""Finds out who is to watch a processor; whoever is not asked for is not even loaded."""

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from penstock_sidecar.bindings import Binding
from penstock_sidecar.configuration import Configuration, MetricsAddress
from penstock_sidecar.engine import Settings
from penstock_sidecar.observability.names import Names
from penstock_sidecar.observability.observer import Observer, Observers

if TYPE_CHECKING:
    from penstock.observability.tracing import Tracer

_LOG = logging.getLogger(__name__)


@asynccontextmanager
async def open_observer(
    configuration: Configuration,
    bindings: tuple[Sequence[Binding], Sequence[Binding], Binding | None],
    settings: Settings,
    is_ready: Callable[[], bool],
    tracer: "Tracer | None",
) -> AsyncIterator[Observer]:
    """Whoever is to watch a processor, and the port that they are asked on.

    Args:
        configuration: The processor.
        bindings: Of its inputs, of its outputs, and of its dead letters.
        settings: As its engine has them.
        is_ready: Whether messages can flow.
        tracer: What makes spans; ``None``: nothing does.

    Raises:
        UsageError: The port of the metrics is not to be had.
    """
    inputs, outputs, dead_letters = bindings
    async with AsyncExitStack() as stack:
        observers = []
        if configuration.metrics:
            names = Names(
                configuration.group.name,
                configuration.namespace,
                str(configuration.group),
                [
                    (one.name, to.stream)
                    for one, to in zip(configuration.inputs, inputs, strict=True)
                ],
                [
                    *(
                        (name, to.stream)
                        for name, to in zip(configuration.outputs, outputs, strict=True)
                    ),
                    *([(dead_letters.stream, dead_letters.stream)] if dead_letters else []),
                ],
            )
            observers.append(
                await _measure(stack, configuration.metrics, names, settings, is_ready)
            )
        if tracer is not None:
            from penstock_sidecar.observability.tracing import Tracing  # noqa: PLC0415

            topics = [one.topic for one in inputs]
            observers.append(Tracing(tracer, str(configuration.group), topics))
        yield Observers(observers) if observers else Observer()


async def _measure(
    stack: AsyncExitStack,
    address: MetricsAddress,
    names: Names,
    settings: Settings,
    is_ready: Callable[[], bool],
) -> Observer:
    from penstock.observability.metrics_page import MetricsPage  # noqa: PLC0415
    from penstock.observability.metrics_server import MetricsServer  # noqa: PLC0415
    from penstock_sidecar.observability.measuring import Measuring  # noqa: PLC0415

    page = MetricsPage()
    measuring = Measuring(page, names, settings, is_ready)
    stack.push_async_callback(measuring.close)
    server = MetricsServer(page, address.host, address.port, is_ready)
    port = (await stack.enter_async_context(server)).port
    _LOG.info("metrics on port %d", port, extra={"port": port})
    return measuring
