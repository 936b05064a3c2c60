"""The environment: what is read, and what is refused with which words."""

from pathlib import Path

import pytest

from penstock.delivery import Delivery, Guarantee
from penstock.plugin import Edge, Group, UsageError
from penstock.window import Window, WindowType
from penstock_sidecar.buffer import Buffer
from penstock_sidecar.configuration import (
    Configuration,
    Input,
    MissingVariable,
    read_configuration,
)

ENVIRONMENT = {
    "FUNCTION": "localhost:8081",
    "GROUP": "averager",
    "INPUT_NAMES": "left,right",
    "OUTPUT_NAMES": "sums",
    "INPUT_START_OFFSETS": "earliest,latest",
    "CNB_BINDINGS": "/bindings",
}


def test_riffs_environment_is_enough() -> None:
    assert read_configuration(ENVIRONMENT) == Configuration(
        function="localhost:8081",
        group=Group("averager"),
        source="averager",
        inputs=(Input("left", Edge.EARLIEST), Input("right", Edge.LATEST)),
        outputs=("sums",),
        bindings=Path("/bindings"),
        window=Window(),
        delivery=Delivery(),
        grace=30.0,
        ready_file=None,
        member="",
        batches=True,
    )


def test_penstocks_own_variables_are_read() -> None:
    read = read_configuration(
        {
            **ENVIRONMENT,
            "PENSTOCK_WINDOW": '{"type": "Count", "count": 7}',
            "PENSTOCK_DELIVERY": '{"guarantee": "AtMostOnce", "timeout": "2s", "backoff": null}',
            "PENSTOCK_GRACE_SECONDS": "1.5",
            "PENSTOCK_READY_FILE": "/run/ready",
            "PENSTOCK_MEMBER": "averager-0",
            "PENSTOCK_PROTOCOL": "riff",
            "PENSTOCK_BUFFER_MESSAGES": "500",
            "PENSTOCK_BUFFER_BYTES": "8Mi",
        }
    )
    assert read.buffer == Buffer(messages=500, bytes=8 * 1024 * 1024)
    assert read.window == Window(type=WindowType.COUNT, count=7)
    assert read.delivery == Delivery(guarantee=Guarantee.AT_MOST_ONCE, timeout=2.0)
    assert (read.grace, read.ready_file, read.batches) == (1.5, Path("/run/ready"), False)
    assert read.member == "averager-0"


def test_a_group_may_name_a_version() -> None:
    assert read_configuration({**ENVIRONMENT, "GROUP": "averager-v3"}).group == Group("averager", 3)


def test_a_processor_may_have_no_output() -> None:
    assert read_configuration({**ENVIRONMENT, "OUTPUT_NAMES": ""}).outputs == ()


def test_an_empty_start_offset_is_latest() -> None:
    read = read_configuration({**ENVIRONMENT, "INPUT_START_OFFSETS": "earliest,"})
    assert read.inputs[1].start is Edge.LATEST


@pytest.mark.parametrize("name", sorted(ENVIRONMENT))
def test_a_variable_that_is_missing_is_named(name: str) -> None:
    rest = {other: value for other, value in ENVIRONMENT.items() if other != name}
    with pytest.raises(MissingVariable, match=f"^{name} is not set: expected FUNCTION, GROUP"):
        read_configuration(rest)


@pytest.mark.parametrize("name", sorted(set(ENVIRONMENT) - {"OUTPUT_NAMES"}))
def test_an_empty_variable_is_a_missing_one(name: str) -> None:
    with pytest.raises(MissingVariable, match=f"^{name} is not set"):
        read_configuration({**ENVIRONMENT, name: ""})


@pytest.mark.parametrize("name", ["INPUT_NAMES", "OUTPUT_NAMES"])
def test_an_empty_alias_is_a_missing_one(name: str) -> None:
    with pytest.raises(MissingVariable, match=f"^{name}='a,': name 2 is empty"):
        read_configuration({**ENVIRONMENT, name: "a,"})


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        (
            "INPUT_START_OFFSETS",
            "latest",
            "INPUT_NAMES has 2 entries, INPUT_START_OFFSETS has 1: expected a start offset for",
        ),
        ("INPUT_START_OFFSETS", "latest,first", "'first' is not .* expected earliest or latest"),
        ("INPUT_NAMES", "a,a", "INPUT_NAMES='a,a': 'a' is there twice"),
        ("OUTPUT_NAMES", "a,b,a", "OUTPUT_NAMES='a,b,a': 'a' is there twice"),
        ("FUNCTION", "localhost", "FUNCTION: 'localhost' is not an address: expected host:port"),
        ("FUNCTION", "localhost:0", "'localhost:0' is not an address"),
        ("FUNCTION", "localhost:70000", "'localhost:70000' is not an address"),
        ("PENSTOCK_WINDOW", "{", r"PENSTOCK_WINDOW='{': Invalid JSON.*; expected JSON .*\"Count\""),
        ("PENSTOCK_WINDOW", "[]", "should be an object"),
        ("PENSTOCK_WINDOW", "null", "should be an object"),
        ("PENSTOCK_WINDOW", '{"size": "0s"}', "size: '0s' is not allowed: expected 1ms to 8760h"),
        ("PENSTOCK_WINDOW", '{"type": "Hopping"}', "type: .*'Tumbling', 'Sliding', .* or 'Global'"),
        (
            "PENSTOCK_WINDOW",
            '{"type": "Sliding", "every": "7s"}',
            r"size: is required with type Sliding; expected JSON",
        ),
        (
            "PENSTOCK_WINDOW",
            '{"hop": "1s"}',
            r"hop: there is no such field \(there are: type, size",
        ),
        (
            "PENSTOCK_WINDOW",
            '{"time": "Event", "latePolicy": "DeadLetter"}',
            "latePolicy: DeadLetter needs deadLetter in PENSTOCK_DELIVERY",
        ),
        ("PENSTOCK_DELIVERY", "{'timeout': 1}", "PENSTOCK_DELIVERY=.*: Invalid JSON"),
        ("PENSTOCK_DELIVERY", '{"timeout": 30}', "timeout: 30 is not a duration: expected a text"),
        ("PENSTOCK_DELIVERY", '{"timeout": "25h"}', "'25h' is not allowed: expected 1ms to 24h"),
        ("PENSTOCK_DELIVERY", '{"retries": 3}', "retries: there is no such field .*maxDeliveries"),
        ("PENSTOCK_DELIVERY", '{"deadLetter": {}}', "deadLetter.stream: Field required"),
        (
            "PENSTOCK_DELIVERY",
            '{"backoff": {"initial": "1m"}}',
            r"backoff.initial: must be at most max \(initial is 1m, max is 30s\)",
        ),
        (
            "PENSTOCK_DELIVERY",
            '{"guarantee": "AtMostOnce", "maxDeliveries": 2}',
            r"maxDeliveries: must be 1 .*\(maxDeliveries is 2, guarantee is AtMostOnce\)",
        ),
        ("PENSTOCK_BUFFER_MESSAGES", "0", "'0': expected a number of messages, 1 to 1000000000"),
        ("PENSTOCK_BUFFER_MESSAGES", "-5", "'-5': expected a number of messages"),
        ("PENSTOCK_BUFFER_MESSAGES", "1k", "'1k': expected a number of messages"),
        ("PENSTOCK_BUFFER_BYTES", "64MB", '"64MB" is not a number of bytes: expected'),
        ("PENSTOCK_BUFFER_BYTES", "0", '"0" is not a number of bytes'),
        ("PENSTOCK_GRACE_SECONDS", "soon", "'soon': expected a number of seconds, 0 or more"),
        ("PENSTOCK_GRACE_SECONDS", "-1", "'-1': expected a number of seconds"),
        ("PENSTOCK_GRACE_SECONDS", "inf", "'inf': expected a number of seconds"),
        ("PENSTOCK_PROTOCOL", "http", "PENSTOCK_PROTOCOL='http': expected batch or riff"),
    ],
)
def test_a_value_that_is_wrong_is_shown_with_what_is_allowed(
    name: str, value: str, text: str
) -> None:
    with pytest.raises(UsageError, match=text) as refusal:
        read_configuration({**ENVIRONMENT, name: value})
    assert not isinstance(refusal.value, MissingVariable)
    assert "\n" not in str(refusal.value)
