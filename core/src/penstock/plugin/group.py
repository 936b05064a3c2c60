"""Consumer groups, their versions, and where a group starts to read."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

_VERSIONED = re.compile(r"(?P<name>.+)-v(?P<version>[0-9]{1,9})")


class Group(NamedTuple):
    """A consumer group. Each version of it has members and positions of its own.

    Attributes:
        name: The name without a version.
        version: From 1; 0 is the group without a version.
    """

    name: str
    version: int = 0

    @classmethod
    def parse(cls, name: str, version: int = 0) -> "Group":
        """Read a group as riff's clients name it: `x-v3` is version 3 of `x`.

        An explicit version other than 0 wins, and leaves the name as it is.
        """
        match = None if version else _VERSIONED.fullmatch(name)
        if match:
            return cls(match["name"], int(match["version"]))
        return cls(name, version)

    def __str__(self) -> str:
        return f"{self.name}-v{self.version}" if self.version else self.name


class Edge(Enum):
    """An end of a topic."""

    EARLIEST = "earliest"
    LATEST = "latest"


@dataclass(frozen=True, slots=True)
class AtOffsets:
    """Start at these offsets (the first to deliver), by partition; elsewhere at `otherwise`."""

    offsets: Mapping[int, int]
    otherwise: Edge = Edge.EARLIEST


@dataclass(frozen=True, slots=True)
class AtTime:
    """Start at the first record stored at or after a time, in milliseconds since the epoch."""

    timestamp_ms: int


Start = Edge | AtOffsets | AtTime
"""Where a group starts in the partitions for which it has no position."""


def start_of_version(
    group: Group, acked: Mapping[int, Mapping[int, int]], start: Start, fallback: Edge
) -> Start:
    """Where a subscriber of `group` starts, given what each version of the group has acked.

    A group without a version starts at the position of its lowest acked version (riff's rule);
    every other group starts where it asked to.

    Args:
        group: Who subscribes.
        acked: Last acked offset by partition, by version, of the group's name.
        start: What the subscriber asked for.
        fallback: The edge for partitions that the lowest version has not acked.
    """
    others = sorted(version for version in acked if acked[version])
    if group.version or not others or others[0] == 0:
        return start
    lowest = acked[others[0]]
    return AtOffsets({partition: offset + 1 for partition, offset in lowest.items()}, fallback)
