"""One Subscribe of the batch protocol: a client's commands in, events and records out."""

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterable, Coroutine, Iterable, Sequence
from typing import Final, NamedTuple

from penstock.plugin import (
    Assigned,
    PenstockError,
    PermanentError,
    PositionExpired,
    Record,
    Revoked,
    Subscription,
    TemporaryError,
)
from penstock.server.credit import Credit
from penstock.wire.channel import FRAME_BYTES
from penstock.wire.columns import in_frames, pack_records
from penstock.wire.protocol import gateway_pb2
from penstock.wire.protocol.gateway_pb2 import SubscribeReply, SubscribeRequest

READ_RECORDS: Final = 2000
READ_BYTES: Final = 1024 * 1024
"""What is read of a partition at a time, and so the most that is held of one that waits to be
sent (and one record more).
"""

_UNCONFIRMED = 100  # acks and releases that wait their turn before commands are left unread
_PAUSE = 0.5  # seconds before a partition is read again that could not be read for now

_LOGGER = logging.getLogger(__name__)


class Buffered(NamedTuple):
    """What there is between a server and its clients.

    Attributes:
        credit_messages, credit_bytes: What clients granted, and was not sent yet.
        unsent_messages: What was read for clients, and was not sent yet.
    """

    credit_messages: int = 0
    credit_bytes: int = 0
    unsent_messages: int = 0


class BatchSession:
    """Carries one subscription for one client.

    Each partition that has credit is read by a task of its own, and all of them share one place
    for a reply on its way out. So what a slow client makes the server hold is one read for each
    partition, and a partition without credit holds up nobody.
    """

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription
        self._credits: dict[int, Credit] = {}
        self._senders: dict[int, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._replies: asyncio.Queue[SubscribeReply | None] = asyncio.Queue(maxsize=1)
        self._orders: asyncio.Queue[SubscribeRequest | None] = asyncio.Queue(_UNCONFIRMED)
        self._failure: BaseException | None = None
        self._unsent = 0

    @property
    def buffered(self) -> Buffered:
        """What its client is ready to take, and what it holds for it."""
        credit = [self._credits[partition] for partition in self._senders]
        return Buffered(
            # A credit that its last frame passed is below 0: nobody is ready for less than nothing.
            credit_messages=sum(max(0, one.records) for one in credit),
            credit_bytes=sum(max(0, one.bytes) for one in credit),
            unsent_messages=self._unsent,
        )

    async def replies(
        self, commands: AsyncIterable[SubscribeRequest]
    ) -> AsyncGenerator[SubscribeReply, None]:
        """What to send, until the client ends its side; close it to stop early.

        Args:
            commands: All that come after the one that opened the subscription.

        Raises:
            PermanentError: A command makes no sense.
            TemporaryError: The membership is lost.
        """
        self._start(self._obey(commands))
        self._start(self._confirm())
        self._start(self._announce())
        try:
            yield SubscribeReply(assigned=gateway_pb2.Assigned())
            while (reply := await self._replies.get()) is not None:
                yield reply
            if self._failure:
                raise self._failure
        finally:
            await _cancel(self._tasks)

    async def _obey(self, commands: AsyncIterable[SubscribeRequest]) -> None:
        async for command in commands:
            match command.WhichOneof("command"):
                case "credit":
                    self._grant(command.credit)
                case "ack" if not command.ack.positions:
                    await self._answer(gateway_pb2.Acked(sequence=command.ack.sequence))
                case "ack" | "release":
                    await self._orders.put(command)
                case "open":
                    raise PermanentError(
                        "a second open: the subscription is open, another one needs its own call"
                    )
                case _:
                    raise PermanentError("an empty command: expected credit, release or ack")
        await self._orders.put(None)

    def _grant(self, credit: gateway_pb2.Credit) -> None:
        known = self._credits.get(credit.partition)
        if known is None:
            raise PermanentError(
                f"credit for partition {credit.partition}, which was never assigned here"
            )
        known.grant(credit.records, credit.bytes)

    async def _confirm(self) -> None:
        """Acks and releases, in the order in which they came: a release ends what was acked."""
        while (order := await self._orders.get()) is not None:
            if order.HasField("release"):
                await self._subscription.release(order.release.partitions)
                continue
            answer = gateway_pb2.Acked(sequence=order.ack.sequence)
            try:
                await self._subscription.ack(dict(order.ack.positions))
            except PenstockError as error:
                answer.refusal = str(error)
                answer.temporary = isinstance(error, TemporaryError)
            await self._answer(answer)
        await self._replies.put(None)

    async def _answer(self, acked: gateway_pb2.Acked) -> None:
        if acked.sequence:
            await self._replies.put(SubscribeReply(acked=acked))

    async def _announce(self) -> None:
        while True:
            event = await self._subscription.next_event()
            match event:
                case Assigned(partitions):
                    await self._assign(partitions)
                case Revoked(partitions, grace):
                    await self._revoke(partitions, grace)

    async def _assign(self, partitions: frozenset[int]) -> None:
        for partition in partitions:
            self._credits[partition] = Credit()
        assigned = gateway_pb2.Assigned(partitions=sorted(partitions))
        await self._replies.put(SubscribeReply(assigned=assigned))
        for partition in partitions:
            self._senders[partition] = self._start(self._send(partition))

    async def _revoke(self, partitions: frozenset[int], grace: float) -> None:
        # The credit stays known: a grant may have passed this on its way.
        now = asyncio.get_running_loop().time
        asked = now()
        senders = [self._senders.pop(one) for one in partitions if one in self._senders]
        await _cancel(senders)
        revoked = gateway_pb2.Revoked(
            partitions=sorted(partitions), grace_seconds=max(0.0, grace - (now() - asked))
        )
        await self._replies.put(SubscribeReply(revoked=revoked))

    async def _send(self, partition: int) -> None:
        credit = self._credits[partition]
        while True:
            await credit.wait()
            try:
                records = await self._subscription.read(
                    partition, min(credit.records, READ_RECORDS), min(credit.bytes, READ_BYTES)
                )
            except PositionExpired as gap:
                await self._replies.put(
                    SubscribeReply(
                        position_expired=gateway_pb2.PositionExpired(
                            partition=partition, wanted=gap.wanted, earliest=gap.earliest
                        )
                    )
                )
                continue
            except TemporaryError as error:
                fields = {"partition": partition}
                _LOGGER.warning("reading partition %d: %s", partition, error, extra=fields)
                await asyncio.sleep(error.retry_after or _PAUSE)
                continue
            if not records:
                return
            await self._hand_over(partition, records)

    async def _hand_over(self, partition: int, records: Sequence[Record]) -> None:
        unsent = len(records)
        self._unsent += unsent
        try:
            for columns in in_frames(records, pack_records, FRAME_BYTES):
                self._credits[partition].spend(len(columns.offset), columns.ByteSize())
                frame = gateway_pb2.Records(partition=partition, records=columns)
                await self._replies.put(SubscribeReply(records=frame))
                unsent -= len(columns.offset)
                self._unsent -= len(columns.offset)
        finally:
            self._unsent -= unsent

    def _start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or not (error := task.exception()) or self._failure:
            return
        self._failure = error
        # Nobody else may put a reply in its place: the end is all that is left to say.
        for other in self._tasks:
            other.cancel()
        while not self._replies.empty():
            self._replies.get_nowait()
        self._replies.put_nowait(None)


async def _cancel(tasks: Iterable[asyncio.Task[None]]) -> None:
    ending = tuple(tasks)
    for task in ending:
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)
