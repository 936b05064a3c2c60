"""What a case works with: an open gateway, fresh names, and everything cleared away at the end."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from itertools import count
from typing import NoReturn, TypeVar
from uuid import uuid4

import pytest

from penstock.plugin import (
    Address,
    Assigned,
    AtTime,
    Capability,
    Edge,
    Gateway,
    GatewayKind,
    Group,
    Message,
    PenstockError,
    Position,
    PubSub,
    Retention,
    Start,
    StreamSettings,
    Subscription,
    TemporaryError,
)
from penstock.testing.backend import Backend
from penstock.testing.expectation import BrokenPromise, expect
from penstock.testing.member import Member
from penstock.testing.outcome import NOTE, REASON, STATUS, Status
from penstock.testing.owners import Owners
from penstock.testing.promise import Case
from penstock.testing.watch import Watch
from penstock.testing.way import Reached, Way, reach

NAMESPACE = "conformance"

_PAUSE = 0.1  # seconds before something is tried again that failed for now
_SLACK = 1.5  # a case waits more than once
_CLEARING_SECONDS = 10.0

Answer = TypeVar("Answer")


class Rig:
    """An open gateway of a backend, reached in one way.

    Args:
        backend: What is tested.
        way: How publishers and subscribers reach it.
        case: What it is used for; ``None`` in a test that an author has added.
        properties: What the report is told of the case.

    Attributes:
        backend, way: As given.
        kind: What the plugin says of its gateways.
        patience: Seconds for what takes a moment where it is right.
        limit: Seconds for a whole case.
        watch: What goes on beside the case.
    """

    def __init__(
        self, backend: Backend, way: Way, case: Case | None, properties: dict[str, str]
    ) -> None:
        self.backend = backend
        self.way = way
        self.kind: GatewayKind = backend.find().kind
        self.patience = backend.patience
        self.limit = _SLACK * backend.patience + backend.session
        if case and case.promise.faults:
            self.limit += backend.outage + backend.recovery
        self._properties = properties
        self._reached: Reached | None = None
        self._opened = AsyncExitStack()
        self._members: list[Member] = []
        self._subscriptions: list[Subscription] = []
        self._streams: list[StreamSettings] = []
        self._member_numbers = count(1)
        self.watch = Watch(backend.patience)

    async def __aenter__(self) -> "Rig":
        await self._open()
        return self

    async def __aexit__(self, *_: object) -> None:
        with suppress(TimeoutError):  # a gateway that hangs here has hung in the case before
            async with asyncio.timeout(_CLEARING_SECONDS):
                await self._leave()
                if self.offers(Capability.DEPROVISION):
                    for stream in self._streams:
                        with suppress(PenstockError):
                            await self.gateway.deprovision(stream)
        await self._opened.aclose()

    @property
    def gateway(self) -> Gateway:
        """The gateway itself, for what the server calls."""
        assert self._reached, "the rig is open"
        return self._reached.gateway

    @property
    def pubsub(self) -> PubSub:
        """What publishers and subscribers use."""
        assert self._reached, "the rig is open"
        return self._reached.pubsub

    @property
    def address(self) -> str:
        """`host:port` of the gateway server; empty where there is none."""
        assert self._reached, "the rig is open"
        return self._reached.address

    def offers(self, capability: Capability) -> bool:
        """Whether the gateway declares a capability."""
        return capability in self.kind.capabilities

    def not_applicable(self, reason: str) -> NoReturn:
        """End a case that turns out to make no sense here; the report gives the reason."""
        self._properties |= {STATUS: Status.NOT_APPLICABLE, REASON: reason}
        pytest.skip(f"{Status.NOT_APPLICABLE}: {reason}")

    def note(self, text: str) -> None:
        """Have the end of the run say what was measured."""
        self._properties[NOTE] = text

    def partitions(self, wanted: int) -> int:
        """How many partitions a stream gets that asks for so many."""
        return wanted if self.offers(Capability.PARTITIONS) else 1

    def stream(
        self,
        partitions: int | None = 1,
        *,
        name: str = "",
        namespace: str = NAMESPACE,
        retention: Retention | None = None,
        config: Mapping[str, str] | None = None,
    ) -> StreamSettings:
        """Settings of a stream that nobody has made, and that is removed at the end."""
        wanted = partitions if self.offers(Capability.PARTITIONS) else None
        stream = StreamSettings(
            namespace,
            name or f"s-{uuid4().hex[:12]}",
            content_type="*/*",
            partitions=wanted,
            retention=retention or Retention(),
            config={**self.backend.config, **(config or {})},
        )
        self._streams.append(stream)
        return stream

    async def provision(self, stream: StreamSettings) -> Address:
        """Make a stream."""
        return await self._persist(lambda: self.gateway.provision(stream))

    async def topic(self, partitions: int | None = 1) -> str:
        """Make a stream, and give its topic; fewer partitions where the gateway has but one."""
        return (await self.provision(self.stream(partitions))).topic

    def group(self, version: int = 0) -> Group:
        """A group that nobody has used."""
        return Group(f"g-{uuid4().hex[:12]}", version)

    async def publish(self, topic: str, messages: Sequence[Message]) -> list[Position]:
        """Publish messages, all of which have to be stored; gives where."""
        __tracebackhide__ = True
        results = await self.pubsub.publish(topic, messages)
        expect("how many results a publish gives", len(results), len(messages))
        for place, result in enumerate(results):
            if not isinstance(result, Position):
                raise BrokenPromise(
                    f"the result of message {place} of {len(messages)}\n"
                    f"  expected: a Position\n  came:     {result!r}"
                )
        return [result for result in results if isinstance(result, Position)]

    async def subscribe(
        self, topic: str, group: Group, start: Start = Edge.EARLIEST
    ) -> Subscription:
        """Become a member of a group, which it leaves at the end."""
        subscription = await self._persist(lambda: self.pubsub.subscribe(topic, group, start))
        self._subscriptions.append(subscription)
        return subscription

    async def subscribe_one(
        self, topic: str, group: Group | None = None, start: Start = Edge.EARLIEST
    ) -> Subscription:
        """Become the only member of a group on a topic of one partition, and wait for that."""
        subscription = await self.subscribe(topic, group or self.group(), start)
        expect("the first event", await subscription.next_event(), Assigned(frozenset({0})))
        return subscription

    async def join(
        self,
        topic: str,
        group: Group | None = None,
        start: Start = Edge.EARLIEST,
        *,
        name: str = "",
        holds: frozenset[int] = frozenset(),
        releases: bool = True,
        acks: bool = False,
        rejoins: bool = False,
        owners: Owners | None = None,
    ) -> Member:
        """Become a member of a group, one that reads; see `Member` for what it does."""
        joined = group or self.group()
        member = Member(
            f"member {next(self._member_numbers)} of {joined}",
            lambda: self._persist(lambda: self.pubsub.subscribe(topic, joined, start, name)),
            watch=self.watch,
            holds=holds,
            releases=releases,
            acks=acks,
            rejoins=rejoins,
            owners=owners,
        )
        await member.join()
        self._members.append(member)
        return member

    async def read_all(self, topic: str, amount: int, group: Group | None = None) -> Member:
        """Read so many records with a new group from the earliest on, and leave it."""
        __tracebackhide__ = True
        member = await self.join(topic, group)
        await member.until_read(amount)
        await self.leave(member)
        return member

    async def leave(self, member: Member) -> None:
        """Have a member leave its group before the end."""
        self._members.remove(member)
        await member.stop()

    async def ack(self, topic: str, group: Group, positions: Mapping[int, int]) -> None:
        """Ack for a group from outside."""
        await self._persist(lambda: self.pubsub.ack(topic, group, positions))

    async def positions(self, topic: str, group: Group) -> Mapping[int, Mapping[int, int]]:
        """The acked positions of all versions of a group."""
        return await self._persist(lambda: self.pubsub.positions(topic, group.name))

    async def end_positions(self, topic: str) -> Mapping[int, int]:
        """The offsets of the last records."""
        return await self._persist(lambda: self.pubsub.end_positions(topic))

    async def locate(self, topic: str, start: Edge | AtTime) -> Mapping[int, int]:
        """The first offsets that a start delivers."""
        return await self._persist(lambda: self.pubsub.locate(topic, start))

    async def settle(self) -> None:
        """Publish and read something else, by when everything that was on its way has come.

        It stands before a case says that something has not happened.
        """
        topic = await self.topic()
        group = self.group()
        for number in range(3):
            await self.publish(topic, [Message(b"%d" % number)])
            await self.end_positions(topic)
        await self.read_all(topic, 3, group)

    async def restart(self) -> None:
        """Close the gateway with all that is connected to it, and open another of its spec."""
        await self._leave()
        await self._opened.aclose()
        await self._open()

    @asynccontextmanager
    async def another(self) -> AsyncIterator[Reached]:
        """A second gateway of the spec beside the first, as in another process."""
        async with reach(self.backend, Way.DIRECT) as reached:
            yield reached

    async def _open(self) -> None:
        self._opened = AsyncExitStack()
        self._reached = await self._opened.enter_async_context(reach(self.backend, self.way))

    async def _leave(self) -> None:
        members, self._members = self._members, []
        subscriptions, self._subscriptions = self._subscriptions, []
        for member in members:
            with suppress(PenstockError):
                await member.stop()
        for subscription in subscriptions:
            with suppress(PenstockError):
                await subscription.close()

    async def _persist(self, call: Callable[[], Awaitable[Answer]]) -> Answer:
        """What the contract lets a caller do on a temporary error: call again, for a while."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self.patience
        while True:
            try:
                return await call()
            except TemporaryError as error:
                if loop.time() > end:
                    raise
                await asyncio.sleep(error.retry_after or _PAUSE)
