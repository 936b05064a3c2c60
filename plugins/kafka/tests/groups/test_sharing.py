"""The leader's decision, through any course of joins, leaves, crashes and releases."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from penstock_kafka.groups.sharing import Claim, Share, share

TOPIC = "topic"


@dataclass
class Member:
    """A member as it sees itself."""

    held: set[int] = field(default_factory=set)
    revoking: set[int] = field(default_factory=set)
    generation: int = -1


class World:
    """A group: who is in it, and what each believes."""

    def __init__(self, partitions: int) -> None:
        self.partitions = partitions
        self.members: dict[str, Member] = {}
        self.generation = 0
        self.joined = 0
        self.moved = 0

    def join(self) -> None:
        self.joined += 1
        self.members[f"member-{self.joined * 7919 % 1000:03}-{self.joined}"] = Member()

    def leave(self, number: int) -> None:
        if self.members:
            del self.members[sorted(self.members)[number % len(self.members)]]

    def release(self, number: int) -> None:
        """A member is done with one of the partitions that it was told to give up."""
        finishing = [(name, at) for name, one in self.members.items() for at in one.revoking]
        if finishing:
            name, partition = sorted(finishing)[number % len(finishing)]
            self.members[name].held.discard(partition)
            self.members[name].revoking.discard(partition)

    def release_all(self) -> None:
        for member in self.members.values():
            member.held -= member.revoking
            member.revoking.clear()

    def miss(self, number: int) -> None:
        """A member does not hear of the next generation, and joins the one after it as it was."""
        if self.members:
            name = sorted(self.members)[number % len(self.members)]
            self.share(deaf=name)

    def claims(self) -> dict[str, Claim]:
        return {
            name: Claim(TOPIC, self.partitions, frozenset(one.held), one.generation)
            for name, one in self.members.items()
        }

    def share(self, deaf: str = "") -> dict[str, Share]:
        """A generation: all join, and hear what they are given."""
        self.generation += 1
        before = {at: name for name, one in self.members.items() for at in one.held}
        shares = share(self.claims())
        for name, given_ in shares.items():
            if name == deaf:
                continue
            member = self.members[name]
            gained = given_.partitions - member.held
            self.moved += sum(1 for at in gained if before.get(at, name) != name)
            # What is still with somebody else must not be given to a second one.
            assert not any(before.get(at, name) != name for at in gained)
            member.held = set(given_.partitions)
            member.revoking = set(given_.revoking)
            member.generation = self.generation
        self.check()
        return shares

    def check(self) -> None:
        readers = [at for one in self.members.values() for at in one.held]
        assert len(readers) == len(set(readers)), "two members read one partition"
        assert all(0 <= at < self.partitions for at in readers)
        assert all(one.revoking <= one.held for one in self.members.values())

    def settle(self) -> int:
        """Release and share until nothing changes; how many generations it took."""
        for rounds in range(1, 6):
            self.release_all()
            before = self.claims()
            self.share()
            if not any(one.revoking for one in self.members.values()) and {
                name: claim.held for name, claim in before.items()
            } == {name: frozenset(one.held) for name, one in self.members.items()}:
                return rounds
        raise AssertionError("no balance after five generations")


steps = st.lists(
    st.one_of(
        st.just(("join", 0)),
        st.tuples(st.sampled_from(["leave", "release", "miss", "share"]), st.integers(0, 99)),
    ),
    max_size=30,
)


@given(st.integers(1, 12), steps)
@settings(max_examples=300, deadline=None)
def test_no_partition_ever_has_two_readers_and_balance_is_reached(
    partitions: int, course: list[tuple[str, int]]
) -> None:
    world = World(partitions)
    world.join()
    for step, number in course:
        match step:
            case "join":
                world.join()
            case "share":
                world.share()
            case _:
                getattr(world, step)(number)
        world.check()
    if not world.members:
        world.join()
    world.settle()
    sizes = [len(one.held) for one in world.members.values()]
    assert sum(sizes) == partitions
    assert max(sizes) - min(sizes) <= 1


@given(st.integers(1, 12), st.integers(1, 6))
def test_a_balanced_group_moves_nothing_when_it_joins_again(partitions: int, members: int) -> None:
    world = World(partitions)
    for _ in range(members):
        world.join()
    world.settle()
    before = world.claims()
    shares = world.share()
    assert {name: claim.held for name, claim in before.items()} == {
        name: one.partitions for name, one in shares.items()
    }
    assert not any(one.revoking for one in shares.values())


@given(st.integers(1, 24), st.integers(1, 8))
def test_who_joins_is_given_no_more_than_its_share(partitions: int, members: int) -> None:
    world = World(partitions)
    for _ in range(members):
        world.join()
    world.settle()
    world.join()
    world.share()
    moving = sum(len(one.revoking) for one in world.members.values())
    assert moving <= -(-partitions // (members + 1))


@given(st.integers(1, 24), st.integers(2, 8), st.integers(0, 99))
def test_what_one_leaves_goes_to_the_others_and_theirs_stays(
    partitions: int, members: int, leaver: int
) -> None:
    world = World(partitions)
    for _ in range(members):
        world.join()
    world.settle()
    world.leave(leaver)
    before = {name: set(one.held) for name, one in world.members.items()}
    world.share()
    assert all(before[name] <= one.held for name, one in world.members.items())
    assert not any(one.revoking for one in world.members.values())


def test_of_two_that_claim_a_partition_the_later_generation_is_right() -> None:
    for stale, right in (("a", "b"), ("b", "a")):
        shares = share(
            {
                stale: Claim(TOPIC, 2, frozenset({0, 1}), 3),
                right: Claim(TOPIC, 2, frozenset({0}), 4),
            }
        )
        assert shares[right].partitions == {0}
        assert shares[stale].partitions == {1}


def test_a_partition_that_is_not_there_any_more_is_given_to_nobody() -> None:
    shares = share({"a": Claim(TOPIC, 2, frozenset({0, 5}), 1)})
    assert shares["a"].partitions == {0, 1}


def test_the_member_that_knows_of_most_partitions_is_believed() -> None:
    shares = share({"a": Claim(TOPIC, 2), "b": Claim(TOPIC, 6)})
    assert shares["a"].partitions | shares["b"].partitions == set(range(6))
    assert [one.total for one in shares.values()] == [6, 6]


def test_topics_of_one_group_are_shared_out_each_for_itself() -> None:
    shares = share({"a": Claim("x", 3), "b": Claim("y", 2), "c": Claim("x", 3)})
    assert shares["a"].partitions | shares["c"].partitions == {0, 1, 2}
    assert shares["b"].partitions == {0, 1}
    assert [shares[name].alone for name in "abc"] == [False, True, False]


@given(st.sets(st.integers(0, 999), min_size=1, max_size=8))
def test_one_member_of_a_topic_settles_where_it_begins(numbers: set[int]) -> None:
    shares = share({f"member-{number}": Claim(TOPIC, 4) for number in numbers})
    assert [one.settles for one in shares.values()].count(True) == 1
    assert all(one.alone == (len(numbers) == 1) for one in shares.values())
