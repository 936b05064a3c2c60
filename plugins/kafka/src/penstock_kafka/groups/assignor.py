"""The cooperative sharing as an assignment strategy of aiokafka's group protocol."""

import json
from collections.abc import Callable, Iterable, Mapping

from aiokafka.coordinator.protocol import (
    ConsumerProtocolMemberAssignment,
    ConsumerProtocolMemberMetadata,
)
from aiokafka.errors import InconsistentGroupProtocolError

from penstock_kafka.groups.sharing import Claim, Share, share

_VERSION = 0


class CooperativeAssignor:
    """Speaks for one member, and decides for all where that member leads the group.

    aiokafka takes classes for its strategies, and calls nothing but these methods on them: an
    instance does as well, and has a state of its own.

    Args:
        claim: Gives what the member says, each time that it joins.
        told: Called with the member's share in each generation.
    """

    name = "penstock-cooperative"

    def __init__(self, claim: Callable[[], Claim], told: Callable[[Share], None]) -> None:
        self._claim = claim
        self._told = told

    def metadata(self, topics: Iterable[str]) -> ConsumerProtocolMemberMetadata:
        """What this member says when it joins."""
        claim = self._claim()
        said = {
            "partitions": claim.partitions,
            "held": sorted(claim.held),
            "generation": claim.generation,
        }
        return ConsumerProtocolMemberMetadata(_VERSION, list(topics), _encode(said))

    def assign(
        self, cluster: object, members: Mapping[str, ConsumerProtocolMemberMetadata]
    ) -> dict[str, ConsumerProtocolMemberAssignment]:
        """Share out all topics of the group; called on the leader.

        Args:
            cluster: What the leader's client knows of topics, which may be old: the members say
                how many partitions there are.
            members: What each of them said.
        """
        del cluster
        claims = {member: _claim(metadata) for member, metadata in members.items()}
        return {
            member: _assignment(claims[member].topic, given)
            for member, given in share(claims).items()
        }

    def on_assignment(self, assignment: ConsumerProtocolMemberAssignment) -> None:
        """Read what this member was given.

        Raises:
            InconsistentGroupProtocolError: Not by one of us: brokers share out by themselves where
                a group has members of their newer protocol.
        """
        try:
            given = json.loads(assignment.user_data or b"")
        except ValueError:
            raise InconsistentGroupProtocolError from None
        self._told(
            Share(
                partitions=frozenset(tp.partition for tp in assignment.partitions()),
                revoking=frozenset(given["revoking"]),
                total=given["total"],
                settles=given["settles"],
                alone=given["alone"],
            )
        )


def _claim(metadata: ConsumerProtocolMemberMetadata) -> Claim:
    said = json.loads(metadata.user_data)
    (topic,) = metadata.subscription
    return Claim(topic, said["partitions"], frozenset(said["held"]), said["generation"])


def _assignment(topic: str, given: Share) -> ConsumerProtocolMemberAssignment:
    said = {
        "revoking": sorted(given.revoking),
        "total": given.total,
        "settles": given.settles,
        "alone": given.alone,
    }
    partitions = [(topic, sorted(given.partitions))] if given.partitions else []
    return ConsumerProtocolMemberAssignment(_VERSION, partitions, _encode(said))


def _encode(said: Mapping[str, object]) -> bytes:
    return json.dumps(said, separators=(",", ":")).encode()
