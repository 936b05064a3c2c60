"""What a subscriber is handed: a membership and a reader, behind penstock's interface.

The docstrings of `penstock.plugin.Subscription` say what each method promises.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

from penstock.plugin import (
    READ_BYTES,
    Assigned,
    PenstockError,
    Record,
    Revoked,
    Subscription,
    SubscriptionEvent,
    TemporaryError,
    is_unheard_of,
)
from penstock_kafka.groups.acks import MemberAcks
from penstock_kafka.groups.coordinators import NotAMember
from penstock_kafka.groups.holding import Holding
from penstock_kafka.groups.membership import Membership
from penstock_kafka.groups.offsets import NOBODY
from penstock_kafka.groups.reader import Reader
from penstock_kafka.groups.settlement import Settlement
from penstock_kafka.groups.surroundings import Surroundings, TopicDeleted

GRACE_SECONDS = 30.0
"""How long a member may take to finish with a partition that it must give up."""
JOIN_SECONDS = 45.0
"""How long it may take until a member has its share: others may be slow to join again."""

_LOG = logging.getLogger(__name__)


class KafkaSubscription(Subscription):
    """A member of a group that reads its share of a topic.

    Args:
        membership: What it is given.
        reader: What reads it.
        settlement: Where it begins.
        acks: Where its acks go.
        surroundings: What it looks at from time to time.
        grace: Seconds in which a partition that goes elsewhere has to be released.
        closed: Told when the subscription is over.
    """

    def __init__(
        self,
        *,
        membership: Membership,
        reader: Reader,
        settlement: Settlement,
        acks: MemberAcks,
        surroundings: Surroundings,
        grace: float,
        closed: Callable[["KafkaSubscription"], None],
    ) -> None:
        self._membership = membership
        self._reader = reader
        self._settlement = settlement
        self._acks = acks
        self._surroundings = surroundings
        self._grace = grace
        self._closed = closed
        self._holding = Holding(membership.held)
        self._deadlines: dict[int, asyncio.TimerHandle] = {}
        self._events: deque[SubscriptionEvent] = deque()
        self._news = asyncio.Event()
        self._is_settled = asyncio.Event()
        self._failure: PenstockError | None = None
        self._beginning: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._settled_by = NOBODY

    async def open(self) -> None:
        """Join the group; returns when it is settled where each partition begins.

        Raises:
            TemporaryError: Try again.
            PermanentError: The cluster refuses it.
        """
        try:
            await self._reader.start()
            await self._membership.join()
            self._tasks.append(asyncio.create_task(self._guard(self._follow)))
            await self._settled()
            await self._surroundings.look()
            self._tasks.append(asyncio.create_task(self._guard(self._surroundings.watch)))
        except BaseException:
            await self.close()
            raise

    @property
    def has_lost_topic(self) -> bool:
        """Whether it is over because its topic was deleted."""
        return isinstance(self._failure, TopicDeleted)

    def holds(self, partition: int) -> bool:
        """Whether this member reads a partition, or is still finishing with it."""
        return partition in self._membership.held

    async def next_event(self) -> SubscriptionEvent:
        """Wait for the next assignment or revocation."""
        while not self._events:
            if failure := self._failure:
                pause = failure.retry_after if isinstance(failure, TemporaryError) else None
                raise TemporaryError(str(failure), pause) from failure
            self._news.clear()
            await self._news.wait()
        return self._events.popleft()

    async def read(
        self, partition: int, max_records: int, max_bytes: int = READ_BYTES
    ) -> Sequence[Record]:
        """Wait for records of one partition."""
        if is_unheard_of(partition, self._events):
            return ()
        return await self._reader.read(partition, max_records, max_bytes)

    async def release(self, partitions: Collection[int]) -> None:
        """Let revoked partitions go to their next reader."""
        self._finish(self._holding.finishing.intersection(partitions))

    async def ack(self, positions: Mapping[int, int]) -> None:
        """Store positions; those of partitions that this member has lost meanwhile are dropped."""
        await self._acks.store(positions)

    async def ack_held(self, positions: Mapping[int, int]) -> frozenset[int]:
        """As `ack`; gives the partitions whose positions are stored."""
        return await self._acks.store(positions)

    async def close(self) -> None:
        """Leave the group at once; who gives up waiting for it does not keep the member in it."""
        if self._closing is None:
            self._closing = asyncio.create_task(self._close())
        await asyncio.shield(self._closing)

    async def _close(self) -> None:
        self._fail(TemporaryError("the subscription is closed: subscribe again"))
        for deadline in self._deadlines.values():
            deadline.cancel()
        self._deadlines.clear()
        try:
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await asyncio.gather(self._acks.close(), self._reader.close(), self._membership.leave())
        finally:
            self._closed(self)

    async def _settled(self) -> None:
        try:
            async with asyncio.timeout(JOIN_SECONDS):
                await self._is_settled.wait()
        except TimeoutError:
            raise TemporaryError(
                f"joining took longer than {JOIN_SECONDS:g} s: other members do not join again"
            ) from None
        if self._failure:
            raise self._failure

    async def _guard(self, work: Callable[[], Awaitable[None]]) -> None:
        """Do something for as long as the subscription lives; it ends with the first failure."""
        try:
            await work()
        except PenstockError as error:
            self._fail(error)
        # Even a bug must end the subscription, and not this task alone: nobody would notice.
        except Exception as error:  # noqa: BLE001
            _LOG.exception("a subscription ends")
            self._fail(TemporaryError(f"{type(error).__name__}: {error}"))

    def _fail(self, error: PenstockError) -> None:
        if self._failure is None:
            self._failure = error
            self._reader.take_out_all()
            self._is_settled.set()
            self._news.set()
        for task in self._tasks:
            if task is not asyncio.current_task():
                task.cancel()

    async def _follow(self) -> None:
        """Carry out what the group decides, generation by generation."""
        moment = 0
        while True:
            moment = await self._membership.after(moment)
            self._catch_up()

    def _catch_up(self) -> None:
        revoking = self._membership.share.revoking
        self._give_up(self._holding.take_lost(), grace=0)
        self._give_up(self._holding.take_revoked(revoking), grace=self._grace)
        self._membership.release(self._holding.unread(revoking))
        self._begin()

    def _give_up(self, partitions: frozenset[int], grace: float) -> None:
        if not partitions:
            return
        self._reader.take_out(partitions)
        self._say(Revoked(partitions, grace))
        if grace:
            loop = asyncio.get_running_loop()
            for partition in partitions:
                self._deadlines[partition] = loop.call_later(
                    grace, self._finish, frozenset({partition})
                )

    def _finish(self, partitions: frozenset[int]) -> None:
        """Hand partitions on: the subscriber has released them, or its time is over."""
        for partition in partitions:
            if deadline := self._deadlines.pop(partition, None):
                deadline.cancel()
        if partitions and not self._failure:
            self._membership.release(self._holding.finish(partitions))
            self._catch_up()

    def _begin(self) -> None:
        """Begin to read what is held and not read yet; what was begun before is out of date."""
        if self._beginning:
            self._beginning.cancel()
            self._tasks.remove(self._beginning)
        self._beginning = asyncio.create_task(self._guard(self._begin_reading))
        self._tasks.append(self._beginning)

    async def _begin_reading(self) -> None:
        share, member = self._membership.share, self._membership.member
        if member == NOBODY:
            return
        if share.settles and member != self._settled_by:
            try:
                await self._settlement.settle(share.total, member, alone=share.alone)
            except NotAMember:
                return  # the generation is over: who settles in the next one does it
            self._settled_by = member
        if self._is_settled.is_set() and not self._holding.fresh - share.revoking:
            return
        positions = await self._settlement.settled(share.total)
        self._is_settled.set()
        if fresh := self._holding.take_fresh(share.revoking):
            self._reader.put_in({partition: positions[partition].offset for partition in fresh})
            self._say(Assigned(fresh))

    def _say(self, event: SubscriptionEvent) -> None:
        self._events.append(event)
        self._news.set()
