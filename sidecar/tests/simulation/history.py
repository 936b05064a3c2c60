"""One history: members that live and die, traffic, misfortunes; then quiet, and a verdict."""

from __future__ import annotations

import asyncio
import gc
from contextlib import AsyncExitStack
from dataclasses import dataclass

from penstock.backoff import Backoff
from penstock.plugin import Edge, Group, Message, TemporaryError
from penstock_sidecar.engine import Marks, Output, Settings
from penstock_sidecar.pump import Pump, Sink, Source
from sidecar.tests.simulation.function import TYPE, HostProcess, SimulatedHost
from sidecar.tests.simulation.gateway import WALL_CLOCK, SimulatedGateway, Store, by_member
from sidecar.tests.simulation.ledger import Ledger, Violation
from sidecar.tests.simulation.link import Chance, Link
from sidecar.tests.simulation.loop import SimulatedLoop
from sidecar.tests.simulation.scenario import HEADER, Scenario, Verdict, scenario

MARKS = Marks(high_records=60, low_records=30, high_bytes=6000, low_bytes=3000)
HOLD = Marks(high_records=400, low_records=300, high_bytes=40_000, low_bytes=30_000)
RECOVERY_SECONDS = 3600.0
"""Of simulated time: how long it may take after the last fault until everything is done."""
DRAIN_SECONDS = 3600.0


@dataclass(frozen=True)
class Outcome:
    """What a history was made of.

    Attributes:
        hours: Of simulated time.
        operations: What the members asked of gateways, and were answered.
    """

    hours: float
    operations: int


def run(seed: int) -> Outcome:
    """Go through the history of a seed.

    Raises:
        Violation: Something does not hold that must; the text begins with the seed.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        with asyncio.Runner(loop_factory=SimulatedLoop) as runner:
            history = History(seed)
            try:
                return runner.run(history.run())
            except Violation as error:
                raise Violation(f"seed {seed}: {error}\n{history.scenario}") from None
    finally:
        if collects:
            gc.enable()


class Member:
    """A process that is started again whenever it dies."""

    def __init__(self, history: History, number: int) -> None:
        self.pump: Pump | None = None
        self.host = HostProcess(history.chance)
        self.task: asyncio.Task[None] | None = None
        self._history = history
        self._number = number
        self._lives = 0
        self._is_stopping = False
        self.link = self._born()

    async def stop(self, *, drain: bool) -> bool:
        """End for good; returns whether it does."""
        self._is_stopping = True
        if self.pump:
            self.pump.stop(DRAIN_SECONDS, drain=drain)
        if self.task is None:
            return True
        _, late = await asyncio.wait([self.task], timeout=2 * DRAIN_SECONDS)
        return not late

    def _born(self) -> Link:
        self._lives += 1
        name = f"member {self._number} in life {self._lives}"
        rate = self._history.scenario.kill_rate
        link = Link(name, self._history.chance, rate, self._died)
        self.link = link
        self.task = asyncio.get_running_loop().create_task(self._run(link))
        return link

    def _died(self) -> None:
        if self.task:
            self.task.cancel()
        loop, random = asyncio.get_running_loop(), self._history.chance.random
        loop.call_later(random.uniform(0.5, 6.0), self._history.expire, self.link.name)
        loop.call_later(random.uniform(0.1, 10.0), self._born)

    async def _run(self, link: Link) -> None:
        backoff = Backoff(longest=10.0)
        # A session that fails is followed by another one, but not when it was told to stop.
        while not self._is_stopping:
            try:
                await self._session(link)
            except TemporaryError:
                await asyncio.sleep(backoff.pause())
            except asyncio.CancelledError:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, it must not be
                self._history.ledger.fault(f"{link.name} fails: {error!r}")
                await asyncio.sleep(5.0)
            else:
                return

    async def _session(self, link: Link) -> None:
        history = self._history
        host = SimulatedHost(self.host, link, history.scenario, history.ledger, history.chance)
        gateway = SimulatedGateway(history.store, link)
        await host.find()
        async with AsyncExitStack() as stack:
            sources = []
            for name in history.settings.inputs:
                subscription = await gateway.subscribe(name, Group("g"), Edge.EARLIEST)
                await stack.enter_async_context(subscription)
                sources.append(Source(name, subscription))
            names = [one.name for one in history.settings.outputs]
            if history.settings.dead_letters is not None:
                names.append("letters")
            sinks = [Sink(name, gateway, name) for name in names]
            pump = self.pump = Pump(history.settings, sources, sinks, host)
            if self._is_stopping:
                pump.stop(DRAIN_SECONDS)
            try:
                await pump.run()
            finally:
                # The next life may have begun already.
                if self.pump is pump:
                    self.pump = None
                usage = pump.usage
                history.ledger.late += usage.late_dropped
                history.ledger.stopped[self._number] = {
                    (history.settings.inputs[key.input], key.partition) for key in usage.stopped
                }


class History:
    """What one seed makes happen."""

    def __init__(self, seed: int) -> None:
        self.chance = Chance(seed)
        self.scenario: Scenario = scenario(self.chance.random)
        self.ledger = Ledger(self.scenario)
        one = self.scenario
        topics = {f"in{number}": count for number, count in enumerate(one.inputs)}
        topics |= {f"out{number}": 2 for number in range(one.outputs)} | {"letters": 1}
        self.store = Store(topics, self.chance, self.ledger, one.fault_rate)
        self.settings = Settings(
            group="g",
            inputs=tuple(f"in{number}" for number in range(len(one.inputs))),
            outputs=tuple(Output(f"out{number}", TYPE) for number in range(one.outputs)),
            window=one.window,
            delivery=one.delivery,
            read_marks=MARKS,
            hold_marks=HOLD,
            write_marks=MARKS,
            wall_clock=WALL_CLOCK,
            seed=seed,
        )
        self.members: list[Member] = []
        self._published = 0

    async def run(self) -> Outcome:
        """Let it happen, and see whether everything held."""
        loop = asyncio.get_running_loop()
        self.members = [Member(self, number) for number in range(self.scenario.members)]
        trouble = loop.create_task(self._trouble())
        await self._traffic()
        trouble.cancel()
        self.chance.faults = False
        await self._recover()
        self.ledger.settle()
        for member in self.members:
            if member.task:
                member.task.cancel()
        return Outcome(loop.time() / 3600, self.store.operations)

    def expire(self, name: str) -> None:
        """The gateway notices that a process is dead."""
        for subscription in by_member(self.store).get(name, ()):
            subscription.lose()

    async def _traffic(self) -> None:
        random, one = self.chance.random, self.scenario
        for _ in range(one.bursts):
            for _ in range(random.randint(1, one.burst)):
                self._publish()
                if random.random() < 0.1:
                    await asyncio.sleep(random.expovariate(5.0))
                    self._watch_memory()
            await asyncio.sleep(random.expovariate(1 / one.silence))

    def _publish(self) -> None:
        random, one = self.chance.random, self.scenario
        kinds = [*one.verdicts, Verdict.WELL]
        rates = [*one.verdicts.values(), 1 - sum(one.verdicts.values())]
        (verdict,) = random.choices(kinds, rates)
        time = asyncio.get_running_loop().time() + WALL_CLOCK - random.random() * one.disorder
        headers = {"verdict": verdict.name, HEADER: str(int(time * 1000))}
        number = random.randrange(one.keys + 1)
        key = b"k%d" % number if number else None
        topic = f"in{random.randrange(len(one.inputs))}"
        self.store.produce(topic, Message(b"%d" % self._published, TYPE, key, headers))
        self._published += 1

    async def _trouble(self) -> None:
        random = self.chance.random
        while True:
            await asyncio.sleep(random.expovariate(1 / self.scenario.trouble))
            member = random.choice(self.members)
            topic = self.store.topics[random.choice(self.settings.inputs)]
            match random.randrange(6):
                case 0:
                    member.link.kill()
                case 1:
                    member.host.crash()
                case 2:
                    topic.shift += 1
                    topic.balance(random.choice([1.0, 8.0, 30.0]))
                case 3:
                    if topic.members:
                        random.choice(topic.members).lose()
                case 4:
                    if member.pump and member.link.alive:
                        # Also at the end of all trouble: who was stopped is started again.
                        await asyncio.shield(self._restart(member))
                case _:
                    topic.shift += 1
                    topic.balance()

    async def _restart(self, member: Member) -> None:
        """Stop a member in good order, and start it again."""
        assert member.pump
        link = member.link
        member.pump.stop(self.chance.random.choice([0.0, 1.0, 10.0]))
        if member.task:
            await asyncio.wait([member.task])
        if link.alive:
            member._born()

    def _watch_memory(self) -> None:
        for member in self.members:
            if member.pump:
                usage = member.pump.usage
                held, written = usage.held_messages, usage.write_messages
                if held < 0 or held > HOLD.high_records + MARKS.high_records:
                    self.ledger.fault(f"{member.link.name} holds {held} messages")
                if written < 0 or written > HOLD.high_records + 1000:
                    self.ledger.fault(f"{member.link.name} holds {written} outputs")

    async def _recover(self) -> None:
        """Let everything be done; what is in windows that never end by themselves, by a stop."""
        await self._until_done(RECOVERY_SECONDS)
        for member in self.members[1:]:
            await self._stop(member, drain=False)
        await self._until_done(120.0)
        await self._stop(self.members[0], drain=True)

    async def _until_done(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while loop.time() < deadline and not self._is_done():  # noqa: ASYNC110 - simulated
            await asyncio.sleep(1.0)

    def _is_done(self) -> bool:
        return all(
            topic.acked.get(partition, -1) == len(log) - 1
            for name, topic in self.store.topics.items()
            if name in self.settings.inputs
            for partition, log in enumerate(topic.logs)
        )

    async def _stop(self, member: Member, *, drain: bool) -> None:
        if not await member.stop(drain=drain):
            self.ledger.fault(f"{member.link.name} does not stop")
