"""Who of a group reads which partition: the leader's decision, without Kafka and without waiting.

A partition moves in two steps, so that nobody else is held up and nobody reads it twice: first
its reader is told to give it up, and keeps it meanwhile; once that member joins again without
it, it is handed on. This is the cooperative protocol of KIP-429, carried by the members' own data.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from penstock.plugin import share_out


class Claim(NamedTuple):
    """What a member says when it joins.

    Attributes:
        topic: The one topic that it reads.
        partitions: How many partitions the topic has, as far as the member knows.
        held: Those that it holds: it reads them, or is finishing with them.
        generation: The last one of the group that gave it a share, or -1.
    """

    topic: str
    partitions: int
    held: frozenset[int] = frozenset()
    generation: int = -1


@dataclass(frozen=True, slots=True)
class Share:
    """What a member is given.

    Attributes:
        partitions: It holds these, or begins to.
        revoking: Those of them that it must give up as soon as it can.
        total: How many partitions the topic has, as far as anybody in the group knows.
        settles: It stores where the group begins in the partitions that have no position.
        alone: The group has no other member on the topic.
    """

    partitions: frozenset[int] = frozenset()
    revoking: frozenset[int] = frozenset()
    total: int = 0
    settles: bool = False
    alone: bool = False


def share(claims: Mapping[str, Claim]) -> dict[str, Share]:
    """Give each member its share.

    Args:
        claims: What each member says, by member id.
    """
    by_topic: dict[str, dict[str, Claim]] = defaultdict(dict)
    for member, claim in sorted(claims.items()):
        by_topic[claim.topic][member] = claim
    shares: dict[str, Share] = {}
    for members in by_topic.values():
        shares |= _share_topic(members)
    return shares


def _share_topic(claims: Mapping[str, Claim]) -> dict[str, Share]:
    total = max(claim.partitions for claim in claims.values())
    holders = _holders(claims, total)
    plan = share_out(list(claims), total, holders)
    settles = next(iter(claims))
    shares: dict[str, Share] = {}
    for member in claims:
        held = frozenset(partition for partition, holder in holders.items() if holder == member)
        planned = frozenset(partition for partition, taker in plan.items() if taker == member)
        shares[member] = Share(
            partitions=held | (planned - holders.keys()),
            revoking=held - planned,
            total=total,
            settles=member == settles,
            alone=len(claims) == 1,
        )
    return shares


def _holders(claims: Mapping[str, Claim], total: int) -> dict[int, str]:
    """Who holds which partition; of two that claim one, the later generation is right."""
    holders: dict[int, str] = {}
    for member, claim in claims.items():
        for partition in claim.held:
            rival = holders.get(partition)
            if partition < total and (rival is None or claims[rival].generation < claim.generation):
                holders[partition] = member
    return holders
