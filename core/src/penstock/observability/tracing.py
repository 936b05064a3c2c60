"""Traces: whether they are wanted, and what makes spans of sampled messages.

A trace goes on from message to message by the CloudEvents extensions `traceparent` and
`tracestate`, which are headers. Nothing here begins one: who publishes decides what is sampled.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import entry_points
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from penstock import __version__
from penstock.plugin import UsageError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Tracer

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

    At the end what was not exported yet is.

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
    if find_spec("opentelemetry") is None or find_spec("opentelemetry.sdk") is None:
        _LOG.warning(
            "%s asks for traces, and OpenTelemetry is not installed: there are none; "
            "pip install 'penstock[tracing]'",
            asking,
        )
        yield None
        return
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415 - loaded where it is wanted
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    named = "service.name=" in environment.get("OTEL_RESOURCE_ATTRIBUTES", "")
    names = {} if named or environment.get("OTEL_SERVICE_NAME") else {"service.name": service}
    provider = TracerProvider(resource=Resource.create(names), shutdown_on_exit=False)
    for exporter in _exporters(environment):
        provider.add_span_processor(BatchSpanProcessor(exporter))
    try:
        yield provider.get_tracer("penstock", __version__)
    finally:
        provider.shutdown()


def _exporters(environment: Mapping[str, str]) -> "Iterator[SpanExporter]":
    """Those that the environment names, by OpenTelemetry's own entry points."""
    for word in (environment.get("OTEL_TRACES_EXPORTER") or "otlp").split(","):
        name = word.strip()
        if name == "otlp":
            protocol = (
                environment.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL")
                or environment.get("OTEL_EXPORTER_OTLP_PROTOCOL")
                or "grpc"
            )
            name = f"otlp_proto_{protocol.partition('/')[0]}"
        known = entry_points(group="opentelemetry_traces_exporter")
        if name not in known.names:
            raise UsageError(
                f"OpenTelemetry's exporter of traces {name!r} is not installed; installed: "
                f"{', '.join(sorted(known.names)) or 'none'}; pip install 'penstock[tracing]', or "
                "change OTEL_TRACES_EXPORTER or OTEL_EXPORTER_OTLP_PROTOCOL"
            )
        yield known[name].load()()
