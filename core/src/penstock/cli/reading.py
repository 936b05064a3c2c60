"""Reads all partitions of a subscription as one."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from uuid import uuid4

from penstock.plugin import (
    Assigned,
    Edge,
    Group,
    PositionExpired,
    PubSub,
    Record,
    Subscription,
    TemporaryError,
)

READ_RECORDS = 500
SILENCE = 30.0
"""Seconds without a record after which one that should be there is no longer waited for."""

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


async def read_to_end(
    gateway: PubSub, topic: str, ends: Mapping[int, int], note: Callable[[str], None]
) -> AsyncGenerator[Batch, None]:
    """What a topic holds, from its beginning up to some records, and nothing behind them.

    Args:
        gateway: Where the topic is, open.
        topic: The topic.
        ends: The offset of the last record to read, by partition; others are not read.
        note: Told of records that are gone by retention.

    Raises:
        TemporaryError: The gateway failed, or a record up to which to read does not come.
    """
    left = dict(ends)
    if not left:
        return
    # As `penstock subscribe`: where groups need rights, they are given by this prefix.
    group = Group(f"penstock-subscribe-{uuid4().hex}")
    async with (
        await gateway.subscribe(topic, group, Edge.EARLIEST) as subscription,
        aclosing(read_batches(subscription, note)) as batches,
    ):
        while left:
            try:
                async with asyncio.timeout(SILENCE):
                    partition, records = await anext(batches)
            except TimeoutError as error:
                unread = ", ".join(f"{partition}/{offset}" for partition, offset in left.items())
                raise TemporaryError(
                    f'topic "{topic}": its records up to {unread} (PARTITION/OFFSET) did not come '
                    f"in {SILENCE:g} s; try again"
                ) from error
            if partition not in left:
                continue
            end = left[partition]
            if records[-1].offset >= end:
                del left[partition]
                records = [record for record in records if record.offset <= end]
            if records:
                yield partition, records
