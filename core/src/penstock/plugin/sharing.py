"""Who of a group's members reads which partition."""

from collections.abc import Hashable, Mapping, Sequence
from itertools import chain, repeat
from typing import TypeVar

MemberT = TypeVar("MemberT", bound=Hashable)


def share_out(
    members: Sequence[MemberT], partitions: int, before: Mapping[int, MemberT]
) -> dict[int, MemberT]:
    """Give each partition to a member: shares differ by one at most, and the fewest move.

    For gateways whose messaging system leaves that to its clients.

    Args:
        members: Who shares; nobody: nothing is assigned.
        partitions: They are numbered from 0.
        before: Who had which partition before; some may be members no longer.
    """
    if not members:
        return {}
    share, larger_shares = divmod(partitions, len(members))
    had: dict[MemberT, list[int]] = {member: [] for member in members}
    for partition, member in sorted(before.items()):
        if member in had:
            had[member].append(partition)
    # The larger shares go to those who had most: there they keep a partition from moving.
    by_size = sorted(members, key=lambda member: len(had[member]), reverse=True)
    shares = {member: share + (place < larger_shares) for place, member in enumerate(by_size)}
    plan = {partition: member for member in members for partition in had[member][: shares[member]]}
    free = [partition for partition in range(partitions) if partition not in plan]
    takers = chain.from_iterable(
        repeat(member, shares[member] - len(had[member])) for member in members
    )
    return plan | dict(zip(free, takers, strict=True))
