"""Subscriptions over riff's protocol, to servers that behave as others than ours may."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import grpc
import pytest

from penstock.plugin import Assigned, Edge, Group, Revoked, TemporaryError
from penstock.wire.protocol.liiklus_pb2 import (
    Assignment,
    LiiklusEvent,
    ReceiveReply,
    ReceiveRequest,
    SubscribeReply,
    SubscribeRequest,
)
from penstock.wire.protocol.liiklus_pb2_grpc import (
    LiiklusServiceServicer,
    add_LiiklusServiceServicer_to_server,
)
from penstock.wire.remote import RemotePubSub

READERS = Group("readers")
PATIENCE = 10.0


class Foreign(LiiklusServiceServicer):
    """A gateway of which each step is told.

    Attributes:
        assignments: What its Subscribe answers, by the session's name; ``None`` ends it.
        received: The sessions of the Receives, in their order.
        replies: What the Receive of a session answers; ``None`` ends it.
    """

    def __init__(self) -> None:
        self.assignments: asyncio.Queue[str | None] = asyncio.Queue()
        self.received: asyncio.Queue[str] = asyncio.Queue()
        self.replies: dict[str, asyncio.Queue[ReceiveReply | None]] = {
            name: asyncio.Queue() for name in ("first", "second")
        }

    async def Publish(self, request: Any, context: Any) -> Any:  # noqa: ARG002, N802
        await context.abort(grpc.StatusCode.UNIMPLEMENTED)

    Ack = GetOffsets = GetEndOffsets = Publish

    async def Subscribe(self, request: SubscribeRequest, context: Any) -> AsyncIterator[Any]:  # noqa: ARG002, N802
        while session := await self.assignments.get():
            yield SubscribeReply(assignment=Assignment(session_id=session, partition=3))

    async def Receive(self, request: ReceiveRequest, context: Any) -> AsyncIterator[Any]:  # noqa: ARG002, N802
        session = request.assignment.session_id
        await self.received.put(session)
        while reply := await self.replies[session].get():
            yield reply


@pytest.fixture
async def foreign() -> Foreign:
    return Foreign()


@pytest.fixture
async def remote(foreign: Foreign) -> AsyncIterator[RemotePubSub]:
    async with AsyncExitStack() as running:
        server = grpc.aio.server()
        add_LiiklusServiceServicer_to_server(foreign, server)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        running.push_async_callback(server.stop, 0)
        await running.enter_async_context(asyncio.timeout(PATIENCE))
        yield await running.enter_async_context(RemotePubSub(f"127.0.0.1:{port}"))


def record(offset: int) -> ReceiveReply:
    event = LiiklusEvent(data=b"%d" % offset)
    return ReceiveReply(
        liiklus_event_record=ReceiveReply.LiiklusEventRecord(offset=offset, event=event)
    )


async def test_a_new_assignment_of_a_partition_is_received_when_the_old_one_has_ended(
    foreign: Foreign, remote: RemotePubSub
) -> None:
    foreign.assignments.put_nowait("first")
    async with await remote.subscribe("numbers", READERS, Edge.EARLIEST) as subscription:
        assert await subscription.next_event() == Assigned(frozenset({3}))
        foreign.assignments.put_nowait("second")
        foreign.replies["first"].put_nowait(record(7))
        assert [one.offset for one in await subscription.read(3, 10)] == [7]
        assert foreign.received.qsize() == 1

        foreign.replies["first"].put_nowait(None)
        assert await subscription.next_event() == Revoked(frozenset({3}), grace=0)
        assert await subscription.next_event() == Assigned(frozenset({3}))
        foreign.replies["second"].put_nowait(record(8))
        assert [one.offset for one in await subscription.read(3, 10)] == [8]


async def test_a_partition_that_came_back_is_not_read_before_that_is_told(
    foreign: Foreign, remote: RemotePubSub
) -> None:
    for name in ("first", "second"):
        foreign.assignments.put_nowait(name)
    async with await remote.subscribe("numbers", READERS, Edge.EARLIEST) as subscription:
        assert await subscription.next_event() == Assigned(frozenset({3}))
        foreign.replies["first"].put_nowait(None)
        foreign.replies["second"].put_nowait(record(8))
        assert [await foreign.received.get() for _ in range(2)] == ["first", "second"]
        assert not await subscription.read(3, 10)
        assert await subscription.next_event() == Revoked(frozenset({3}), grace=0)
        assert await subscription.next_event() == Assigned(frozenset({3}))
        assert [one.offset for one in await subscription.read(3, 10)] == [8]


async def test_a_receive_that_ends_is_a_revocation(foreign: Foreign, remote: RemotePubSub) -> None:
    foreign.assignments.put_nowait("first")
    async with await remote.subscribe("numbers", READERS, Edge.EARLIEST) as subscription:
        await subscription.next_event()
        reading = asyncio.create_task(subscription.read(3, 10))
        await foreign.received.get()
        foreign.replies["first"].put_nowait(None)
        assert not await reading
        assert await subscription.next_event() == Revoked(frozenset({3}), grace=0)


async def test_a_subscribe_that_ends_is_a_membership_lost(
    foreign: Foreign, remote: RemotePubSub
) -> None:
    foreign.assignments.put_nowait("first")
    async with await remote.subscribe("numbers", READERS, Edge.EARLIEST) as subscription:
        await subscription.next_event()
        reading = asyncio.create_task(subscription.read(3, 10))
        foreign.assignments.put_nowait(None)
        with pytest.raises(TemporaryError, match="ended the subscription"):
            await subscription.next_event()
        assert not await reading


async def test_a_record_in_a_format_that_was_not_asked_for_is_not_taken_for_an_empty_one(
    foreign: Foreign, remote: RemotePubSub
) -> None:
    foreign.assignments.put_nowait("first")
    async with await remote.subscribe("numbers", READERS, Edge.EARLIEST) as subscription:
        await subscription.next_event()
        foreign.replies["first"].put_nowait(
            ReceiveReply(record=ReceiveReply.Record(offset=1, value=b"1"))
        )
        with pytest.raises(TemporaryError, match="a record that is no event"):
            await subscription.next_event()
        assert not await subscription.read(3, 10)
