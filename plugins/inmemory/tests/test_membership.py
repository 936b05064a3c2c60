from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from penstock_inmemory.membership import Membership, Moves


def test_a_partition_moves_only_when_its_holder_has_released_it() -> None:
    membership: Membership[str] = Membership(2)
    assert membership.join("a") == Moves({}, {"a": {0, 1}})
    assert membership.join("b") == Moves({"a": {1}}, {})
    assert membership.holds("a", 1)
    assert membership.release("b", [1]) == Moves({}, {}), "it is not b's to release"
    assert membership.release("a", [0]) == Moves({}, {}), "a was not told to let it go"
    assert membership.release("a", [1]) == Moves({}, {"b": {1}})
    assert membership.holds("b", 1)


def test_who_leaves_hands_over_at_once() -> None:
    membership: Membership[str] = Membership(2)
    membership.join("a")
    membership.join("b")
    assert membership.leave("a") == Moves({}, {"b": {0, 1}})
    assert membership.leave("a") == Moves({}, {}), "it has left already"
    assert membership.members == ("b",)


def test_a_partition_that_comes_back_must_be_released_first() -> None:
    membership: Membership[str] = Membership(2)
    membership.join("a")
    membership.join("b")
    assert membership.leave("b") == Moves({}, {}), "a was told to let partition 1 go"
    assert membership.release("a", [1]) == Moves({}, {"a": {1}})


class Groups(RuleBasedStateMachine):
    """Members come, go and release in any order; what they are told is kept beside it."""

    def __init__(self) -> None:
        super().__init__()
        self.membership: Membership[int] = Membership(5)
        self.names = iter(range(1_000_000))
        self.reading: dict[int, int] = {}
        self.releasing: dict[int, int] = {}

    def carry_out(self, moves: Moves[int]) -> None:
        for member, partitions in moves.revoked.items():
            for partition in partitions:
                assert self.reading.pop(partition) == member
                self.releasing[partition] = member
        for member, partitions in moves.assigned.items():
            for partition in partitions:
                assert partition not in self.reading, "somebody still reads it"
                assert partition not in self.releasing, "somebody still finishes with it"
                self.reading[partition] = member

    @rule()
    def join(self) -> None:
        self.carry_out(self.membership.join(next(self.names)))

    @precondition(lambda self: self.membership.members)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        member = data.draw(st.sampled_from(self.membership.members))
        for told in (self.reading, self.releasing):
            for partition in [one for one, holder in told.items() if holder == member]:
                del told[partition]
        self.carry_out(self.membership.leave(member))

    @precondition(lambda self: self.releasing)
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        partition = data.draw(st.sampled_from(sorted(self.releasing)))
        member = self.releasing.pop(partition)
        self.carry_out(self.membership.release(member, [partition]))

    @precondition(lambda self: self.membership.partitions < 9)
    @rule()
    def grow(self) -> None:
        self.carry_out(self.membership.grow(self.membership.partitions + 1))

    @invariant()
    def nothing_is_forgotten(self) -> None:
        if self.membership.members:
            held = sorted([*self.reading, *self.releasing])
            assert held == list(range(self.membership.partitions))

    @invariant()
    def once_all_is_released_it_is_balanced(self) -> None:
        if self.membership.members and not self.releasing:
            shares = Counter(dict.fromkeys(self.membership.members, 0))
            shares.update(self.reading.values())
            assert max(shares.values()) - min(shares.values()) <= 1


def test_whatever_happens_each_partition_has_one_reader_and_shares_even_out() -> None:
    run_state_machine_as_test(Groups, settings=settings(deadline=None, max_examples=50))
