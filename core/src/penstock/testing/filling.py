"""Messages that carry their number, and partitions that have enough of them."""

from typing import Final

from penstock.plugin import Message
from penstock.testing.expectation import BrokenPromise
from penstock.testing.rig import Rig

_MOST_BATCHES: Final = 200


def numbers(amount: int, start: int = 0, key: bytes | None = None, size: int = 0) -> list[Message]:
    """Messages that carry their number.

    Args:
        amount: How many.
        start: The first number.
        key: Of all of them.
        size: Bytes to fill each payload up to.
    """
    return [Message((b"%d" % one).ljust(size), key=key) for one in range(start, start + amount)]


async def fill(rig: Rig, topic: str, partitions: int, least: int) -> dict[int, list[int]]:
    """Publish messages without a key until each partition has so many more of them.

    Returns:
        The offsets of all that were published, by partition.
    """
    offsets: dict[int, list[int]] = {partition: [] for partition in range(partitions)}
    batches = 0
    while min(map(len, offsets.values())) < least:
        batches += 1
        if batches > _MOST_BATCHES:
            sizes = {partition: len(stored) for partition, stored in offsets.items()}
            raise BrokenPromise(
                f"messages without a key, in {_MOST_BATCHES} batches of {partitions}\n"
                f"  expected: at least {least} in each of {partitions} partitions\n"
                f"  came:     {sizes}"
            )
        for position in await rig.publish(topic, numbers(partitions)):
            if position.partition not in offsets:
                raise BrokenPromise(
                    f"the partition of a message\n  expected: 0 to {partitions - 1}\n"
                    f"  came:     {position.partition}"
                )
            offsets[position.partition].append(position.offset)
    return offsets
