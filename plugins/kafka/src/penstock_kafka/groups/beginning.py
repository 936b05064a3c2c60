"""Where a group begins to read, in partitions for which that is still open: the rules."""

from collections.abc import Mapping
from typing import NamedTuple

from penstock.plugin import AtOffsets, AtTime, Edge, Start
from penstock_kafka.groups.stored import Mark, Stored

_BEGUN = frozenset({Mark.EDGE, Mark.PLACED, Mark.ACKED})


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


def beginning(
    start: Start, partitions: int, stored: Mapping[int, Stored], *, begun: bool, alone: bool
) -> Beginning | None:
    """Decide where partitions begin; ``None``: all have their position.

    A partition that the topic got after its group had begun is read from its first record: what
    is there was published after the group had been promised to miss nothing. That a group has
    begun can be seen by its positions: who acks without being a member leaves another mark.

    Args:
        start: What the member asked for.
        partitions: How many there are.
        stored: The positions that there are.
        begun: It is known already that the group has begun.
        alone: The member has just joined, and nobody else is there: where nothing is acked, an
            edge gives way to an offset or a time.
    """
    placed = isinstance(start, AtOffsets | AtTime)
    mark = Mark.PLACED if placed else Mark.EDGE
    missing = frozenset(range(partitions)) - stored.keys()
    edges = frozenset(at for at, one in stored.items() if one.mark == Mark.EDGE)
    if placed and alone:
        decided = Beginning(start, missing | edges, mark)
    elif begun or any(one.mark in _BEGUN for one in stored.values()):
        decided = Beginning(Edge.EARLIEST, missing, Mark.EDGE)
    else:
        decided = Beginning(start, missing, mark)
    return decided if decided.partitions else None
