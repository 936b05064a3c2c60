"""What was read, and is not processed before the ack of it is stored."""

from collections import deque
from collections.abc import Iterator, Sequence

from penstock_sidecar.engine.flow import PartitionKey
from penstock_sidecar.engine.settlement import Run


class Unacked:
    """Runs whose acks are on their way, by partition."""

    def __init__(self) -> None:
        self._waiting: dict[PartitionKey, deque[tuple[int, Run, Sequence[int]]]] = {}

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def put(self, run: Run, timestamps: Sequence[int]) -> None:
        """Keep what was read, and the times of its records."""
        waiting = self._waiting.setdefault(run.partition.key, deque())
        waiting.append((run.offsets[-1], run, timestamps))

    def take(self, key: PartitionKey, position: int) -> Iterator[tuple[Run, Sequence[int]]]:
        """What is acked by now, up to this offset."""
        waiting = self._waiting.get(key)
        while waiting and waiting[0][0] <= position:
            _, run, timestamps = waiting.popleft()
            if not waiting:
                del self._waiting[key]
            yield run, timestamps

    def forget(self, key: PartitionKey) -> list[Run]:
        """A partition is lost: whether the ack is stored, nobody knows. Returns what waited."""
        return [run for _, run, _ in self._waiting.pop(key, ())]
