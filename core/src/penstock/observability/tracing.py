"""Traces: whether they are wanted, and what makes spans of sampled messages.

A trace goes on from message to message by the CloudEvents extensions `traceparent` and
`tracestate`, which are headers. Nothing here begins one: who publishes decides what is sampled.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING, Final

from penstock import __version__

if TYPE_CHECKING:
    # Whoever hands a tracer on takes the name from here, and knows nothing of OpenTelemetry.
    from opentelemetry.trace import Tracer as Tracer  # noqa: PLC0414 - that is what exports it

EXPORT_SECONDS: Final = 2.0
"""How long the last spans may take to be exported."""

_LOG = logging.getLogger(__name__)
_ASKING: Final = (
    "OTEL_TRACES_EXPORTER",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
)


def traces_wanted(environment: Mapping[str, str]) -> str:
    """The variable of OpenTelemetry's that asks for traces; empty: none does."""
    off = environment.get("OTEL_SDK_DISABLED", "").lower() == "true"
    if off or environment.get("OTEL_TRACES_EXPORTER") == "none":
        return ""
    return next((name for name in _ASKING if environment.get(name)), "")


@contextmanager
def open_tracer(service: str, environment: Mapping[str, str]) -> "Iterator[Tracer | None]":
    """What makes spans, where OpenTelemetry's environment asks for it; ``None``: nothing does.

    At the end what was not exported yet is, for `EXPORT_SECONDS`.

    Args:
        service: Its name, where the environment has none.
        environment: `OTEL_TRACES_EXPORTER`, `OTEL_EXPORTER_OTLP_…`, `OTEL_SERVICE_NAME` and the
            others that OpenTelemetry describes.

    Raises:
        UsageError: An exporter is asked for that is not installed.
    """
    asking = traces_wanted(environment)
    if not asking:
        yield None
        return
    try:
        # Loaded where it is wanted.
        from penstock.observability.tracer_provider import make_provider  # noqa: PLC0415
    except ImportError:
        _LOG.warning(
            "%s asks for traces, and OpenTelemetry is not installed: there are none; "
            "pip install 'penstock[tracing]'",
            asking,
        )
        yield None
        return
    provider = make_provider(service, environment)
    try:
        yield provider.get_tracer("penstock", __version__)
    finally:
        # A collector that is away must not keep the process from ending.
        ending = Thread(target=provider.shutdown, daemon=True)
        ending.start()
        ending.join(EXPORT_SECONDS)
