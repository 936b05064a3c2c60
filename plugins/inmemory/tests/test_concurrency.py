"""Many publish, members come and go, and not one message is lost."""

import asyncio
from collections import defaultdict
from random import Random

import pytest

from penstock.plugin import Assigned, Edge, Group, Message, Revoked, Subscription, TemporaryError
from penstock_inmemory import InMemoryGateway, InMemoryGatewaySpec

TOPIC = "topic"
GROUP = Group("group")
PARTITIONS = 8
MESSAGES = 100_000
PUBLISHERS = 5


class Ledger:
    """What was published and what became of it, checked as it happens."""

    def __init__(self) -> None:
        self.owner: dict[int, Worker] = {}
        self.acked: dict[int, int] = defaultdict(lambda: -1)
        self.seen: dict[int, int] = defaultdict(lambda: -1)
        self.keys: dict[bytes, int] = defaultdict(lambda: -1)
        self.redelivered = 0
        self.all_seen = asyncio.Event()

    def take(self, worker: "Worker", partition: int) -> None:
        assert partition not in self.owner, f"partition {partition} has an owner already"
        self.owner[partition] = worker

    def give_up(self, worker: "Worker", partition: int) -> None:
        assert self.owner.pop(partition) is worker

    def deliver(self, worker: "Worker", partition: int, offset: int, message: Message) -> None:
        assert self.owner[partition] is worker, "somebody else owns it"
        if offset <= self.seen[partition]:
            self.redelivered += 1
            return
        assert offset == self.seen[partition] + 1, "a record was skipped"
        self.seen[partition] = offset
        assert message.key is not None
        number = int(message.payload)
        assert number == self.keys[message.key] + 1, "messages of a key are out of order"
        self.keys[message.key] = number
        if sum(self.keys.values()) + len(self.keys) == MESSAGES:
            self.all_seen.set()


class Worker:
    """A member: reads what it is assigned, acks, and releases what is revoked."""

    def __init__(
        self,
        subscription: Subscription,
        ledger: Ledger,
        random: Random,
        tasks: asyncio.TaskGroup,
    ) -> None:
        self._subscription = subscription
        self._tasks = tasks
        self._ledger = ledger
        self._random = random
        self._reading: dict[int, asyncio.Task[None]] = {}
        tasks.create_task(self._follow())

    async def leave(self) -> None:
        """Close without a release; a crash, as the group sees it."""
        while self._reading:
            self._ledger.give_up(self, self._reading.popitem()[0])
        await self._subscription.close()

    async def _follow(self) -> None:
        while True:
            try:
                event = await self._subscription.next_event()
            except TemporaryError:
                return
            match event:
                case Assigned(partitions):
                    for partition in partitions:
                        self._ledger.take(self, partition)
                        task = self._tasks.create_task(self._read(partition))
                        self._reading[partition] = task
                case Revoked(partitions):
                    await asyncio.wait([self._reading[one] for one in partitions])
                    for partition in partitions:
                        if self._reading.pop(partition, None):
                            self._ledger.give_up(self, partition)
                    await self._subscription.release(partitions)

    async def _read(self, partition: int) -> None:
        due = self._ledger.acked[partition] + 1
        while records := await self._subscription.read(partition, self._random.randrange(1, 300)):
            for record in records:
                assert record.offset == due, "neither a gap nor a record twice in an assignment"
                due += 1
                self._ledger.deliver(self, partition, record.offset, record.message)
            if self._random.random() < 0.8:
                await self._subscription.ack({partition: records[-1].offset})
                self._ledger.acked[partition] = records[-1].offset


async def publish(gateway: InMemoryGateway, publisher: int, random: Random) -> None:
    count = 0
    numbers: dict[bytes, int] = defaultdict(int)
    while count < MESSAGES // PUBLISHERS:
        batch = []
        for _ in range(min(random.randrange(1, 200), MESSAGES // PUBLISHERS - count)):
            key = b"%d of %d" % (random.randrange(20), publisher)
            batch.append(Message(b"%d" % numbers[key], key=key))
            numbers[key] += 1
        await gateway.publish(TOPIC, batch)
        count += len(batch)


@pytest.mark.parametrize("seed", range(3))
async def test_nothing_is_lost_while_members_come_and_go(seed: int) -> None:
    random = Random(seed)
    ledger = Ledger()
    async with (
        InMemoryGateway(InMemoryGatewaySpec(partitions=PARTITIONS)) as gateway,
        asyncio.timeout(30),
        asyncio.TaskGroup() as tasks,
    ):
        publishers = [
            tasks.create_task(publish(gateway, number, random)) for number in range(PUBLISHERS)
        ]
        workers: list[Worker] = []
        while not all(task.done() for task in publishers) or not workers:
            if len(workers) > 5 or (workers and random.random() < 0.4):
                await workers.pop(random.randrange(len(workers))).leave()
            else:
                subscription = await gateway.subscribe(TOPIC, GROUP, Edge.EARLIEST)
                workers.append(Worker(subscription, ledger, random, tasks))
            for _ in range(random.randrange(20)):
                await asyncio.sleep(0)
        await ledger.all_seen.wait()
        for worker in workers:
            await worker.leave()
    assert ledger.redelivered > 0, (
        "members were meant to leave with records that they had not acked"
    )
