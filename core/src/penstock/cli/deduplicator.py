"""Tells messages that were seen before from those that were not."""

from collections import deque
from collections.abc import Iterable, Iterator
from hashlib import blake2b

from penstock.plugin import Message, Record

REMEMBERED = 1_000_000
"""How many messages are remembered: some 100 MB."""


class Deduplicator:
    """Remembers messages by their source and id, which make them one and the same event.

    What has no id is new each time.

    Args:
        remembered: How many of the last new messages are known again.

    Attributes:
        dropped: How many messages were left out.
    """

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self.dropped = 0
        self._remembered = remembered
        self._known: set[bytes] = set()
        self._order: deque[bytes] = deque()

    def fresh(self, records: Iterable[Record]) -> Iterator[Record]:
        """The records that were not seen before."""
        for record in records:
            if self._is_new(record.message):
                yield record
            else:
                self.dropped += 1

    def _is_new(self, message: Message) -> bool:
        if not message.id:
            return True
        # The length keeps apart what would be one text if it were only put together.
        event = f"{len(message.source)} {message.source}{message.id}"
        digest = blake2b(event.encode(), digest_size=16).digest()
        if digest in self._known:
            return False
        self._known.add(digest)
        self._order.append(digest)
        if len(self._order) > self._remembered:
            self._known.remove(self._order.popleft())
        return True
