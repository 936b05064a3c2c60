from collections import Counter
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.plugin import share_out


@st.composite
def situations(draw: st.DrawFn) -> tuple[list[str], int, dict[int, str]]:
    """Members, a number of partitions, and who had them before: some of these have left."""
    members = draw(st.lists(st.sampled_from("abcdef"), unique=True, min_size=1))
    partitions = draw(st.integers(0, 12))
    known = draw(st.integers(0, partitions))
    before = draw(st.lists(st.sampled_from("abcdefgh"), min_size=known, max_size=known))
    return members, partitions, dict(enumerate(before))


@settings(deadline=None)
@given(situations())
def test_every_partition_has_one_owner_and_shares_differ_by_one_at_most(
    situation: tuple[list[str], int, dict[int, str]],
) -> None:
    members, partitions, before = situation
    plan = share_out(members, partitions, before)
    assert sorted(plan) == list(range(partitions))
    shares = Counter(dict.fromkeys(members, 0))
    shares.update(plan.values())
    assert set(shares) == set(members)
    assert max(shares.values()) - min(shares.values()) <= 1


@settings(deadline=None)
@given(situations())
def test_as_few_partitions_move_as_balance_allows(
    situation: tuple[list[str], int, dict[int, str]],
) -> None:
    members, partitions, before = situation
    plan = share_out(members, partitions, before)
    stayed = sum(plan[partition] == member for partition, member in before.items())
    had = Counter(before.values())
    share, larger_shares = divmod(partitions, len(members))
    possible = max(
        sum(min(had[member], share + (member in larger)) for member in members)
        for larger in combinations(members, larger_shares)
    )
    assert stayed == possible


@settings(deadline=None)
@given(situations())
def test_when_a_member_leaves_the_others_keep_what_they_have(
    situation: tuple[list[str], int, dict[int, str]],
) -> None:
    members, partitions, before = situation
    plan = share_out(members, partitions, before)
    after = share_out(members[1:], partitions, plan)
    for partition, member in plan.items():
        if after and member != members[0]:
            assert after[partition] == member


def test_nobody_gets_nothing() -> None:
    assert share_out([], 4, {0: "gone"}) == {}
