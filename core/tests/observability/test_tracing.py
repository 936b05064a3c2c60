"""Whether traces are wanted, and by whose words."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping

import pytest

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


ENDING = """
from penstock.observability import tracing

tracing.EXPORT_SECONDS = 0.2
with tracing.open_tracer("test", {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}) as tracer:
    tracer.start_span("a").end()
print("ended")
"""


def test_a_collector_that_is_away_does_not_keep_the_process_from_ending() -> None:
    process = subprocess.run(
        [sys.executable, "-c", ENDING],
        check=False,
        env={**os.environ, **ENDPOINT},
        capture_output=True,
        text=True,
        timeout=10,
    )
    assert process.stdout == "ended\n", process.stderr
