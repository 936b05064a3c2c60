"""Reads all partitions of a subscription as one."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence

from penstock.plugin import Assigned, PositionExpired, Record, Subscription

READ_RECORDS = 500

Batch = tuple[int, Sequence[Record]]
"""Records and the partition that they are of."""


async def read_batches(
    subscription: Subscription, note: Callable[[str], None]
) -> AsyncGenerator[Batch, None]:
    """Batches as they come; of each partition one is read ahead.

    Args:
        subscription: Where from; revoked partitions are released.
        note: Told of records that are gone by retention.

    Raises:
        TemporaryError: The membership is lost.
    """
    event = asyncio.create_task(subscription.next_event())
    reads: dict[int, asyncio.Task[Sequence[Record]]] = {}

    def read(partition: int) -> None:
        reads[partition] = asyncio.create_task(subscription.read(partition, READ_RECORDS))

    try:
        while True:
            await asyncio.wait({event, *reads.values()}, return_when=asyncio.FIRST_COMPLETED)
            for partition in [p for p, task in reads.items() if task.done()]:
                try:
                    records = reads.pop(partition).result()
                except PositionExpired as gap:
                    note(str(gap))
                    read(partition)
                    continue
                # None at all: the partition is being revoked.
                if records:
                    yield partition, records
                    read(partition)
            if not event.done():
                continue
            if isinstance(happened := event.result(), Assigned):
                for partition in happened.partitions:
                    read(partition)
            elif ending := happened.partitions & reads.keys():
                # Their reads end by themselves: once more around, and they have.
                await asyncio.wait({reads[partition] for partition in ending})
                continue
            else:
                await subscription.release(happened.partitions)
            event = asyncio.create_task(subscription.next_event())
    finally:
        tasks = [event, *reads.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
