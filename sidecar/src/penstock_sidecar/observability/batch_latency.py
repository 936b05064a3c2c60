"""How long batches take from being stored to being done; pure.

Nothing is kept for a message: a batch is as old as its oldest record, which is its first, and is
done when its last one is.
"""

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from penstock.plugin import Record

BATCHES: Final = 1000
"""So many batches of a partition are told apart; those behind count as part of the last."""


class BatchLatency:
    """Follows the batches of one input."""

    def __init__(self) -> None:
        # By partition: the last offset of each batch that is not done, and when its first record
        # was stored.
        self._open: dict[int, deque[tuple[int, int]]] = {}

    def read(self, partition: int, records: Sequence[Record]) -> None:
        """A batch was read: at least one record."""
        batches = self._open.setdefault(partition, deque())
        last, stored_ms = records[-1].offset, records[0].timestamp_ms
        if len(batches) == BATCHES:
            _, stored_ms = batches.pop()
        batches.append((last, stored_ms))

    def done(self, positions: Mapping[int, int], now_ms: float) -> Sequence[float]:
        """The seconds that each batch took which is done by now.

        Args:
            positions: The last offset that is done, by partition.
            now_ms: In milliseconds since the Unix epoch. The records' time may be another clock's:
                nothing takes less than no time.
        """
        took = []
        for partition, offset in positions.items():
            batches = self._open.get(partition, deque())
            while batches and batches[0][0] <= offset:
                _, stored_ms = batches.popleft()
                took.append(max(0.0, now_ms - stored_ms) / 1000)
        return took

    def forget(self, partitions: Collection[int]) -> None:
        """These are read by somebody else."""
        for partition in partitions:
            self._open.pop(partition, None)
