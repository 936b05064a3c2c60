"""What `penstock run` shows."""

import logging
import os
from io import StringIO

from penstock.local.output import Output, OutputHandler


def test_every_line_has_a_name_in_front_and_names_are_aligned() -> None:
    stream = StringIO()
    output = Output(["time-averager", "up"], stream)
    output.event("two\nlines")
    output.log("up", "hello | there")
    output.log("time-averager", "")
    assert stream.getvalue() == (
        "penstock      | two\n"
        "penstock      | lines\n"
        "up            | hello | there\n"
        "time-averager | \n"
    )


def test_names_and_warnings_are_coloured_where_that_is_wanted() -> None:
    stream = StringIO()
    output = Output(["a", "b"], stream, color=True)
    output.log("a", "line")
    output.log("b", "line")
    output.warning("oh")
    a, b, warning = stream.getvalue().splitlines()
    assert a == "\x1b[36ma       \x1b[0m | line"
    assert b.startswith("\x1b[33m")
    assert warning.endswith("\x1b[31moh\x1b[0m")


def test_when_nobody_reads_any_more_it_goes_on_quietly() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as stream:
        output = Output([], stream)
        output.event("one")
        output.event("two")


def test_warnings_that_are_logged_are_shown_and_what_is_less_is_not() -> None:
    stream = StringIO()
    logger = logging.getLogger("of a plugin")
    logger.addHandler(OutputHandler(Output([], stream, color=True)))
    logger.warning("the disk is %s", "full")
    logger.info("hello")
    assert stream.getvalue() == "\x1b[1mpenstock\x1b[0m | \x1b[31mthe disk is full\x1b[0m\n"
