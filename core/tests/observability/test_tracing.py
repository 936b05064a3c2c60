"""Whether traces are wanted, and by whose words."""

import re
import time
from collections.abc import Mapping

import pytest

from penstock.observability import tracing
from penstock.observability.tracing import open_tracer, traces_wanted
from penstock.plugin import UsageError

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}


@pytest.mark.parametrize(
    ("environment", "asking"),
    [
        ({}, ""),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, ""),
        ({"OTEL_SERVICE_NAME": "x"}, ""),
        (ENDPOINT, "OTEL_EXPORTER_OTLP_ENDPOINT"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "x"}, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"),
        ({"OTEL_TRACES_EXPORTER": "console"}, "OTEL_TRACES_EXPORTER"),
        ({**ENDPOINT, "OTEL_TRACES_EXPORTER": "none"}, ""),
        ({**ENDPOINT, "OTEL_SDK_DISABLED": "true"}, ""),
    ],
)
def test_the_usual_variables_ask_for_traces(environment: Mapping[str, str], asking: str) -> None:
    assert traces_wanted(environment) == asking
    if not asking:
        with open_tracer("test", environment) as tracer:
            assert tracer is None


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        ({"OTEL_TRACES_EXPORTER": "pigeon"}, "pigeon"),
        ({**ENDPOINT, "OTEL_EXPORTER_OTLP_PROTOCOL": "smoke/signals"}, "otlp_proto_smoke"),
    ],
)
def test_an_exporter_that_is_not_installed_is_named(
    environment: Mapping[str, str], name: str
) -> None:
    refused = re.escape(f"exporter of traces '{name}' is not installed; installed: console, otlp")
    with pytest.raises(UsageError, match=refused), open_tracer("test", environment):
        pass


def test_a_collector_that_is_away_does_not_keep_the_process_from_ending(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(tracing, "EXPORT_SECONDS", 0.2)
    # What exports reads the environment of the process.
    for name, value in ENDPOINT.items():
        monkeypatch.setenv(name, value)
    with open_tracer("test", ENDPOINT) as tracer:
        assert tracer
        tracer.start_span("a").end()
        began = time.monotonic()
    assert time.monotonic() - began < 5
