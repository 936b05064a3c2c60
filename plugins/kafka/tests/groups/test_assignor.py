"""What members say, and what they are given, through the bytes of the group protocol."""

import pytest
from aiokafka.coordinator.protocol import ConsumerProtocol
from aiokafka.errors import InconsistentGroupProtocolError

from penstock_kafka.groups.assignor import CooperativeAssignor
from penstock_kafka.groups.sharing import Claim, Share


def round_trip(claims: dict[str, Claim]) -> dict[str, Share]:
    """Let each member say what it claims, one of them share out, and each read its share."""
    given: dict[str, Share] = {}

    def assignor(member: str) -> CooperativeAssignor:
        return CooperativeAssignor(
            lambda: claims[member], lambda share: given.update({member: share})
        )

    assignors = {member: assignor(member) for member in claims}
    said = {
        member: ConsumerProtocol.METADATA.decode(assignor.metadata([claims[member].topic]).encode())
        for member, assignor in assignors.items()
    }
    assigned = next(iter(assignors.values())).assign(None, said)
    for member, assignment in assigned.items():
        decoded = ConsumerProtocol.ASSIGNMENT.decode(assignment.encode())
        assignors[member].on_assignment(decoded)
    return given


def test_a_share_arrives_as_it_was_decided() -> None:
    given = round_trip({"a": Claim("x", 4, frozenset(range(4)), 7), "b": Claim("x", 4)})
    assert given == {
        "a": Share(frozenset(range(4)), frozenset({2, 3}), 4, settles=True, alone=False),
        "b": Share(frozenset(), frozenset(), 4, settles=False, alone=False),
    }


def test_a_member_alone_is_given_all() -> None:
    given = round_trip({"a": Claim("ö", 2)})
    assert given == {"a": Share(frozenset({0, 1}), frozenset(), 2, settles=True, alone=True)}


@pytest.mark.parametrize("user_data", [None, b"", b"not JSON"])
def test_a_share_that_none_of_us_has_given_is_refused(user_data: bytes | None) -> None:
    assignor = CooperativeAssignor(lambda: Claim("x", 1), lambda _: None)
    with pytest.raises(InconsistentGroupProtocolError):
        assignor.on_assignment(ConsumerProtocol.ASSIGNMENT(0, [("x", [0])], user_data))
