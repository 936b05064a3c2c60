"""The log of one partition: its messages, in the order in which they came."""

import asyncio
from array import array
from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import accumulate, chain, repeat

from penstock.plugin import Message, Record, Retention

Clock = Callable[[], float]
"""Gives the time in seconds since the Unix epoch."""


class Log:
    """Keeps messages by column. Offsets start at 0, have no gaps, and are never used again.

    Messages are kept once, however many groups read them; their records are made when they are
    read. What is trimmed can be read no longer, but stays in the columns until it is an eighth of
    them: cutting a list moves all that is behind the cut, too dear to do at each append.

    Args:
        retention: Bounds on what is kept; the newest message stays, however many bytes it has.
        clock: The time that messages are stored at.

    Attributes:
        waiting: Each is set at the next append, and then forgotten.
    """

    def __init__(self, retention: Retention, clock: Clock) -> None:
        self.waiting: set[asyncio.Event] = set()
        self._retention = retention
        self._clock = clock
        self._messages: list[Message] = []
        self._timestamps_ms = array("q")
        # All bytes ever stored before each message, and at last before the one to come: so the
        # bytes of any stretch are one subtraction, and a bound is found by bisection.
        self._bytes_before = array("Q", [0])
        self._cut = 0  # how many messages were cut off in front of the columns
        self._trimmed = 0  # how many at the front of the columns are trimmed

    @property
    def first(self) -> int:
        """Offset of the earliest message that is kept; `end` where none is."""
        return self._cut + self._trimmed

    @property
    def end(self) -> int:
        """Offset of the message to come."""
        return self._cut + len(self._messages)

    def append(self, messages: Sequence[Message]) -> range:
        """Store messages and wake who waits for them; gives their offsets."""
        offsets = range(self.end, self.end + len(messages))
        now_ms = int(self._clock() * 1000)
        if self._timestamps_ms:  # a clock may be set back, but a search by time needs order
            now_ms = max(now_ms, self._timestamps_ms[-1])
        sizes = [len(message.payload) + len(message.key or b"") for message in messages]
        self._messages += messages
        self._timestamps_ms.extend(repeat(now_ms, len(messages)))
        self._bytes_before.extend(accumulate(sizes, initial=self._bytes_before.pop()))
        self.trim()
        for event in self.waiting:
            event.set()
        self.waiting.clear()
        return offsets

    def read(self, offset: int, max_records: int, max_bytes: int, acked: int) -> list[Record]:
        """The records from an offset on, up to the one that reaches `max_bytes` of payload.

        Args:
            offset: Where to begin, not before `first`; there are none at `end` or behind it.
            max_records: At most so many.
            max_bytes: Counts payloads only.
            acked: Records up to this offset are marked as replayed.
        """
        start = offset - self._cut
        stop = min(start + max_records, len(self._messages))
        if start >= stop:
            return []
        messages = self._messages[start:stop]
        if self._bytes_before[stop] - self._bytes_before[start] > max_bytes:
            messages = _up_to(messages, max_bytes)
        return list(
            map(
                Record,
                messages,
                range(offset, offset + len(messages)),
                self._timestamps_ms[start:stop],
                chain(repeat(True, acked + 1 - offset), repeat(False)),  # noqa: FBT003 - a column
            )
        )

    def at_time(self, timestamp_ms: int) -> int:
        """Offset of the first message stored at or after a time; `end` where there is none."""
        self.trim()
        return self._cut + bisect_left(self._timestamps_ms, timestamp_ms, self._trimmed)

    def keep(self, retention: Retention) -> None:
        """Put other bounds in place of those before."""
        self._retention = retention
        self.trim()

    def trim(self) -> None:
        """Let go of the messages that are beyond a bound now."""
        bound, before, count = self._retention, self._bytes_before, len(self._messages)
        first = self._trimmed
        if bound.messages is not None:
            first = max(first, count - bound.messages)
        if bound.bytes is not None and before[-1] - before[first] > bound.bytes:
            first = bisect_left(before, before[-1] - bound.bytes, first, count - 1)
        if bound.seconds is not None:
            oldest_ms = (self._clock() - bound.seconds) * 1000
            first = bisect_left(self._timestamps_ms, oldest_ms, first)
        self._trimmed = first
        if first * 8 > count:
            del self._messages[:first], self._timestamps_ms[:first], before[:first]
            self._cut += first
            self._trimmed = 0


def _up_to(messages: list[Message], max_bytes: int) -> list[Message]:
    """The first messages, with the one that brings their payloads to `max_bytes`."""
    total = 0
    for count, message in enumerate(messages, 1):
        total += len(message.payload)
        if total >= max_bytes:
            return messages[:count]
    return messages
