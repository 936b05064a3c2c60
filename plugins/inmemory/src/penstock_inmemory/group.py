"""One version of a consumer group on one topic: its positions and its members."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence

from penstock.plugin import AtOffsets, AtTime, Edge, Start
from penstock_inmemory.log import Log
from penstock_inmemory.member import Member
from penstock_inmemory.membership import Membership, Moves
from penstock_inmemory.reader import Reader


class ConsumerGroup:
    """Remembers how far the group is, and shares the topic's partitions among its members.

    Args:
        logs: The topic's, by partition; the topic adds to them, see `grow`.
        versions: All versions of the group, this one among them once it is made.
        grace: Seconds that a member has to release a partition that it must give up.

    Attributes:
        acked: Last acked offset, by partition; -1: nothing is done.
    """

    def __init__(
        self, logs: Sequence[Log], versions: Mapping[int, "ConsumerGroup"], grace: float
    ) -> None:
        self.acked: dict[int, int] = {}
        self._logs = logs
        self._versions = versions
        self._grace = grace
        # Where to begin in a partition that nobody has acked. Kept apart from `acked`: it is no
        # position that anybody reported, and must not be shown as one.
        self._starts: dict[int, int] = {}
        self._from_edge: set[int] = set()
        self._membership: Membership[Member] = Membership(len(logs))
        self._deadlines: dict[int, asyncio.TimerHandle] = {}

    def join(self, start: Start) -> Member:
        """Add a member and give it its share.

        Args:
            start: Where the group begins in the partitions for which that is still open. It is
                remembered: who comes later begins there too, wherever nobody has acked by then.
                An edge that is remembered gives way to offsets or a time, once nobody is left who
                began there: those say more of what the group has seen.
        """
        if not isinstance(start, Edge) and not self._membership.members:
            for partition in self._from_edge:
                del self._starts[partition]
            self._from_edge.clear()
        for partition, log in enumerate(self._logs):
            if partition not in self._starts:
                self._starts[partition] = first_offset(partition, log, start)
                if isinstance(start, Edge):
                    self._from_edge.add(partition)
        member = Member()
        self._carry_out(self._membership.join(member))
        return member

    def leave(self, member: Member, reason: str) -> None:
        """Remove a member; its partitions go to the others at once."""
        member.lose(reason)
        self._carry_out(self._membership.leave(member))

    def disband(self, reason: str) -> None:
        """Remove every member."""
        for member in self._membership.members:
            self.leave(member, reason)

    def grow(self) -> None:
        """Share the partitions that the topic has got since; the group reads all of each."""
        for partition in range(self._membership.partitions, len(self._logs)):
            self._starts[partition] = 0
        self._carry_out(self._membership.grow(len(self._logs)))

    def release(self, member: Member, partitions: Iterable[int]) -> None:
        """Hand revoked partitions on; those that the member has not to release are ignored."""
        self._carry_out(self._membership.release(member, partitions))

    def ack(self, positions: Mapping[int, int]) -> None:
        """Store positions, whoever says so."""
        self.acked.update(positions)

    def ack_as(self, member: Member, positions: Mapping[int, int]) -> None:
        """Store positions of the partitions that a member holds.

        Those of others are dropped: it has lost them, and an ack that comes too late must not
        replace one of their new reader.
        """
        holds = self._membership.holds
        self.ack({at: offset for at, offset in positions.items() if holds(member, at)})

    def positions(self) -> dict[int, int]:
        """Last acked offset, by partition; those in which nothing is done are left out."""
        return {at: offset for at, offset in self.acked.items() if offset >= 0}

    def _carry_out(self, moves: Moves[Member]) -> None:
        for partition in self._deadlines.keys() - self._membership.revoking:
            self._deadlines.pop(partition).cancel()
        for member, partitions in moves.revoked.items():
            member.revoke(partitions, self._grace)
            for partition in partitions:
                self._deadlines[partition] = asyncio.get_running_loop().call_later(
                    self._grace, self.release, member, [partition]
                )
        for member, partitions in moves.assigned.items():
            member.assign({partition: self._reader(partition) for partition in partitions})

    def _reader(self, partition: int) -> Reader:
        acked = self.acked.get(partition)
        start = self._starts[partition] if acked is None else acked + 1
        return Reader(partition, self._logs[partition], start, self._acked_by_any_version)

    def _acked_by_any_version(self, partition: int) -> int:
        return max(group.acked.get(partition, -1) for group in self._versions.values())


def first_offset(partition: int, log: Log, start: Start) -> int:
    """The first offset of a partition that a start delivers."""
    if isinstance(start, AtTime):
        return log.at_time(start.timestamp_ms)
    if isinstance(start, AtOffsets):
        if partition in start.offsets:
            return start.offsets[partition]
        start = start.otherwise
    return log.first if start is Edge.EARLIEST else log.end
