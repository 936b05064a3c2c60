"""Records that go to a broker together."""

import time
from collections.abc import Iterable

from aiokafka.producer.message_accumulator import BatchBuilder

from penstock.plugin import PermanentError, TemporaryError
from penstock_kafka.publisher.share import Share
from penstock_kafka.records import EncodedRecord, encode

_AT_A_TIME = 1000
"""Messages that are encoded before it is known whether they fit."""


class RecordBatch(BatchBuilder):  # type: ignore[misc]  # aiokafka has no types
    """aiokafka's batch, with a loop for many records: each takes two thirds of the time."""

    _relative_offset: int

    def extend(self, records: Iterable[EncodedRecord]) -> None:
        """Append records, all of the same time, up to the first that does not fit."""
        append = self._builder.append
        offset = self._relative_offset
        now_ms = int(time.time() * 1000)
        try:
            for key, value, headers in records:
                if append(offset, now_ms, key, value, headers) is None:
                    self.close()
                    break
                offset += 1
        finally:
            self._relative_offset = offset


class Batch:
    """The next messages of shares of one partition, as the broker gets them.

    Args:
        max_bytes: Of the batch, before it is compressed; a single message may have more.
        max_messages: At most so many; no limit where it is None.
        codec: How it is compressed, by Kafka's number.

    Attributes:
        builder: The records.
    """

    def __init__(self, *, max_bytes: int, max_messages: int | None, codec: int) -> None:
        self.builder = RecordBatch(max_bytes, codec)
        self._max_messages = max_messages
        self._parts: list[tuple[Share, int]] = []

    def take(self, share: Share) -> None:
        """Take of a share what fits.

        Raises:
            UnicodeEncodeError: The next message cannot be written; those before it are taken.
        """
        before = len(self)
        try:
            self.builder.extend(encode(share.untaken[: self._max_messages or _AT_A_TIME]))
        finally:
            count = len(self) - before
            share.taken += count
            if count:
                self._parts.append((share, count))
        if self._max_messages is not None:
            self.builder.close()

    def __len__(self) -> int:
        return int(self.builder.record_count())

    @property
    def is_full(self) -> bool:
        """Whether it takes no more."""
        return bool(self.builder.closed())

    @property
    def size(self) -> int:
        """Bytes; once it was sent, when compressed."""
        return int(self.builder.size())

    @property
    def is_stale(self) -> bool:
        """Whether a caller has given up of what is in it, or it has failed."""
        return any(share.done.done() for share, _ in self._parts)

    @property
    def has_unkeyed(self) -> bool:
        """Whether a message of it has no key; to be asked before it is settled."""
        return any(share.has_unkeyed(count) for share, count in self._parts)

    def stored(self, first_offset: int) -> None:
        """It is in the partition, in a row."""
        for share, count in self._parts:
            share.stored(count, first_offset)
            first_offset += count

    def refused(self, error: PermanentError) -> None:
        """None of it can ever be stored."""
        for share, count in self._parts:
            share.refused(count, error)

    def failed(self, error: TemporaryError) -> None:
        """None of it is stored, as far as is known, and nothing behind it may be."""
        for share, _ in self._parts:
            share.failed(error)
