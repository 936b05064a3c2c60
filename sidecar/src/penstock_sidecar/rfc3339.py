"""Times as people and events write them: RFC 3339, or a number."""

import re
from datetime import UTC, datetime, timedelta

_LONGEST = 64  # characters; whoever sends a megabyte sends no time
_TIME = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})", re.ASCII
)
_NUMBER = re.compile(r"\d+(?:\.\d+)?", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_FIRST_MILLISECONDS = 1e11
"""Numbers below this are seconds (up to the year 5138), others milliseconds (from 1973 on)."""


def milliseconds(text: str) -> int | None:
    """Milliseconds since 1970 of a time, rounded down.

    Args:
        text: RFC 3339, or a number: of seconds since 1970 below 1e11, else of milliseconds.

    Returns:
        ``None``: it is neither.
    """
    if len(text) > _LONGEST:
        return None
    if _TIME.fullmatch(text):
        try:
            return (datetime.fromisoformat(text.upper()) - _EPOCH) // _MILLISECOND
        except ValueError:  # the 30th of February
            return None
    if _NUMBER.fullmatch(text):
        number = float(text)
        return int(number * 1000 if number < _FIRST_MILLISECONDS else number)
    return None


def text_of(milliseconds_since_1970: int) -> str:
    """A time in words; one that no calendar has stays a number."""
    try:
        moment = datetime.fromtimestamp(milliseconds_since_1970 / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return str(milliseconds_since_1970)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
