"""Errors are found among the lines of a log as it is written."""

import logging
from io import StringIO

import pytest

from penstock.local.logged_error import logged_error
from penstock.observability.log import JsonFormatter, TextFormatter

FORMATTERS = [TextFormatter(), JsonFormatter({"processor": "upper"})]


def line(formatter: logging.Formatter, level: int, text: str) -> str:
    handler = logging.StreamHandler(StringIO())
    handler.setFormatter(formatter)
    return handler.format(logging.LogRecord("one", level, "file", 1, text, (), None))


@pytest.mark.parametrize("formatter", FORMATTERS)
def test_an_error_is_found(formatter: logging.Formatter) -> None:
    text = "input in: partition 0 stops\nthere ERROR"
    found = logged_error(line(formatter, logging.ERROR, text))
    assert found in (text, text.replace("\n", "\\n"))
    assert logged_error(line(formatter, logging.CRITICAL, "the end")) == "the end"


@pytest.mark.parametrize("formatter", FORMATTERS)
def test_what_is_no_error_is_none(formatter: logging.Formatter) -> None:
    for level in (logging.DEBUG, logging.INFO, logging.WARNING):
        assert logged_error(line(formatter, level, "an ERROR Z ERROR of another")) is None


@pytest.mark.parametrize(
    "text", ["", "ERROR no", "{", '{"level": 1}', '{"level": "WARNING"}', "{}"]
)
def test_lines_of_others_are_none(text: str) -> None:
    assert logged_error(text) is None
