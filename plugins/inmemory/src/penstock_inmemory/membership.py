"""Who of a group reads which partition. Nothing here waits, knows a time, or reads a record."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence, Set
from typing import Generic, NamedTuple, TypeVar

from penstock.plugin import share_out

MemberT = TypeVar("MemberT", bound=Hashable)


class Moves(NamedTuple, Generic[MemberT]):
    """What members have to be told: the partitions that they lose, and those that they get."""

    revoked: Mapping[MemberT, Set[int]]
    assigned: Mapping[MemberT, Set[int]]


class Membership(Generic[MemberT]):
    """The members of a group and what they hold, changed by what happens to them.

    A partition that is to move is first taken from its holder, and given on only once the holder
    has released it or left; all others stay where they are.

    Args:
        partitions: How many there are to share.

    Attributes:
        partitions: The same; see `grow`.
        revoking: Partitions that their holder was told to let go, and has not yet released.
    """

    def __init__(self, partitions: int) -> None:
        self.partitions = partitions
        self.revoking: set[int] = set()
        self._members: list[MemberT] = []
        self._plan: dict[int, MemberT] = {}
        self._holders: dict[int, MemberT] = {}

    @property
    def members(self) -> Sequence[MemberT]:
        """Everybody, in the order in which they joined."""
        return tuple(self._members)

    def holds(self, member: MemberT, partition: int) -> bool:
        """Whether a member reads a partition, or is still finishing with it."""
        return self._holders.get(partition) == member

    def join(self, member: MemberT) -> Moves[MemberT]:
        """Add a member."""
        self._members.append(member)
        return self._rebalance()

    def leave(self, member: MemberT) -> Moves[MemberT]:
        """Remove a member; what it holds is free at once. Who is no member is ignored."""
        if member in self._members:
            self._members.remove(member)
        self._free(partition for partition in self._holders if self.holds(member, partition))
        return self._rebalance()

    def release(self, member: MemberT, partitions: Iterable[int]) -> Moves[MemberT]:
        """Take what a member was told to let go; any other partition is ignored."""
        self._free(
            partition
            for partition in partitions
            if partition in self.revoking and self.holds(member, partition)
        )
        return self._hand_over()

    def grow(self, partitions: int) -> Moves[MemberT]:
        """Share more partitions than before."""
        self.partitions = partitions
        return self._rebalance()

    def _free(self, partitions: Iterable[int]) -> None:
        for partition in tuple(partitions):
            del self._holders[partition]
            self.revoking.discard(partition)

    def _rebalance(self) -> Moves[MemberT]:
        self._plan = share_out(self._members, self.partitions, self._plan)
        return self._hand_over()

    def _hand_over(self) -> Moves[MemberT]:
        """Bring what is held as near to the plan as can be now."""
        revoked: dict[MemberT, set[int]] = defaultdict(set)
        assigned: dict[MemberT, set[int]] = defaultdict(set)
        for partition, member in self._plan.items():
            holder = self._holders.get(partition)
            if holder is None:
                self._holders[partition] = member
                assigned[member].add(partition)
            elif holder != member and partition not in self.revoking:
                self.revoking.add(partition)
                revoked[holder].add(partition)
        return Moves(revoked, assigned)
