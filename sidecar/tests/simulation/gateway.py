"""A messaging system: it stores, shares partitions out, fails, and forgets nothing it stored."""

from __future__ import annotations

import asyncio
import zlib
from collections import defaultdict, deque
from collections.abc import Collection, Mapping, Sequence

from penstock.plugin import (
    Assigned,
    Group,
    Message,
    PermanentError,
    Position,
    PublishResult,
    PubSub,
    Record,
    Revoked,
    Start,
    Subscription,
    SubscriptionEvent,
    TemporaryError,
)
from sidecar.tests.simulation.ledger import Ledger
from sidecar.tests.simulation.link import Chance, Link

WALL_CLOCK = 1_800_000_000.0
"""Seconds since 1970 when a simulation begins."""

GRACE = 8.0


class Topic:
    """Partitions, and the one group that reads them."""

    def __init__(self, name: str, partitions: int) -> None:
        self.name = name
        self.logs: list[list[Record]] = [[] for _ in range(partitions)]
        self.acked: dict[int, int] = {}
        self.members: list[SimulatedSubscription] = []
        self.holders: dict[int, SimulatedSubscription] = {}
        self.revoking: dict[int, asyncio.TimerHandle] = {}
        self.shift = 0
        self.grown = asyncio.Event()

    def append(self, partition: int, message: Message) -> Record:
        """Store a message."""
        log = self.logs[partition]
        time = asyncio.get_running_loop().time() + WALL_CLOCK
        record = Record(message, len(log), int(time * 1000))
        log.append(record)
        self.grown.set()
        self.grown = asyncio.Event()
        return record

    def balance(self, grace: float = GRACE) -> None:
        """Bring what members hold as near to a fair share as can be now."""
        for partition in range(len(self.logs)):
            if not self.members:
                return
            wanted = self.members[(partition + self.shift) % len(self.members)]
            holder = self.holders.get(partition)
            if holder is None:
                self.holders[partition] = wanted
                wanted.assign(partition, self.acked.get(partition, -1) + 1)
            elif holder is not wanted and partition not in self.revoking:
                holder.revoke(partition, grace)
                self.revoking[partition] = asyncio.get_running_loop().call_later(
                    grace, self.free, holder, partition
                )

    def free(self, holder: SimulatedSubscription, partition: int) -> None:
        """A partition is nobody's, and may be handed on."""
        if self.holders.get(partition) is holder and partition in self.revoking:
            self.revoking.pop(partition).cancel()
            del self.holders[partition]
            self.balance()

    def leave(self, member: SimulatedSubscription) -> None:
        """A member is gone."""
        if member not in self.members:
            return
        self.members.remove(member)
        for partition in [one for one, holder in self.holders.items() if holder is member]:
            del self.holders[partition]
            if timer := self.revoking.pop(partition, None):
                timer.cancel()
        self.balance()


class Store:
    """All topics.

    Args:
        topics: How many partitions each has.
        chance: What decides what fails.
        ledger: Told of all that is stored.
        fault_rate: How likely each request fails.
    """

    def __init__(
        self, topics: Mapping[str, int], chance: Chance, ledger: Ledger, fault_rate: float
    ) -> None:
        self.topics = {name: Topic(name, count) for name, count in topics.items()}
        self.chance = chance
        self.ledger = ledger
        self.fault_rate = fault_rate
        self.operations = 0

    def partition(self, topic: Topic, key: bytes | None) -> int:
        """Where a message goes."""
        count = len(topic.logs)
        return self.chance.random.randrange(count) if key is None else zlib.crc32(key) % count

    def produce(self, name: str, message: Message) -> None:
        """Somebody publishes an input."""
        topic = self.topics[name]
        partition = self.partition(topic, message.key)
        record = topic.append(partition, message)
        self.ledger.published(message.payload.decode(), name, partition, record)

    def store(self, name: str, partition: int, message: Message) -> Position:
        """A member publishes."""
        if name == "letters":
            self.ledger.set_aside(message)
        else:
            self.ledger.stored(int(name[-1]), message)
        return Position(partition, self.topics[name].append(partition, message).offset)

    async def answer(self, link: Link) -> None:
        """A request arrives, late or not, or finds nobody.

        Raises:
            TemporaryError: It failed, and had no effect.
        """
        self.operations += 1
        await self.chance.delay()
        await link.step()
        if self.chance.fails(self.fault_rate):
            raise TemporaryError("simulated", self.chance.random.choice([None, 0.3]))


class SimulatedGateway(PubSub):
    """The way of one member to the store."""

    def __init__(self, store: Store, link: Link) -> None:
        self._store = store
        self._link = link

    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[PublishResult]:
        await self._store.answer(self._link)
        chance, log = self._store.chance, self._store.topics[topic]
        results: list[PublishResult] = []
        broken: set[int] = set()
        is_odd = chance.fails(self._store.fault_rate)
        for message in messages:
            partition = self._store.partition(log, message.key)
            if message.headers.get("refused"):
                results.append(PermanentError("simulated: refused"))
            elif partition in broken or (is_odd and chance.fails(0.2)):
                broken.add(partition)
                results.append(TemporaryError("simulated: not stored"))
            else:
                results.append(self._store.store(topic, partition, message))
        # What is stored is stored, whether its publisher dies or the answer is lost.
        await self._link.step()
        await chance.delay()
        if chance.fails(self._store.fault_rate):
            raise TemporaryError("simulated: the answer is lost")
        return results

    async def subscribe(
        self,
        topic: str,
        group: Group,  # noqa: ARG002 - there is one
        start: Start,  # noqa: ARG002 - it is always the beginning
        member: str = "",  # noqa: ARG002 - no member is known again
    ) -> Subscription:
        await self._store.answer(self._link)
        return SimulatedSubscription(self._store, self._store.topics[topic], self._link)

    async def ack(self, topic: str, group: Group, positions: Mapping[int, int]) -> None:
        raise NotImplementedError

    async def positions(
        self,
        topic: str,
        name: str,  # noqa: ARG002 - of the group, and there is one
    ) -> Mapping[int, Mapping[int, int]]:
        return {0: self._store.topics[topic].acked}

    async def end_positions(self, topic: str) -> Mapping[int, int]:
        raise NotImplementedError


class SimulatedSubscription(Subscription):
    """A member's share of a topic."""

    def __init__(self, store: Store, topic: Topic, link: Link) -> None:
        self._store = store
        self._topic = topic
        self._link = link
        self._cursors: dict[int, int] = {}
        self._events: deque[SubscriptionEvent] = deque()
        self._wake = asyncio.Event()
        self._is_lost = False
        topic.members.append(self)
        topic.balance()

    def assign(self, partition: int, offset: int) -> None:
        """It may read a partition."""
        self._cursors[partition] = offset
        self._link.released.discard((self._topic.name, partition))
        self._tell(Assigned(frozenset([partition])))

    def revoke(self, partition: int, grace: float) -> None:
        """It has to let a partition go."""
        del self._cursors[partition]
        self._topic.grown.set()
        self._topic.grown = asyncio.Event()
        self._tell(Revoked(frozenset([partition]), grace))

    def lose(self) -> None:
        """Its membership is over."""
        self._is_lost = True
        self._cursors.clear()
        self._topic.leave(self)
        self._wake.set()

    async def next_event(self) -> SubscriptionEvent:
        while not self._events and not self._is_lost:
            self._wake.clear()
            await self._wake.wait()
        await self._link.step()
        if self._is_lost:
            raise TemporaryError("simulated: the membership is lost")
        return self._events.popleft()

    async def read(
        self,
        partition: int,
        max_records: int,
        max_bytes: int = 4 << 20,  # noqa: ARG002 - messages are small
    ) -> Sequence[Record]:
        await self._store.answer(self._link)
        log = self._topic.logs[partition]
        while partition in self._cursors:
            if any(partition in event.partitions for event in self._events):
                return ()
            start = self._cursors[partition]
            if records := log[start : start + max_records]:
                self._cursors[partition] += len(records)
                return records
            await self._topic.grown.wait()
        return ()

    async def release(self, partitions: Collection[int]) -> None:
        await self._link.step()
        for partition in sorted(partitions):
            # A release that comes late says nothing of what was assigned again meanwhile.
            is_holder = self._topic.holders.get(partition) is self
            if is_holder and partition in self._topic.revoking:
                self._link.released.add((self._topic.name, partition))
            self._topic.free(self, partition)

    async def ack(self, positions: Mapping[int, int]) -> None:
        await self._store.answer(self._link)
        for partition, position in sorted(positions.items()):
            if self._topic.holders.get(partition) is self:
                self._store.ledger.ack(self._link, self._topic.name, partition, position)
                self._topic.acked[partition] = position
        await self._link.step()
        await self._store.chance.delay()
        if self._store.chance.fails(self._store.fault_rate):
            raise TemporaryError("simulated: the answer is lost")

    async def close(self) -> None:
        if self._link.alive:
            self._topic.leave(self)

    def _tell(self, event: SubscriptionEvent) -> None:
        self._events.append(event)
        self._wake.set()


def by_member(store: Store) -> Mapping[str, list[SimulatedSubscription]]:
    """Who is subscribed, by the name of the process."""
    found: dict[str, list[SimulatedSubscription]] = defaultdict(list)
    for topic in store.topics.values():
        for member in topic.members:
            found[member._link.name].append(member)
    return found
