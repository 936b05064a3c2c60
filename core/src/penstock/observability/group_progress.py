"""How far a consumer group is in a topic, put together from what a process sees of it; pure."""

from collections.abc import Iterable, Mapping

from penstock.plugin import AtOffsets, Edge, Start


class GroupProgress:
    """Turns what a group has acked, and where a topic ends, into the messages it has to do yet.

    Where a group has acked nothing, its position is where it began, which no gateway tells: it
    follows from the first record that is delivered, and before that from where the group asked to
    begin. What is gone by retention before it was delivered is nobody's to do any more.

    Attributes:
        partitions: Those that members in this process hold.
    """

    def __init__(self) -> None:
        self.partitions: set[int] = set()
        self._members = 0
        self._before_start: dict[int, int] = {}
        self._before_others: int | None = None
        self._gone: dict[int, int] = {}
        self._fresh: set[int] = set()

    @property
    def has_members(self) -> bool:
        """Whether somebody reads here now."""
        return self._members > 0

    def begin(self, start: Start, ends: Mapping[int, int] | None) -> None:
        """A member joined.

        Args:
            start: Where it asked to begin, where the group has no position.
            ends: Offsets of the last records at that time, by partition; ``None``: not known.
        """
        # Where the first of an edge began counts, unless offsets are more precise.
        if self._members == 0 and isinstance(start, AtOffsets):
            self._before_start = {p: offset - 1 for p, offset in start.offsets.items()}
            self._begin_at_edge(start.otherwise, ends)
        elif isinstance(start, Edge) and self._before_others is None:
            self._begin_at_edge(start, ends)
        self._members += 1

    def _begin_at_edge(self, edge: Edge, ends: Mapping[int, int] | None) -> None:
        if edge is Edge.EARLIEST:
            self._before_others = -1
        elif ends is not None:
            self._before_start = {**ends, **self._before_start}
            self._before_others = -1

    def end(self) -> None:
        """A member left."""
        self._members -= 1

    def assigned(self, partitions: Iterable[int]) -> None:
        """A member was given partitions."""
        self.partitions.update(partitions)
        self._fresh.update(partitions)

    def revoked(self, partitions: Iterable[int]) -> None:
        """A member has to give partitions up."""
        self.partitions.difference_update(partitions)
        self._fresh.difference_update(partitions)

    def delivered(self, partition: int, first: int) -> None:
        """Records were read, the first of them at this offset."""
        if partition in self._fresh:
            self._fresh.remove(partition)
            self._before_start[partition] = first - 1

    def gone(self, partition: int, earliest: int) -> None:
        """Records were removed before they were read; this is the first that is kept."""
        self._gone[partition] = earliest - 1

    def lag(
        self, acked: Mapping[int, int], ends: Mapping[int, int], partitions: Iterable[int]
    ) -> Mapping[int, int]:
        """How many messages are not done, by partition; those for which nobody knows are left out.

        Args:
            acked: The group's last acked offsets.
            ends: Offsets of the last records; partitions without records are not in it.
            partitions: Those that are asked for.
        """
        lags = {}
        for partition in partitions:
            end = ends.get(partition)
            if end is None:
                lags[partition] = 0
            elif (position := self._position(partition, acked, end)) is not None:
                lags[partition] = max(0, end - position)
        return lags

    def _position(self, partition: int, acked: Mapping[int, int], end: int) -> int | None:
        position = acked.get(partition)
        if position is None:
            position = self._before_start.get(partition, self._before_others)
        gone = self._gone.get(partition, -1)
        # A topic that was made anew begins at 0 again: what was seen before says nothing of it.
        return position if position is None or gone > end else max(position, gone)
