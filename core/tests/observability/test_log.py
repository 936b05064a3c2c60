"""The log: one event a line, in words or in JSON."""

import io
import json
import logging
import os
import pty
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from penstock.observability.log import set_up_log
from penstock.plugin import UsageError

LOG = logging.getLogger("penstock.test")


@pytest.fixture(autouse=True)
def root() -> Iterator[None]:
    """Leaves the log as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


def events(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_elsewhere_than_on_a_terminal_an_event_is_an_object(stream: io.StringIO) -> None:
    set_up_log({}, stream, processor="averager", group="")
    LOG.warning("input %s: lost", "numbers", extra={"input": "numbers", "partitions": [0, 2]})
    [event] = events(stream)
    when = datetime.fromisoformat(event.pop("time"))
    assert abs((datetime.now(UTC) - when).total_seconds()) < 60
    assert event == {
        "level": "WARNING",
        "logger": "penstock.test",
        "message": "input numbers: lost",
        "processor": "averager",
        "input": "numbers",
        "partitions": [0, 2],
    }


def test_on_a_terminal_it_is_a_line_for_a_person() -> None:
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal:
        set_up_log({}, terminal, processor="averager")
        LOG.info("ready", extra={"input": "numbers"})
    line = os.read(ours, 1000).decode().rstrip()
    os.close(ours)
    time, rest = line.split(" ", 1)
    assert time.endswith("Z")
    assert datetime.fromisoformat(time).year >= 2020
    assert rest == "INFO ready"


@pytest.mark.parametrize(("format_", "begins"), [("json", "{"), ("text", "2")])
def test_the_format_can_be_chosen(stream: io.StringIO, format_: str, begins: str) -> None:
    set_up_log({"PENSTOCK_LOG_FORMAT": format_}, stream)
    LOG.info("ready")
    assert stream.getvalue().startswith(begins)


@pytest.mark.parametrize("format_", ["json", "text"])
def test_an_exception_is_part_of_its_one_line(stream: io.StringIO, format_: str) -> None:
    set_up_log({"PENSTOCK_LOG_FORMAT": format_}, stream)
    try:
        raise ValueError("no\ngood")
    except ValueError:
        LOG.exception("it failed")
    [line] = stream.getvalue().splitlines()
    assert "it failed" in line
    assert "Traceback" in line
    assert "ValueError: no" in line


@pytest.mark.parametrize("format_", ["json", "text"])
def test_a_text_from_outside_neither_ends_the_line_nor_steers_the_terminal(
    stream: io.StringIO, format_: str
) -> None:
    set_up_log({"PENSTOCK_LOG_FORMAT": format_}, stream)
    LOG.error("it said: %s", "a\r\n2030-01-01 INFO forged\x1b[2J\x85\u2028é")
    [line] = stream.getvalue().splitlines()
    assert "\x1b" not in line
    assert "forged" in line


@pytest.mark.parametrize(
    ("level", "logged"), [("", ["info", "error"]), ("error", ["error"]), ("DEBUG", None)]
)
def test_what_is_below_the_level_is_left_out(
    stream: io.StringIO, level: str, logged: list[str] | None
) -> None:
    set_up_log({"PENSTOCK_LOG_LEVEL": level}, stream)
    for name in ("debug", "info", "error"):
        getattr(LOG, name)(name)
    assert [one["message"] for one in events(stream)] == (logged or ["debug", "info", "error"])


@pytest.mark.parametrize(
    ("variables", "text"),
    [
        ({"PENSTOCK_LOG_FORMAT": "yaml"}, "PENSTOCK_LOG_FORMAT='yaml': expected text or json"),
        ({"PENSTOCK_LOG_LEVEL": "loud"}, "PENSTOCK_LOG_LEVEL='loud': expected one of debug, info"),
    ],
)
def test_another_value_is_refused_and_that_can_be_logged(
    stream: io.StringIO, variables: dict[str, str], text: str
) -> None:
    with pytest.raises(UsageError, match=text):
        set_up_log(variables, stream)
    LOG.error("refused")
    assert [one["message"] for one in events(stream)] == ["refused"]


def test_a_field_does_not_replace_what_every_event_has(stream: io.StringIO) -> None:
    set_up_log({}, stream, processor="averager")
    LOG.info("ready", extra={"level": "none", "processor": "other", "time": "never"})
    [event] = events(stream)
    assert (event["level"], event["processor"]) == ("INFO", "averager")
    assert event["time"] != "never"


def test_a_warning_of_python_is_an_event_too(stream: io.StringIO) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        set_up_log({}, stream)
        warnings.warn("this is old", DeprecationWarning, stacklevel=1)
    [event] = events(stream)
    assert event["level"] == "WARNING"
    assert "this is old" in event["message"]
