"""A member of a group over penstock's own protocol."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from itertools import count
from typing import TYPE_CHECKING, Self

import grpc

from penstock.plugin import (
    READ_BYTES,
    Assigned,
    PenstockError,
    PermanentError,
    PositionExpired,
    Record,
    Revoked,
    Subscription,
    SubscriptionEvent,
    TemporaryError,
)
from penstock.wire.columns import unpack_records
from penstock.wire.protocol import gateway_pb2
from penstock.wire.protocol.gateway_pb2 import SubscribeReply, SubscribeRequest
from penstock.wire.remote.events import Events
from penstock.wire.remote.failure import CALL_SECONDS, failure_of, silent
from penstock.wire.remote.inbox import HIGH_BYTES, HIGH_RECORDS, Inbox

if TYPE_CHECKING:
    from penstock.wire.protocol.gateway_pb2_grpc import BatchGatewayAsyncStub

_LEAVE_SECONDS = 2.0


class BatchSubscription(Subscription):
    """One Subscribe call. A task receives, another sends, so that no caller's cancelling
    reaches the call.
    """

    def __init__(
        self, stub: "BatchGatewayAsyncStub", address: str, opening: gateway_pb2.Open
    ) -> None:
        self._address = address
        self._commands: asyncio.Queue[SubscribeRequest | None] = asyncio.Queue()
        self._commands.put_nowait(SubscribeRequest(open=opening))
        self._events = Events()
        self._inboxes: dict[int, Inbox] = {}
        self._sequence = count(1)
        self._unconfirmed: dict[int, asyncio.Future[None]] = {}
        self._joined = asyncio.Event()
        self._call = stub.Subscribe(self._outgoing())
        self._receiving = asyncio.create_task(self._receive())
        self._beating: asyncio.Task[None] | None = None

    @classmethod
    async def join(
        cls,
        stub: "BatchGatewayAsyncStub",
        address: str,
        opening: gateway_pb2.Open,
        heartbeat: float,
    ) -> Self:
        """Open a subscription and wait until its start is settled.

        Args:
            stub: Of the channel to use.
            address: The gateway's, for the texts of errors.
            opening: What to subscribe to.
            heartbeat: Seconds between two signs of life; the server has as long to answer one.

        Raises:
            PenstockError: As the server answered.
        """
        member = cls(stub, address, opening)
        try:
            async with asyncio.timeout(CALL_SECONDS):
                await member._joined.wait()
        except BaseException as error:
            await member.close()
            if isinstance(error, TimeoutError):
                raise silent(address, CALL_SECONDS) from error
            raise
        if failure := member._events.failure:
            raise failure
        member._beating = asyncio.create_task(member._beat(heartbeat))
        return member

    async def next_event(self) -> SubscriptionEvent:
        """Wait for the next assignment or revocation."""
        return await self._events.next()

    async def read(
        self, partition: int, max_records: int, max_bytes: int = READ_BYTES
    ) -> Sequence[Record]:
        """Take what came in, and ask for more when enough of it has been read."""
        inbox = self._inboxes.get(partition)
        if inbox is None or self._events.hides(partition):
            return ()
        records = await inbox.take(max_records, max_bytes)
        due_records, due_bytes = inbox.due()
        if due_records or due_bytes:
            self._grant(partition, due_records, due_bytes)
        return records

    async def release(self, partitions: Collection[int]) -> None:
        """Tell the server, which hears it after every ack before."""
        release = gateway_pb2.Release(partitions=partitions)
        self._commands.put_nowait(SubscribeRequest(release=release))

    async def ack(self, positions: Mapping[int, int]) -> None:
        """Store positions; the server has confirmed it when this returns."""
        await self._confirm(positions, CALL_SECONDS)

    async def close(self) -> None:
        """Leave the group; the server has confirmed it when this returns, or does not answer."""
        self._lose(TemporaryError("the subscription is closed"))
        try:
            await asyncio.wait((self._receiving,), timeout=_LEAVE_SECONDS)
        finally:
            self._call.cancel()

    async def _outgoing(self) -> AsyncIterator[SubscribeRequest]:
        while (command := await self._commands.get()) is not None:
            yield command

    async def _receive(self) -> None:
        try:
            while isinstance(reply := await self._call.read(), SubscribeReply):
                # What still comes while it is being closed is for nobody.
                if not self._events.failure:
                    self._take(reply)
                self._joined.set()
        except grpc.aio.AioRpcError as error:
            self._lose(failure_of(error, self._address), error)
        except ValueError as error:
            text = f"gateway {self._address} sent what makes no sense: {error}"
            self._lose(TemporaryError(text), error)
            self._call.cancel()
        finally:
            self._lose(TemporaryError(f"gateway {self._address} ended the subscription"))

    def _take(self, reply: SubscribeReply) -> None:
        match reply.WhichOneof("event"):
            case "records":
                columns = reply.records.records
                records = unpack_records(columns)
                self._inbox(reply.records.partition).put(records, columns.ByteSize())
            case "acked":
                self._confirmed(reply.acked)
            case "assigned":
                partitions = frozenset(reply.assigned.partitions)
                for partition in partitions:
                    self._inboxes[partition] = Inbox()
                    self._grant(partition, HIGH_RECORDS, HIGH_BYTES)
                if partitions:
                    self._events.put(Assigned(partitions))
            case "revoked":
                partitions = frozenset(reply.revoked.partitions)
                for partition in partitions:
                    self._inbox(partition).close()
                self._events.put(Revoked(partitions, reply.revoked.grace_seconds))
            case "position_expired":
                gap = reply.position_expired
                self._inbox(gap.partition).put_gap(
                    PositionExpired(gap.partition, gap.wanted, gap.earliest)
                )

    def _inbox(self, partition: int) -> Inbox:
        if partition not in self._inboxes:
            raise ValueError(f"it is of partition {partition}, which is not assigned")
        return self._inboxes[partition]

    def _grant(self, partition: int, records: int, size: int) -> None:
        credit = gateway_pb2.Credit(partition=partition, records=records, bytes=size)
        self._commands.put_nowait(SubscribeRequest(credit=credit))

    async def _confirm(self, positions: Mapping[int, int], seconds: float) -> None:
        self._events.raise_for_end()
        sequence = next(self._sequence)
        confirmed = asyncio.get_running_loop().create_future()
        self._unconfirmed[sequence] = confirmed
        ack = gateway_pb2.Ack(positions=dict(positions), sequence=sequence)
        self._commands.put_nowait(SubscribeRequest(ack=ack))
        try:
            async with asyncio.timeout(seconds):
                await confirmed
        except TimeoutError as error:
            raise silent(self._address, seconds) from error
        finally:
            self._unconfirmed.pop(sequence, None)

    def _confirmed(self, acked: gateway_pb2.Acked) -> None:
        future = self._unconfirmed.get(acked.sequence)
        if future is None or future.done():
            return
        if acked.refusal:
            kind = TemporaryError if acked.temporary else PermanentError
            future.set_exception(kind(acked.refusal))
        else:
            future.set_result(None)

    async def _beat(self, seconds: float) -> None:
        """Notice a server that is gone without a word, which gRPC would take minutes for."""
        try:
            while True:
                await asyncio.sleep(seconds)
                await self._confirm({}, seconds)
        except PenstockError as error:
            self._lose(error)
            self._call.cancel()

    def _lose(self, failure: PenstockError, cause: Exception | None = None) -> None:
        """End it for the caller, whose reads, acks and events end; the first reason counts."""
        failure.__cause__ = cause or failure.__cause__
        if not self._events.end(failure):
            return
        for inbox in self._inboxes.values():
            inbox.close()
        for confirmed in self._unconfirmed.values():
            if not confirmed.done():
                confirmed.set_exception(failure)
        self._joined.set()
        if self._beating:
            self._beating.cancel()
        self._commands.put_nowait(None)
