"""The cooperative sharing as an assignment strategy of aiokafka's group protocol."""

import json
from collections.abc import Callable, Iterable, Mapping

from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.protocol import (
    ConsumerProtocolMemberAssignment,
    ConsumerProtocolMemberMetadata,
)

from penstock_kafka.groups.sharing import Claim, Share, share

_VERSION = 0


class CooperativeAssignor:
    """Speaks for one member, and decides for all where that member leads the group.

    aiokafka takes classes for its strategies, and calls nothing but these methods on them: an
    instance does as well, and has a state of its own.

    Args:
        claim: Gives what the member says of itself, each time that it joins.
        told: Called with the member's share, before aiokafka's listener is.
    """

    name = "penstock-cooperative"

    def __init__(self, claim: Callable[[], Claim], told: Callable[[Share], None]) -> None:
        self._claim = claim
        self._told = told

    def metadata(self, topics: Iterable[str]) -> ConsumerProtocolMemberMetadata:
        """What this member says when it joins."""
        claim = self._claim()
        said = {"held": sorted(claim.held), "generation": claim.generation}
        return ConsumerProtocolMemberMetadata(_VERSION, list(topics), _encode(said))

    def assign(
        self, cluster: ClusterMetadata, members: Mapping[str, ConsumerProtocolMemberMetadata]
    ) -> dict[str, ConsumerProtocolMemberAssignment]:
        """Share out all topics of the group; called on the leader."""
        claims = {member: _claim(metadata) for member, metadata in members.items()}
        partitions = {
            topic: len(cluster.partitions_for_topic(topic) or ())
            for topic in {claim.topic for claim in claims.values()}
        }
        return {
            member: _assignment(claims[member].topic, given)
            for member, given in share(claims, partitions).items()
        }

    def on_assignment(self, assignment: ConsumerProtocolMemberAssignment) -> None:
        """Read what this member was given."""
        given = json.loads(assignment.user_data)
        self._told(
            Share(
                partitions=frozenset(tp.partition for tp in assignment.partitions()),
                revoking=frozenset(given["revoking"]),
                settles=given["settles"],
                alone=given["alone"],
            )
        )


def _claim(metadata: ConsumerProtocolMemberMetadata) -> Claim:
    said = json.loads(metadata.user_data)
    return Claim(metadata.subscription[0], frozenset(said["held"]), said["generation"])


def _assignment(topic: str, given: Share) -> ConsumerProtocolMemberAssignment:
    said = {
        "revoking": sorted(given.revoking),
        "settles": given.settles,
        "alone": given.alone,
    }
    partitions = [(topic, sorted(given.partitions))] if given.partitions else []
    return ConsumerProtocolMemberAssignment(_VERSION, partitions, _encode(said))


def _encode(said: Mapping[str, object]) -> bytes:
    return json.dumps(said, separators=(",", ":")).encode()
