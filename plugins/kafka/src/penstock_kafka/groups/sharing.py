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
    """What a member says of itself when it joins.

    Attributes:
        topic: The one topic that it reads.
        held: The partitions that it reads now.
        generation: Of the group, as the member knew it when it was given them.
    """

    topic: str
    held: frozenset[int] = frozenset()
    generation: int = -1


@dataclass(frozen=True, slots=True)
class Share:
    """What a member is given.

    Attributes:
        partitions: It reads these, or begins to.
        revoking: Those of them that it must give up as soon as it can.
        settles: It stores where the group starts in the topic's partitions that have no position.
        alone: The group has no other member on the topic.
    """

    partitions: frozenset[int]
    revoking: frozenset[int] = frozenset()
    settles: bool = False
    alone: bool = False


def share(claims: Mapping[str, Claim], partitions: Mapping[str, int]) -> dict[str, Share]:
    """Give each member its share.

    Args:
        claims: What each member said, by member id.
        partitions: How many each topic has.
    """
    by_topic: dict[str, dict[str, Claim]] = defaultdict(dict)
    for member, claim in sorted(claims.items()):
        by_topic[claim.topic][member] = claim
    shares: dict[str, Share] = {}
    for topic, members in by_topic.items():
        shares |= _share_topic(members, partitions.get(topic, 0))
    return shares


def _share_topic(claims: Mapping[str, Claim], partitions: int) -> dict[str, Share]:
    holders = _holders(claims, partitions)
    plan = share_out(list(claims), partitions, holders)
    settles = next(iter(claims))
    shares: dict[str, Share] = {}
    for member in claims:
        held = {partition for partition, holder in holders.items() if holder == member}
        planned = {partition for partition, taker in plan.items() if taker == member}
        free = {partition for partition in planned if partition not in holders}
        shares[member] = Share(
            partitions=frozenset(held | free),
            revoking=frozenset(held - planned),
            settles=member == settles,
            alone=len(claims) == 1,
        )
    return shares


def _holders(claims: Mapping[str, Claim], partitions: int) -> dict[int, str]:
    """Who reads which partition; of two that claim one, the later generation is right."""
    holders: dict[int, str] = {}
    for member, claim in claims.items():
        for partition in claim.held:
            rival = holders.get(partition)
            if partition < partitions and (
                rival is None or claims[rival].generation < claim.generation
            ):
                holders[partition] = member
    return holders
