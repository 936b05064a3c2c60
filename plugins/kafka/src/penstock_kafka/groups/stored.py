"""A group's position in one partition, as Kafka stores it with a commit.

Kafka keeps the offset to read next and a short text. The text says what the position is: where
the group began, or what it has acked. What other tools commit has another text, or none, and
counts as acked.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

from penstock.plugin import AtOffsets, AtTime, Edge, Start


class Mark(StrEnum):
    """What a position is."""

    EDGE = "penstock: start at an edge"
    PLACED = "penstock: start at an offset or a time"
    ACKED = "penstock: acked"


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
        return -1 if self.mark in (Mark.EDGE, Mark.PLACED) else self.offset - 1


def acked(offset: int) -> Stored:
    """The position of a group that is done up to a record, that one included."""
    return Stored(offset + 1)


def highest_acked(positions: Iterable[Mapping[int, Stored]]) -> dict[int, int]:
    """By partition, the last record that any version of a group has acked."""
    highest: dict[int, int] = {}
    for version in positions:
        for partition, stored in version.items():
            if stored.acked >= 0:
                highest[partition] = max(stored.acked, highest.get(partition, -1))
    return highest


class Beginning(NamedTuple):
    """Where partitions begin that have no position yet, or one that gives way.

    Attributes:
        start: Where.
        partitions: Which.
        mark: What their positions will be.
    """

    start: Start
    partitions: frozenset[int]
    mark: Mark


def beginnings(
    start: Start, partitions: int, stored: Mapping[int, Stored], *, newcomer: bool
) -> list[Beginning]:
    """Decide which partitions begin where.

    A partition that the topic got after its group had begun is read from its first record: what
    is there was published after the group had been promised to miss nothing.

    Args:
        start: What the member asked for.
        partitions: How many there are.
        stored: The positions that there are.
        newcomer: The member has just joined, and nobody else is there: where nothing is acked, an
            edge gives way to an offset or a time.
    """
    placed = isinstance(start, AtOffsets | AtTime)
    mark = Mark.PLACED if placed else Mark.EDGE
    missing = frozenset(range(partitions)) - stored.keys()
    has_begun = any(one.mark in set(Mark) for one in stored.values())
    decided = [
        Beginning(Edge.EARLIEST, missing, Mark.EDGE)
        if has_begun
        else Beginning(start, missing, mark)
    ]
    if newcomer and placed:
        edges = frozenset(at for at, one in stored.items() if one.mark == Mark.EDGE)
        decided.append(Beginning(start, edges, mark))
    return [one for one in decided if one.partitions]
