"""A group's position in one partition, as Kafka stores it with a commit.

Kafka keeps the offset to read next and a short text. The text says what the position is: where
the group began, or what it has acked. What other tools commit has another text, or none, and
counts as acked.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple


class Mark(StrEnum):
    """What a position is."""

    EDGE = "penstock: start at an edge"
    PLACED = "penstock: start at an offset or a time"
    ACKED = "penstock: acked"
    ACKED_BY_OTHERS = "penstock: acked by one who was no member"


_STARTS = frozenset({Mark.EDGE, Mark.PLACED})


class Stored(NamedTuple):
    """A position.

    Attributes:
        offset: Of the next record to read.
        mark: What it is; a text of another's making means acked.
    """

    offset: int
    mark: str = Mark.ACKED

    @property
    def acked(self) -> int:
        """Offset of the last record that is acked, or -1."""
        return -1 if self.mark in _STARTS else self.offset - 1


def behind(offset: int, mark: Mark = Mark.ACKED) -> Stored:
    """The position of a group that is done up to a record, that one included."""
    return Stored(offset + 1, mark)


def acked(positions: Mapping[int, Stored]) -> dict[int, int]:
    """The last record that is acked, by partition; those where none is are left out."""
    return {at: one.acked for at, one in sorted(positions.items()) if one.acked >= 0}


def highest_acked(versions: Iterable[Mapping[int, Stored]]) -> dict[int, int]:
    """By partition, the last record that any version of a group has acked."""
    highest: dict[int, int] = {}
    for positions in versions:
        for partition, offset in acked(positions).items():
            highest[partition] = max(offset, highest.get(partition, offset))
    return highest
