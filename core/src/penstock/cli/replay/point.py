"""Where a replay begins or ends, as a person writes it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from penstock.duration import PATTERN, parse_duration
from penstock.plugin import AtTime, Edge, UsageError

_OFFSET: Final = re.compile(r"[0-9]{1,18}")
_BY_PARTITION: Final = re.compile(r"[0-9]{1,9}:[0-9]{1,18}(,[0-9]{1,9}:[0-9]{1,18})*")
_EXPECTED: Final = (
    "expected earliest, latest, a time (2026-01-31T12:00:00Z, or 1h for an hour ago), an offset "
    "(42) or offsets by partition (0:42,1:17)"
)


@dataclass(frozen=True, slots=True)
class Offsets:
    """Offsets: the same in every partition, or those of some partitions alone."""

    everywhere: int | None = None
    partitions: Mapping[int, int] | None = None

    def of(self, partition: int) -> int | None:
        """The offset in a partition; ``None``: the partition has no part in it."""
        if self.partitions is None:
            return self.everywhere
        return self.partitions.get(partition)


Point = Edge | AtTime | Offsets


def parse_point(option: str, text: str, now: float) -> Point:
    """Read a point.

    Args:
        option: Where it stands, for the text of an error.
        text: What stands there.
        now: Seconds since the epoch.

    Raises:
        UsageError: It is none, or a time that is yet to come.
    """
    if text in (Edge.EARLIEST.value, Edge.LATEST.value):
        return Edge(text)
    if _OFFSET.fullmatch(text):
        return Offsets(everywhere=int(text))
    if _BY_PARTITION.fullmatch(text):
        return _by_partition(option, text)
    time = _time(option, text, now)
    if time > now:
        raise UsageError(f"{option}: {text} is in the future: expected a time that has passed")
    return AtTime(int(time * 1000))


def _by_partition(option: str, text: str) -> Offsets:
    offsets: dict[int, int] = {}
    for entry in text.split(","):
        partition, offset = map(int, entry.split(":"))
        if partition in offsets:
            raise UsageError(f"{option}: {text}: partition {partition} is there twice")
        offsets[partition] = offset
    return Offsets(partitions=offsets)


def _time(option: str, text: str, now: float) -> float:
    """Seconds since the epoch."""
    try:
        if re.fullmatch(PATTERN, text):
            return now - parse_duration(text)
        time = datetime.fromisoformat(text.upper())
        if time.tzinfo is not None and "T" in text.upper():
            return time.timestamp()
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{option}: {text!r}: {_EXPECTED}") from error
    raise UsageError(
        f"{option}: {text!r} has no time zone: expected one, as in 2026-01-31T12:00:00Z"
    )


def check_order(start: Point, stop: Point) -> None:
    """See that a range is not the wrong way round, as far as that can be seen without its stream.

    Raises:
        UsageError: It is.
    """
    if stop is Edge.EARLIEST:
        raise UsageError("--to: nothing is before the earliest record: expected latest, or a time")
    if start is Edge.LATEST:
        raise UsageError("--from: nothing is behind the latest record: with --to it is earlier")
    if isinstance(start, AtTime) and isinstance(stop, AtTime):
        backwards = start.timestamp_ms >= stop.timestamp_ms
    elif isinstance(start, Offsets) and isinstance(stop, Offsets):
        partitions = {*(start.partitions or ()), *(stop.partitions or ())} or {0}
        pairs = [(start.of(one), stop.of(one)) for one in partitions]
        backwards = any(a > b for a, b in pairs if a is not None and b is not None)
    else:
        backwards = False
    if backwards:
        raise UsageError("--from is behind --to: expected it before that")
