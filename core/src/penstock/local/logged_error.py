"""What is wrong, as a line of a sidecar's log tells it."""

import json
import re
from typing import Final

_TEXT: Final = re.compile(r"\S+Z (?:ERROR|CRITICAL) (.*)")
_LEVELS: Final = ("ERROR", "CRITICAL")


def logged_error(line: str) -> str | None:
    """The event of a line of level error, in either format of the log; ``None``: it is no such."""
    if match := _TEXT.fullmatch(line):
        return match[1]
    if not line.startswith("{"):
        return None
    try:
        fields = json.loads(line)
    except ValueError:
        return None
    return str(fields.get("message")) if fields.get("level") in _LEVELS else None
