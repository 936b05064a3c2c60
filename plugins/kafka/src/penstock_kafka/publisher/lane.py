"""The way into one partition: everybody's records, one batch at a time."""

import asyncio
from collections import deque
from collections.abc import Collection

from aiokafka.errors import (
    BrokerResponseError,
    MessageSizeTooLargeError,
    RecordListTooLargeError,
    kafka_errors,
)

from penstock.plugin import Message, PermanentError, TemporaryError
from penstock_kafka.errors import CLIENT_ERRORS, translated
from penstock_kafka.publisher.batch import Batch
from penstock_kafka.publisher.limits import Limits
from penstock_kafka.publisher.numbered_client import NUMBERING_LOST
from penstock_kafka.publisher.producer import Producer
from penstock_kafka.publisher.share import Share
from penstock_kafka.records import encode

BATCH_BYTES = 256 * 1024
"""A batch of several records is not larger, before it is compressed."""

_BATCHES_AHEAD = 2
_ATTEMPTS = 4


class InvalidRecordError(BrokerResponseError):  # type: ignore[misc]  # aiokafka has no types
    """A broker's INVALID_RECORD, which aiokafka does not tell from other unknown errors."""

    errno = 87
    message = "INVALID_RECORD"


kafka_errors.setdefault(InvalidRecordError.errno, InvalidRecordError)


class Lane:
    """Stores shares of a partition in the order in which they come.

    The next batch is sent when the one before it is stored, and has in it what has come by then.
    So nothing is stored behind what has failed, and small calls travel together. It is made while
    the broker works on the one before.

    Args:
        topic: The topic.
        partition: The partition.
        producer: Sends the batches.
        limits: What the topic does not take.
        codec: How batches are compressed, by Kafka's number.
    """

    def __init__(
        self, topic: str, partition: int, producer: Producer, limits: Limits, codec: int
    ) -> None:
        self._doing = f"publishing to partition {partition} of topic {topic}"
        self._topic = topic
        self._partition = partition
        self._producer = producer
        self._limits = limits
        self._codec = codec
        self._shares: deque[Share] = deque()
        self._untaken: deque[Share] = deque()
        self._ahead: deque[Batch] = deque()
        self._one_by_one = False
        self._attempts = 0
        self._task: asyncio.Task[None] | None = None

    @property
    def shares(self) -> Collection[Share]:
        """What is being stored."""
        return self._shares

    def add(self, share: Share) -> None:
        """Store a share; `Share.done` tells when."""
        self._shares.append(share)
        if self._limits.refuses_unkeyed:
            share.refuse(self._limits.unkeyed)
        self._untaken.append(share)
        self._fill()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())

    async def close(self) -> None:
        """Let go of the batch that is on its way, if there is one."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _work(self) -> None:
        self._one_by_one = False
        while self._ahead:
            batch = self._ahead.popleft()
            if batch.is_stale or not await self._store(batch):
                self._begin_anew()
            while self._shares and self._shares[0].done.done():
                self._shares.popleft()
            self._fill()

    def _fill(self) -> None:
        """Put what has come into batches, but few of them: each holds its messages once more."""
        while self._untaken and (len(self._ahead) < _BATCHES_AHEAD or not self._ahead[-1].is_full):
            share = self._untaken[0]
            if share.done.done() or not share.untaken:
                self._untaken.popleft()
                continue
            if not self._ahead or self._ahead[-1].is_full:
                self._ahead.append(self._new_batch())
            try:
                self._ahead[-1].take(share)
            except UnicodeEncodeError:
                share.refuse(_unwritable)

    def _new_batch(self) -> Batch:
        return Batch(
            max_bytes=min(BATCH_BYTES, self._limits.max_bytes),
            max_messages=1 if self._one_by_one else None,
            codec=self._codec,
        )

    def _begin_anew(self) -> None:
        """Forget the batches, because they are no longer what is to be sent next."""
        self._ahead.clear()
        for share in self._shares:
            share.give_back()
            if self._limits.refuses_unkeyed:
                share.refuse(self._limits.unkeyed)
        self._shares = deque(share for share in self._shares if not share.done.done())
        self._untaken = self._shares.copy()

    async def _store(self, batch: Batch) -> bool:
        """Whether all of the batch is settled; if it is not, the batches behind it must wait."""
        if not batch:
            return True
        # How large it is when it is compressed, is known when it is sent.
        if len(batch) == 1 and not self._codec and await self._limits.refuses(batch.size):
            batch.refused(self._limits.too_large(batch.size))
            return True
        try:
            offset = await self._producer.send(batch.builder, self._topic, self._partition)
        except (TemporaryError, *CLIENT_ERRORS) as error:
            await self._react(batch, error)
            return False
        self._attempts = 0
        batch.stored(offset)
        return True

    async def _react(self, batch: Batch, error: Exception) -> None:
        """Give the messages of a batch their results, or let them be sent in another batch."""
        is_single = len(batch) == 1
        if isinstance(error, NUMBERING_LOST) and self._attempts < _ATTEMPTS:
            self._attempts += 1
        elif isinstance(error, MessageSizeTooLargeError | RecordListTooLargeError):
            await self._limits.learn_refusal(batch.size, len(batch))
            if is_single:
                batch.refused(self._limits.too_large(batch.size))
        elif isinstance(error, InvalidRecordError) and batch.has_unkeyed:
            # Brokers say it of messages without a key, where the topic is compacted.
            self._limits.learn_unkeyed_refusal()
        elif isinstance(error, InvalidRecordError) and not is_single:
            self._one_by_one = True
        else:
            self._one_by_one, self._attempts = False, 0
            reason = error if isinstance(error, TemporaryError) else translated(error, self._doing)
            if isinstance(reason, PermanentError):
                batch.refused(reason)
            elif isinstance(reason, TemporaryError):
                batch.failed(reason)


def _unwritable(message: Message) -> PermanentError | None:
    try:
        list(encode([message]))
    except UnicodeEncodeError as error:
        return PermanentError(f"the message has a text that cannot be written as UTF-8: {error}")
    return None
