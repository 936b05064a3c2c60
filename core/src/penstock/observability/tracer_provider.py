"""OpenTelemetry's tracer, as its own variables in the environment say; imported where it is on."""

from collections.abc import Iterator, Mapping
from importlib.metadata import entry_points

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter

from penstock.plugin import UsageError


def make_provider(service: str, environment: Mapping[str, str]) -> TracerProvider:
    """What makes tracers; it is to be shut down.

    Args:
        service: Its name, where the environment has none.
        environment: OpenTelemetry's variables.

    Raises:
        UsageError: An exporter is asked for that is not installed.
    """
    exporters = list(_exporters(environment))
    named = "service.name=" in environment.get("OTEL_RESOURCE_ATTRIBUTES", "")
    names = {} if named or environment.get("OTEL_SERVICE_NAME") else {"service.name": service}
    provider = TracerProvider(resource=Resource.create(names), shutdown_on_exit=False)
    for exporter in exporters:
        provider.add_span_processor(BatchSpanProcessor(exporter))
    return provider


def _exporters(environment: Mapping[str, str]) -> Iterator[SpanExporter]:
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
