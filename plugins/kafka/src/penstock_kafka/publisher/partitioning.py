"""Which partition a message goes to: keys as Java's clients do it, all others in turn."""

import struct
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache

_CACHED_KEYS = 16_384
_CACHED_KEY_BYTES = 64

_MASK = 0xFFFFFFFF
_MULTIPLIER = 0x5BD1E995
_SEED = 0x9747B28C


def share_out(
    keys: Sequence[bytes | None], partitions: int, turn: int
) -> Mapping[int, Sequence[int]]:
    """The places in `keys` that go to each partition, in ascending order.

    Messages with a key go where it leads. Those without are cut into as many runs as there are
    partitions, of equal length, because a run is sent as one batch.

    Args:
        keys: Of the messages; ``None`` or empty where there is none.
        partitions: How many there are.
        turn: The partition that gets the first run.
    """
    if not any(keys):
        return _runs(range(len(keys)), partitions, turn)
    unkeyed = [place for place, key in enumerate(keys) if not key]
    places: defaultdict[int, list[int]] = defaultdict(list)
    for place, key in enumerate(keys):
        if key:
            # Most keys come again and again; of long ones too many would be kept.
            found = _cached_hash(key) if len(key) <= _CACHED_KEY_BYTES else hash_key(key)
            places[found % partitions].append(place)
    for partition, run in _runs(unkeyed, partitions, turn).items():
        places[partition] = sorted((*places[partition], *run))
    return places


def _runs(places: Sequence[int], partitions: int, turn: int) -> dict[int, Sequence[int]]:
    count = min(partitions, len(places))
    bounds = [len(places) * run // count for run in range(count + 1)] if count else []
    return {
        (turn + run) % partitions: places[bounds[run] : bounds[run + 1]] for run in range(count)
    }


def hash_key(key: bytes) -> int:
    """The number that, modulo the number of partitions, is the partition of a key.

    It is what the default partitioner of Kafka's Java client computes (murmur2 without the sign),
    so that the records of other producers are in the same partition as ours.
    """
    words = len(key) // 4
    found = _SEED ^ len(key)
    for word in struct.unpack_from(f"<{words}I", key):
        mixed = word * _MULTIPLIER & _MASK
        mixed = (mixed ^ mixed >> 24) * _MULTIPLIER & _MASK
        found = found * _MULTIPLIER & _MASK ^ mixed
    if rest := key[words * 4 :]:
        found = (found ^ int.from_bytes(rest, "little")) * _MULTIPLIER & _MASK
    found = (found ^ found >> 13) * _MULTIPLIER & _MASK
    return (found ^ found >> 15) & 0x7FFFFFFF


_cached_hash = lru_cache(_CACHED_KEYS)(hash_key)
