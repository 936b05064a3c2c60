"""What stays between the calls of a client of riff's protocol: its Subscribe, by a session id."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import NoReturn
from uuid import uuid4

from penstock.plugin import (
    Assigned,
    Edge,
    Group,
    PositionExpired,
    PubSub,
    Record,
    Revoked,
    Start,
    Subscription,
    SubscriptionEvent,
    TemporaryError,
    start_of_version,
)
from penstock.server.leaving import leave

_LOGGER = logging.getLogger(__name__)
_BATCH_RECORDS = 1000
_BATCH_BYTES = 1024 * 1024
_FIRST_PAUSE = 0.5  # seconds
_LONGEST_PAUSE = 10.0


class Holding:
    """A partition that a session holds, from its assignment until it is revoked.

    Attributes:
        revoked: Nothing more of it is to be sent.
    """

    def __init__(self, subscription: Subscription, partition: int) -> None:
        self.revoked = False
        self._subscription = subscription
        self._partition = partition
        self._taken = False

    async def batches(self) -> AsyncGenerator[Sequence[Record], None]:
        """Its records in order, until it is revoked.

        A batch is read when the one before has been dealt with: one, of about a mebibyte, is all
        that a client which stops reading makes the server hold. There are records for one caller
        only, whatever became of the first: what was on its way then is not read again, and a
        second that went on behind it would lose that.
        """
        if self._taken:
            return
        self._taken = True
        while records := await self._read():
            yield records

    async def _read(self) -> Sequence[Record]:
        # Once it is revoked, the partition may be this member's again: another holding reads it.
        while not self.revoked:
            try:
                return await self._subscription.read(self._partition, _BATCH_RECORDS, _BATCH_BYTES)
            # riff's protocol has a word for neither: the stream goes on where it can.
            except PositionExpired as gap:
                _LOGGER.warning("a reader was too slow and has missed records: %s", gap)
            except TemporaryError as error:
                fields = {"partition": self._partition}
                _LOGGER.warning(
                    "partition %d cannot be read now: %s", self._partition, error, extra=fields
                )
                await asyncio.sleep(error.retry_after or _FIRST_PAUSE)
        return ()


class Session:
    """A member of a group, for as long as its Subscribe is open.

    Args:
        gateway: What is subscribed to.
        topic: The topic.
        group: The group.
        edge: Where the group starts in the partitions for which it has no position.
        on_assigned: Called with this session each time that it is given partitions.

    Attributes:
        id: A UUID; clients name the session by it.
        topic: As given.
        group: As given.
    """

    def __init__(
        self,
        gateway: PubSub,
        topic: str,
        group: Group,
        edge: Edge,
        on_assigned: Callable[["Session"], None],
    ) -> None:
        self.id = str(uuid4())
        self.topic = topic
        self.group = group
        self._gateway = gateway
        self._edge = edge
        self._on_assigned = on_assigned
        self._rebalanced = asyncio.Event()
        self._subscription: Subscription | None = None
        self._holdings: dict[int, Holding] = {}

    async def join(self) -> None:
        """Become a member; when this returns, where the group starts is settled.

        Raises:
            PenstockError: As `PubSub.subscribe`.
        """
        start = await self._start()
        self._subscription = await self._gateway.subscribe(self.topic, self.group, start)

    async def leave(self) -> None:
        """Give everything up at once: what is being received ends."""
        self._holdings.clear()
        if self._subscription is not None:
            await leave(self._subscription)

    async def partitions(self) -> AsyncGenerator[list[int], None]:
        """All the partitions that it holds, after each rebalance; several may count as one.

        When the membership is lost, it joins anew, however long that takes.
        """
        # What is revoked is given up also while the client does not read what it is told here.
        following = asyncio.create_task(self._follow())
        following.add_done_callback(lambda _: self.remind())
        try:
            while True:
                await self._rebalanced.wait()
                self._rebalanced.clear()
                if following.done():
                    following.result()
                yield sorted(self._holdings)
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    def remind(self) -> None:
        """Have `partitions` tell them again, though they may be the same."""
        self._rebalanced.set()

    def holding(self, partition: int) -> Holding | None:
        """The partition, where the session holds it now."""
        return self._holdings.get(partition)

    async def ack(self, partition: int, offset: int) -> None:
        """Store the last offset that is done, also of a partition that was revoked since.

        Raises:
            PenstockError: As `PubSub.ack`.
        """
        if self._subscription is not None and partition in self._holdings:
            await self._subscription.ack({partition: offset})
        else:
            await self._gateway.ack(self.topic, self.group, {partition: offset})

    async def _start(self) -> Start:
        if self.group.version:
            return self._edge
        acked = await self._gateway.positions(self.topic, self.group.name)
        return start_of_version(self.group, acked, self._edge, fallback=self._edge)

    async def _follow(self) -> NoReturn:
        while True:
            assert self._subscription is not None
            try:
                event = await self._subscription.next_event()
            except TemporaryError as error:
                await self._rejoin(error)
            else:
                await self._change(event, self._subscription)

    async def _change(self, event: SubscriptionEvent, subscription: Subscription) -> None:
        match event:
            case Assigned(partitions):
                for partition in partitions:
                    self._holdings[partition] = Holding(subscription, partition)
                self.remind()
                self._on_assigned(self)
            case Revoked(partitions, grace):
                for partition in partitions:
                    if holding := self._holdings.pop(partition, None):
                        holding.revoked = True
                self.remind()
                # At once, whatever is being sent of them: riff's protocol has no word by which a
                # client says that it is done, and one that has stopped reading never would be.
                if grace > 0:
                    await subscription.release(partitions)

    async def _rejoin(self, lost: TemporaryError) -> None:
        pause = _FIRST_PAUSE
        await self.leave()
        while True:
            fields = {"group": str(self.group), "topic": self.topic}
            _LOGGER.warning(
                "a member of %s on %s joins anew: %s", self.group, self.topic, lost, extra=fields
            )
            await asyncio.sleep(lost.retry_after or pause)
            try:
                return await self.join()
            except TemporaryError as error:
                lost = error
                pause = min(2 * pause, _LONGEST_PAUSE)
