"""How a session keeps the promises that a host makes to a subscription."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping, Sequence
from contextlib import aclosing

import pytest

from penstock.plugin import (
    READ_BYTES,
    Assigned,
    Edge,
    Group,
    Message,
    PermanentError,
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
        self.events: asyncio.Queue[SubscriptionEvent | PermanentError] = asyncio.Queue()
        self.waits = asyncio.Event()
        self.released: list[set[int]] = []
        self.has_released = asyncio.Event()

    async def next_event(self) -> SubscriptionEvent:
        self.waits.set()
        try:
            event = await self.events.get()
        finally:
            self.waits.clear()
        if isinstance(event, PermanentError):
            raise event
        return event

    async def read(
        self,
        partition: int,
        max_records: int,  # noqa: ARG002 - the contract's
        max_bytes: int = READ_BYTES,  # noqa: ARG002 - the contract's
    ) -> Sequence[Record]:
        return [Record(Message(b""), offset=partition, timestamp_ms=0)]

    async def release(self, partitions: Collection[int]) -> None:
        self.released.append(set(partitions))
        self.has_released.set()

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
    session = Session(gateway, "numbers", Group("readers"), Edge.EARLIEST, lambda _: None)
    await session.join()
    return session


@pytest.fixture
async def changes(session: Session) -> AsyncIterator[AsyncGenerator[list[int], None]]:
    async with aclosing(session.partitions()) as changes:
        yield changes


async def test_what_is_revoked_is_released_at_once_in_one_call_also_while_it_is_received(
    session: Session, subscription: Scripted, changes: AsyncGenerator[list[int], None]
) -> None:
    subscription.events.put_nowait(Assigned(frozenset({0, 1, 2})))
    assert await anext(changes) == [0, 1, 2]
    holding = session.holding(0)
    assert holding is not None
    batches = holding.batches()
    await anext(batches)
    subscription.events.put_nowait(Revoked(frozenset({0, 2}), grace=1))
    assert await anext(changes) == [1]
    assert subscription.released == [{0, 2}]
    assert holding.revoked
    assert [batch async for batch in batches] == []
    assert subscription.released == [{0, 2}]


async def test_it_gives_up_what_is_revoked_also_while_nobody_asks_for_its_partitions(
    session: Session, subscription: Scripted, changes: AsyncGenerator[list[int], None]
) -> None:
    subscription.events.put_nowait(Assigned(frozenset({0})))
    await anext(changes)
    subscription.events.put_nowait(Revoked(frozenset({0}), grace=1))
    async with asyncio.timeout(5):
        await subscription.has_released.wait()
    assert session.holding(0) is None


async def test_what_its_subscription_fails_with_ends_its_partitions(
    subscription: Scripted, changes: AsyncGenerator[list[int], None]
) -> None:
    subscription.events.put_nowait(PermanentError("the group is gone"))
    with pytest.raises(PermanentError, match="the group is gone"):
        await anext(changes)


async def test_it_waits_for_no_event_once_its_partitions_are_asked_for_no_more(
    subscription: Scripted, changes: AsyncGenerator[list[int], None]
) -> None:
    asking = asyncio.create_task(anext(changes))
    async with asyncio.timeout(5):
        await subscription.waits.wait()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert not subscription.waits.is_set()


async def test_what_is_lost_already_is_not_released(
    session: Session, subscription: Scripted, changes: AsyncGenerator[list[int], None]
) -> None:
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
    session: Session, subscription: Scripted, changes: AsyncGenerator[list[int], None]
) -> None:
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
