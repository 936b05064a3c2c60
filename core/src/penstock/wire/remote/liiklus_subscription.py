"""A member of a group over riff's protocol: one Subscribe, and a Receive for each assignment."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Final, Self

import grpc

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
from penstock.wire.liiklus_event import from_event
from penstock.wire.protocol.liiklus_pb2 import (
    Assignment,
    ReceiveReply,
    ReceiveRequest,
    SubscribeReply,
    SubscribeRequest,
)
from penstock.wire.remote.events import Events
from penstock.wire.remote.failure import failure_of
from penstock.wire.remote.inbox import Inbox

if TYPE_CHECKING:
    from penstock.wire.protocol.liiklus_pb2_grpc import LiiklusServiceAsyncStub

_SETTLE_SECONDS: Final = 10.0
"""How long to wait for headers or an assignment; not every server sends the former alone, and a
member that gets no partition is not told so.
"""

_REFUSAL_SECONDS = 0.05  # how far behind its headers the status of a refusal may be seen

Acknowledge = Callable[[Mapping[int, int], Mapping[int, Assignment]], Awaitable[None]]


class LiiklusSubscription(Subscription):
    """One Subscribe call and those that it brings about.

    A partition is revoked when its Receive ends: it is lost by then, so there is no grace. What
    a server keeps back for a client that does not read is its own affair, and HTTP/2's.
    """

    def __init__(
        self,
        stub: "LiiklusServiceAsyncStub",
        address: str,
        request: SubscribeRequest,
        acknowledge: Acknowledge,
    ) -> None:
        self._stub = stub
        self._address = address
        self._acknowledge = acknowledge
        self._events = Events()
        self._inboxes: dict[int, Inbox] = {}
        self._receiving: set[int] = set()
        self._next: dict[int, Assignment] = {}
        self._held: dict[int, Assignment] = {}
        self._settled = asyncio.Event()
        self._call = stub.Subscribe(request)
        self._tasks = {asyncio.create_task(self._follow()), asyncio.create_task(self._settle())}

    @classmethod
    async def join(
        cls,
        stub: "LiiklusServiceAsyncStub",
        address: str,
        request: SubscribeRequest,
        acknowledge: Acknowledge,
    ) -> Self:
        """Subscribe, and wait until the start is settled, as far as that can be seen.

        Args:
            stub: Of the channel to use.
            address: The gateway's, for the texts of errors.
            request: What to subscribe to.
            acknowledge: Stores positions of the group, given the assignments that are held.

        Raises:
            NotSpoken: The server does not have the protocol.
            PenstockError: As the server answered.
        """
        member = cls(stub, address, request, acknowledge)
        try:
            async with asyncio.timeout(_SETTLE_SECONDS):
                await member._settled.wait()
        except TimeoutError:
            return member
        except BaseException:
            await member.close()
            raise
        if failure := member._events.failure:
            raise failure
        return member

    async def next_event(self) -> SubscriptionEvent:
        """Wait for the next assignment or revocation."""
        return await self._events.next()

    async def read(
        self, partition: int, max_records: int, max_bytes: int = READ_BYTES
    ) -> Sequence[Record]:
        """Take what came in."""
        inbox = self._inboxes.get(partition)
        if inbox is None or self._events.hides(partition):
            return ()
        return await inbox.take(max_records, max_bytes)

    async def release(self, partitions: Collection[int]) -> None:
        """Nothing to confirm: what was revoked is gone."""

    async def ack(self, positions: Mapping[int, int]) -> None:
        """Store positions, in a call for each partition."""
        self._events.raise_for_end()
        await self._acknowledge(positions, self._held)

    async def close(self) -> None:
        """Leave the group."""
        self._lose(TemporaryError("the subscription is closed"))
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _settle(self) -> None:
        await self._call.initial_metadata()
        await asyncio.sleep(_REFUSAL_SECONDS)
        self._settled.set()

    async def _follow(self) -> None:
        try:
            while isinstance(reply := await self._call.read(), SubscribeReply):
                self._assign(reply.assignment)
                self._settled.set()
        except grpc.aio.AioRpcError as error:
            self._lose(failure_of(error, self._address), error)
        finally:
            self._lose(TemporaryError(f"gateway {self._address} ended the subscription"))

    def _assign(self, assignment: Assignment) -> None:
        """Receive a partition; one that is being received waits for the end of that.

        After a rebalance there is a reply for each partition that is held, also for those that
        stay: to receive these anew would end them.
        """
        partition = assignment.partition
        self._next[partition] = assignment
        if partition not in self._receiving:
            self._receiving.add(partition)
            task = asyncio.create_task(self._receive(partition))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _receive(self, partition: int) -> None:
        while assignment := self._next.pop(partition, None):
            inbox = self._inboxes[partition] = Inbox()
            self._held[partition] = assignment
            self._events.put(Assigned(frozenset({partition})))
            request = ReceiveRequest(assignment=assignment, format=ReceiveRequest.LIIKLUS_EVENT)
            call = self._stub.Receive(request)
            try:
                while isinstance(reply := await call.read(), ReceiveReply):
                    inbox.put((_record(reply),), reply.ByteSize())
                    await inbox.room()
            except grpc.aio.AioRpcError as error:
                self._lose(failure_of(error, self._address), error)
                return
            except ValueError as error:
                text = f"gateway {self._address} sent what makes no sense: {error}"
                self._lose(TemporaryError(text), error)
                return
            finally:
                call.cancel()
            inbox.close()
            del self._held[partition]
            self._events.put(Revoked(frozenset({partition}), grace=0))
        self._receiving.discard(partition)

    def _lose(self, failure: PenstockError, cause: Exception | None = None) -> None:
        """End it for the caller, whose reads and events end; the first reason counts."""
        failure.__cause__ = cause or failure.__cause__
        if not self._events.end(failure):
            return
        self._settled.set()
        for inbox in self._inboxes.values():
            inbox.close()
        self._call.cancel()
        for task in self._tasks:
            task.cancel()


def _record(reply: ReceiveReply) -> Record:
    if not reply.HasField("liiklus_event_record"):
        raise ValueError("a record that is no event, which is the format that was asked for")
    record = reply.liiklus_event_record
    stored = record.timestamp
    return Record(
        message=from_event(record.event, record.key),
        offset=record.offset,
        timestamp_ms=stored.seconds * 1000 + stored.nanos // 1_000_000,
        replay=record.replay,
    )
