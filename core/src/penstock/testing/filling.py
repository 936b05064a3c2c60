"""Messages that carry their number, and partitions that have enough of them."""

import asyncio
from typing import Final

from penstock.plugin import Message
from penstock.testing.expectation import BrokenPromise
from penstock.testing.rig import Rig

_QUICK_BATCHES: Final = 100
_PACE: Final = 0.1  # seconds between two batches where those were not enough


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

    Publishers may learn of a partition that was just added a while later.

    Returns:
        The offsets of all that were published, by partition.
    """
    offsets: dict[int, list[int]] = {partition: [] for partition in range(partitions)}
    loop = asyncio.get_running_loop()
    end = loop.time() + rig.patience
    batches = 0
    while min(map(len, offsets.values())) < least:
        if loop.time() > end:
            sizes = {partition: len(stored) for partition, stored in offsets.items()}
            raise BrokenPromise(
                f"how many messages without a key are in each partition, of {sum(sizes.values())}\n"
                f"  expected: at least {least} within {rig.patience:g} s\n  came:     {sizes}"
            )
        for position in await rig.publish(topic, numbers(partitions)):
            if position.partition not in offsets:
                raise BrokenPromise(
                    f"the partition of a message\n  expected: 0 to {partitions - 1}\n"
                    f"  came:     {position.partition}"
                )
            offsets[position.partition].append(position.offset)
        batches += 1
        if batches > _QUICK_BATCHES:
            await asyncio.sleep(_PACE)
    return offsets
