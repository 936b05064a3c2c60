"""How a session keeps the promises that a host makes to a subscription."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import aclosing

import pytest

from penstock.plugin import (
    READ_BYTES,
    Assigned,
    Edge,
    Group,
    Message,
    Record,
    Revoked,
    Subscription,
    SubscriptionEvent,
)
from penstock.server.session import Session
from penstock_inmemory import InMemoryGateway


class Scripted(Subscription):
    """Tells the events that it is given, and keeps what is said to it."""

    def __init__(self) -> None:
        self.events: asyncio.Queue[SubscriptionEvent] = asyncio.Queue()
        self.released: list[set[int]] = []

    async def next_event(self) -> SubscriptionEvent:
        return await self.events.get()

    async def read(
        self,
        partition: int,
        max_records: int,  # noqa: ARG002 - the contract's
        max_bytes: int = READ_BYTES,  # noqa: ARG002 - the contract's
    ) -> Sequence[Record]:
        return [Record(Message(b""), offset=partition, timestamp_ms=0)]

    async def release(self, partitions: Collection[int]) -> None:
        self.released.append(set(partitions))

    async def ack(self, positions: Mapping[int, int]) -> None:
        raise NotImplementedError

    async def close(self) -> None: ...


class ScriptedGateway(InMemoryGateway):
    def __init__(self, subscription: Scripted) -> None:
        super().__init__()
        self._subscription = subscription

    async def subscribe(self, *_: object) -> Subscription:
        return self._subscription


@pytest.fixture
def subscription() -> Scripted:
    return Scripted()


@pytest.fixture
async def session(subscription: Scripted) -> Session:
    gateway = ScriptedGateway(subscription)
    session = Session(gateway, "numbers", Group("readers"), Edge.EARLIEST)
    await session.join()
    return session


async def test_what_nobody_receives_is_released_at_once_in_one_call(
    session: Session, subscription: Scripted
) -> None:
    changes = session.partitions()
    subscription.events.put_nowait(Assigned(frozenset({0, 1, 2})))
    assert await anext(changes) == [0, 1, 2]
    subscription.events.put_nowait(Revoked(frozenset({0, 2}), grace=1))
    assert await anext(changes) == [1]
    assert subscription.released == [{0, 2}]


async def test_what_is_received_is_released_once_when_that_is_over(
    session: Session, subscription: Scripted
) -> None:
    changes = session.partitions()
    subscription.events.put_nowait(Assigned(frozenset({0})))
    await anext(changes)
    holding = session.holding(0)
    assert holding is not None
    batches = holding.batches()
    await anext(batches)
    subscription.events.put_nowait(Revoked(frozenset({0}), grace=1))
    assert await anext(changes) == []
    assert holding.revoked
    assert subscription.released == []
    assert [batch async for batch in batches] == []
    assert subscription.released == [{0}]


async def test_what_is_lost_already_is_not_released(
    session: Session, subscription: Scripted
) -> None:
    changes = session.partitions()
    subscription.events.put_nowait(Assigned(frozenset({0, 1})))
    await anext(changes)
    holding = session.holding(0)
    assert holding is not None
    batches = holding.batches()
    await anext(batches)
    subscription.events.put_nowait(Revoked(frozenset({0, 1}), grace=0))
    await anext(changes)
    assert [batch async for batch in batches] == []
    assert subscription.released == []


async def test_a_partition_that_comes_back_may_be_received_again(
    session: Session, subscription: Scripted
) -> None:
    changes = session.partitions()
    subscription.events.put_nowait(Assigned(frozenset({0})))
    await anext(changes)
    holding = session.holding(0)
    assert holding is not None
    async with aclosing(holding.batches()) as batches:
        await anext(batches)
    assert [batch async for batch in holding.batches()] == []
    subscription.events.put_nowait(Revoked(frozenset({0}), grace=1))
    await anext(changes)
    subscription.events.put_nowait(Assigned(frozenset({0})))
    await anext(changes)
    again = session.holding(0)
    assert again is not None
    assert await anext(again.batches())
