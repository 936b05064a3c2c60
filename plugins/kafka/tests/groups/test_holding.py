"""What a subscriber is told, whatever the group gives and takes."""

from hypothesis import given, settings
from hypothesis import strategies as st

from penstock_kafka.groups.holding import Holding

PARTITIONS = frozenset(range(4))


class Told:
    """A subscriber that believes what it is told, and objects to what makes no sense."""

    def __init__(self) -> None:
        self.held: dict[int, int] = {}
        self.revoking: frozenset[int] = frozenset()
        self.holding = Holding(self.held)
        self.reading: set[int] = set()
        self.finishing: set[int] = set()
        self.given = 0

    def catch_up(self) -> None:
        lost = self.holding.take_lost()
        assert lost <= self.reading
        self.reading -= lost
        revoked = self.holding.take_revoked(self.revoking)
        assert revoked <= self.reading
        self.reading -= revoked
        self.finishing |= revoked
        for partition in self.holding.unread(self.revoking):
            assert partition not in self.reading | self.finishing
            del self.held[partition]
        fresh = self.holding.take_fresh(self.revoking)
        assert not fresh & (self.reading | self.finishing), "assigned again before it was released"
        assert fresh <= self.held.keys()
        self.reading |= fresh

    def give(self, partition: int) -> None:
        self.given += 1
        self.held.setdefault(partition, self.given)

    def take(self, partition: int) -> None:
        self.held.pop(partition, None)

    def revoke(self, partition: int) -> None:
        self.revoking = frozenset({partition})

    def release(self, partition: int) -> None:
        for one in self.holding.finish([partition]):
            del self.held[one]
        self.finishing.discard(partition)


steps = st.lists(
    st.tuples(st.sampled_from(["give", "take", "revoke", "release"]), st.sampled_from([0, 1])),
    max_size=40,
)


@given(steps)
@settings(max_examples=500)
def test_a_subscriber_hears_of_each_partition_in_an_order_that_makes_sense(
    course: list[tuple[str, int]],
) -> None:
    told = Told()
    for step, partition in course:
        getattr(told, step)(partition)
        told.catch_up()
        assert told.reading <= told.held.keys()
    told.revoking = frozenset()
    for partition in PARTITIONS:
        told.release(partition)
    told.catch_up()
    assert told.reading == told.held.keys()
    assert not told.finishing


def test_what_was_lost_and_given_back_at_once_is_told_as_both() -> None:
    told = Told()
    told.give(0)
    told.catch_up()
    told.take(0)
    told.give(0)
    assert told.holding.take_lost() == {0}
    assert told.holding.take_fresh(()) == {0}


def test_a_release_that_comes_after_the_loss_gives_up_nothing() -> None:
    told = Told()
    told.give(0)
    told.catch_up()
    told.revoke(0)
    told.catch_up()
    told.take(0)
    told.give(0)
    told.revoking = frozenset()
    told.catch_up()
    assert told.reading == set()
    assert told.holding.finish([0]) == frozenset()
    told.finishing.clear()
    told.catch_up()
    assert told.reading == {0}


def test_what_was_not_revoked_cannot_be_released() -> None:
    told = Told()
    told.give(0)
    told.catch_up()
    assert told.holding.finish([0, 1]) == frozenset()
    assert told.held
