"""Which partition a message goes to."""

from collections import Counter
from collections.abc import Sequence
from itertools import chain, pairwise

import pytest
from aiokafka.partitioner import murmur2
from hypothesis import given
from hypothesis import strategies as st

from penstock_kafka.publisher.partitioning import hash_key, share_out

keys = st.lists(st.none() | st.binary(min_size=1, max_size=100), max_size=30)
counts = st.integers(1, 12)


@pytest.mark.parametrize(
    ("key", "hashed"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_keys_are_hashed_as_kafkas_own_tests_say(key: bytes, hashed: int) -> None:
    assert hash_key(key) == hashed & 0x7FFFFFFF


@given(key=st.binary(max_size=100))
def test_keys_are_hashed_as_aiokafka_does(key: bytes) -> None:
    assert hash_key(key) == murmur2(key) & 0x7FFFFFFF


@given(keys=keys, partitions=counts, turn=st.integers(0, 1000))
def test_each_message_goes_to_one_partition_in_order(
    keys: Sequence[bytes | None], partitions: int, turn: int
) -> None:
    shares = share_out(keys, partitions, turn)
    assert sorted(chain(*shares.values())) == list(range(len(keys)))
    for partition, places in shares.items():
        assert 0 <= partition < partitions
        assert places
        assert list(places) == sorted(places)


@given(keys=keys, partitions=counts, turn=st.integers(0, 1000))
def test_a_key_leads_to_its_partition(
    keys: Sequence[bytes | None], partitions: int, turn: int
) -> None:
    for partition, places in share_out(keys, partitions, turn).items():
        for place in places:
            key = keys[place]
            assert key is None or hash_key(key) % partitions == partition


@given(count=st.integers(1, 100), partitions=counts, turn=st.integers(0, 1000))
def test_messages_without_a_key_are_spread_evenly_in_runs(
    count: int, partitions: int, turn: int
) -> None:
    shares = share_out([None] * count, partitions, turn)
    assert len(shares) == min(count, partitions)
    assert min(shares) == turn % partitions or turn % partitions in shares
    lengths = [len(places) for places in shares.values()]
    assert max(lengths) - min(lengths) <= 1
    for places in shares.values():
        assert all(after == before + 1 for before, after in pairwise(places))


def test_turns_spread_single_messages() -> None:
    used = Counter(next(iter(share_out([None], 4, turn))) for turn in range(100))
    assert used == {0: 25, 1: 25, 2: 25, 3: 25}
