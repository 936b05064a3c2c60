"""What a subscriber is handed: a membership and a reader, behind penstock's interface.

The docstrings of `penstock.plugin.Subscription` say what each method promises.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from contextlib import suppress
from typing import Any

from penstock.plugin import (
    READ_BYTES,
    Assigned,
    PenstockError,
    Record,
    Revoked,
    Subscription,
    SubscriptionEvent,
    TemporaryError,
)
from penstock_kafka.groups.beginning import Beginnings
from penstock_kafka.groups.history import History
from penstock_kafka.groups.membership import Change, Membership
from penstock_kafka.groups.offsets import Member, MembershipError, Offsets
from penstock_kafka.groups.reader import Reader
from penstock_kafka.groups.stored import acked

GRACE_SECONDS = 30.0
"""How long a member may take to finish with a partition that it must give up."""

_LOOK_SECONDS = 1.0
"""How often the brokers are asked for what others have acked, and for new partitions."""
_REBALANCE_SECONDS = 15.0

_LOG = logging.getLogger(__name__)


class KafkaSubscription(Subscription):
    """A member of a group that reads its share of a topic.

    Args:
        group_id: The Kafka group.
        topic: The topic.
        membership: What it is given.
        reader: What reads it.
        beginnings: Where it begins.
        offsets: Where its acks go.
        history: What the group has acked.
        closed: Told when the subscription is over, with its group and its topic.
    """

    def __init__(
        self,
        group_id: str,
        topic: str,
        *,
        membership: Membership,
        reader: Reader,
        beginnings: Beginnings,
        offsets: Offsets,
        history: History,
        closed: Callable[[str, str, "KafkaSubscription"], None],
    ) -> None:
        self._group_id = group_id
        self._topic = topic
        self._membership = membership
        self._reader = reader
        self._beginnings = beginnings
        self._offsets = offsets
        self._history = history
        self._closed = closed
        self._newcomer = True
        self._events: deque[SubscriptionEvent] = deque()
        self._news = asyncio.Event()
        self._failure: PenstockError | None = None
        self._deadlines: dict[int, asyncio.TimerHandle] = {}
        self._acking = asyncio.Lock()
        self._tasks: list[asyncio.Task[None]] = []

    async def open(self, partitions: int) -> None:
        """Join the group; returns when it is settled where each partition begins.

        Args:
            partitions: How many the topic has.

        Raises:
            TemporaryError: Try again.
            PermanentError: The cluster refuses it.
        """
        try:
            await self._reader.start()
            await self._membership.join()
            await self._take(await self._membership.change())
            await self._beginnings.settled(partitions)
            await self._history.refresh(partitions)
        except BaseException:
            await self.close()
            raise
        self._tasks = [
            asyncio.create_task(self._guard(self._follow())),
            asyncio.create_task(self._guard(self._look_around())),
        ]

    def holds(self, partition: int) -> bool:
        """Whether this member reads a partition, or is still finishing with it."""
        return partition in self._membership.held

    async def next_event(self) -> SubscriptionEvent:
        """Wait for the next assignment or revocation."""
        while not self._events:
            if self._failure:
                raise TemporaryError(str(self._failure)) from self._failure
            self._news.clear()
            await self._news.wait()
        return self._events.popleft()

    async def read(
        self, partition: int, max_records: int, max_bytes: int = READ_BYTES
    ) -> Sequence[Record]:
        """Wait for records of one partition."""
        return await self._reader.read(partition, max_records, max_bytes)

    async def release(self, partitions: Collection[int]) -> None:
        """Let revoked partitions go to their next reader."""
        revoked = frozenset(partitions) & self._deadlines.keys()
        for partition in revoked:
            self._deadlines.pop(partition).cancel()
        self._membership.release(revoked)

    async def ack(self, positions: Mapping[int, int]) -> None:
        """Store positions; those of partitions that this member has lost meanwhile are dropped."""
        await self.ack_held(positions)

    async def ack_held(self, positions: Mapping[int, int]) -> frozenset[int]:
        """Store positions of the partitions that this member holds.

        Returns:
            The partitions whose positions are stored; the others are not this member's.

        Raises:
            TemporaryError: Nothing is known to be stored.
            PermanentError: The cluster refuses it.
        """
        held = self._membership.held
        given = {partition: held[partition] for partition in positions if partition in held}
        async with self._acking:
            while given:
                stored = {partition: acked(positions[partition]) for partition in given}
                member = self._membership.member
                try:
                    await self._offsets.commit(self._group_id, self._topic, stored, member)
                except MembershipError:
                    # A rebalance is under way, or this member was given up: the next generation
                    # tells what it still holds.
                    await self._next_generation(member)
                    given = {at: when for at, when in given.items() if held.get(at) == when}
                else:
                    self._history.note(self._group_id, stored)
                    break
        return frozenset(given)

    async def _next_generation(self, member: Member) -> None:
        try:
            async with asyncio.timeout(_REBALANCE_SECONDS):
                await self._membership.other_than(member)
        except TimeoutError:
            raise TemporaryError(
                f"group {self._group_id} has been rebalancing for {_REBALANCE_SECONDS:g} s: "
                "nothing is acked meanwhile"
            ) from None

    async def close(self) -> None:
        """Leave the group at once."""
        for deadline in self._deadlines.values():
            deadline.cancel()
        self._deadlines.clear()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._fail(TemporaryError("the subscription is closed: subscribe again"))
        await self._reader.close()
        await self._membership.leave()
        self._closed(self._group_id, self._topic, self)

    async def _guard(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something for as long as the subscription lives; it ends with the first failure."""
        try:
            await work
        except PenstockError as error:
            self._fail(error)
        # Even a bug must end the subscription, and not this task alone: nobody would notice.
        except Exception as error:  # noqa: BLE001
            _LOG.exception("the subscription of group %s to %s ends", self._group_id, self._topic)
            self._fail(TemporaryError(f"{type(error).__name__}: {error}"))

    def _fail(self, error: PenstockError) -> None:
        if self._failure is None:
            self._failure = error
            self._reader.take_out(self._reader.partitions)
            self._news.set()

    async def _follow(self) -> None:
        while True:
            await self._take(await self._membership.change())

    async def _take(self, change: Change) -> None:
        """Carry out what the group has decided."""
        if change.settles:
            # The generation may be over already: who settles in the next one does it.
            with suppress(MembershipError):
                await self._beginnings.settle(
                    self._membership.member, newcomer=self._newcomer and change.alone
                )
        self._newcomer = False
        if change.gone:
            self._give_up(change.gone, grace=0)
        if change.revoking - self._deadlines.keys():
            self._give_up(change.revoking - self._deadlines.keys(), grace=GRACE_SECONDS)
        if change.fresh:
            stored = await self._beginnings.settled(max(change.fresh) + 1)
            self._reader.put_in({partition: stored[partition].offset for partition in change.fresh})
            self._say(Assigned(change.fresh))

    def _give_up(self, partitions: frozenset[int], grace: float) -> None:
        self._reader.take_out(partitions)
        self._say(Revoked(partitions, grace))
        loop = asyncio.get_running_loop()
        for partition in partitions:
            if deadline := self._deadlines.pop(partition, None):
                deadline.cancel()
            if grace:
                self._deadlines[partition] = loop.call_later(grace, self._overdue, partition)

    def _overdue(self, partition: int) -> None:
        del self._deadlines[partition]
        self._membership.release(frozenset({partition}))

    def _say(self, event: SubscriptionEvent) -> None:
        self._events.append(event)
        self._news.set()

    async def _look_around(self) -> None:
        """Notice what nobody tells: acks of others, new partitions, a topic that is made anew."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            self._membership.look_for_partitions()
            held = dict(self._membership.held)
            try:
                await self._history.refresh(max(held, default=-1) + 1)
            except TemporaryError as error:
                _LOG.debug("group %s: %s", self._group_id, error)
                continue
            stored = self._history.of(self._group_id)
            await self._check_topic({at for at, when in held.items() if at not in stored})

    async def _check_topic(self, forgotten: Collection[int]) -> None:
        """End where the brokers have forgotten positions: the topic was deleted meanwhile."""
        lost = frozenset(forgotten) & self._membership.held.keys() & self._reader.partitions
        if lost:
            await self._beginnings.begin_anew(lost, self._membership.member)
            raise TemporaryError(
                f"topic {self._topic} was deleted: subscribe again to read what is in it anew"
            )
