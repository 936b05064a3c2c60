"""The log: one event a line, for a person on a terminal, as JSON elsewhere."""

import json
import logging
import sys
import time
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, TextIO

from penstock.plugin import UsageError

FORMAT_VARIABLE: Final = "PENSTOCK_LOG_FORMAT"
LEVEL_VARIABLE: Final = "PENSTOCK_LOG_LEVEL"
LEVELS: Final = ("debug", "info", "warning", "error")

# What could end a line, or steer a terminal: an event is one line, whatever text it quotes.
_CONTROLS: Final = {
    code: repr(chr(code))[1:-1] for code in (*range(32), *range(127, 160), 0x2028, 0x2029)
}
_OWN_ATTRIBUTES: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}


class LogFormat(StrEnum):
    """How events are written."""

    TEXT = "text"
    JSON = "json"


class TextFormatter(logging.Formatter):
    """A time, a level, and the event, for a person."""

    def format(self, record: logging.LogRecord) -> str:
        """The record's line."""
        event = record.getMessage()
        if record.exc_info:
            event += f"\n{self.formatException(record.exc_info)}"
        return f"{_time(record)} {record.levelname} {event.translate(_CONTROLS)}"


class JsonFormatter(logging.Formatter):
    """An object for each event: what every event has, the process's context, the event's own.

    Args:
        context: Fields of every event, such as the processor.
    """

    def __init__(self, context: Mapping[str, str]) -> None:
        super().__init__()
        self._context = context

    def format(self, record: logging.LogRecord) -> str:
        """The record's line."""
        fields: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
            **self._context,
        }
        for name, value in vars(record).items():
            if name not in _OWN_ATTRIBUTES:
                fields.setdefault(name, value)
        if record.exc_info:
            fields["exception"] = self.formatException(record.exc_info)
        return json.dumps(fields, default=str)


def set_up_log(
    environment: Mapping[str, str], stream: TextIO | None = None, **context: str
) -> None:
    """Log from now on as the environment says, Python's own warnings included.

    Args:
        environment: `PENSTOCK_LOG_FORMAT` is `text` or `json`; without it, `text` on a terminal
            and `json` elsewhere. `PENSTOCK_LOG_LEVEL` is the least level that is logged; without
            it, `info`.
        stream: Where to; standard error.
        context: Fields of every event in JSON; those that are empty are left out.

    Raises:
        UsageError: A variable has another value. The log is set up all the same, with the default
            in its place, so that this can be logged.
    """
    stream = sys.stderr if stream is None else stream
    format_ = environment.get(FORMAT_VARIABLE, "")
    level = environment.get(LEVEL_VARIABLE, "").lower()
    default = LogFormat.TEXT if stream.isatty() else LogFormat.JSON
    as_text = (format_ if format_ in list(LogFormat) else default) == LogFormat.TEXT
    known = {name: value for name, value in context.items() if value}
    handler = logging.StreamHandler(stream)
    handler.setFormatter(TextFormatter() if as_text else JsonFormatter(known))
    threshold = level if level in LEVELS else "info"
    logging.basicConfig(level=threshold.upper(), handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    if format_ not in ("", *LogFormat):
        raise UsageError(f"{FORMAT_VARIABLE}={format_!r}: expected {' or '.join(LogFormat)}")
    if level not in ("", *LEVELS):
        raise UsageError(f"{LEVEL_VARIABLE}={level!r}: expected one of {', '.join(LEVELS)}")


def _time(record: logging.LogRecord) -> str:
    """When, in UTC, to the millisecond."""
    seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
    return f"{seconds}.{int(record.msecs):03}Z"
