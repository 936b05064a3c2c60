"""Which offsets of a partition are open, and how far it can be acked.

A run is settled from its front only: inputs of a call are done in the order in which the call was
fed. Runs themselves are settled in any order.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from operator import ge

from penstock.plugin import Message, Record
from penstock_sidecar.engine.flow import PartitionKey
from penstock_sidecar.engine.settings import FRAME_RECORDS


class Partition:
    """One assignment of a partition: what was read of it and is not settled.

    Args:
        key: Which partition of which input.
        place: The same in the ids of outputs.
    """

    def __init__(self, key: PartitionKey, place: str = "") -> None:
        self.key = key
        self.place = place
        self.lost = False
        """Whether it belongs to somebody else by now: nothing of it is acked any more."""
        self._open: deque[Run] = deque()
        self._position: int | None = None

    @property
    def idle(self) -> bool:
        """Whether everything that was read of it is settled."""
        return not self._open

    @property
    def open_runs(self) -> Sequence[Run]:
        """What is not settled, in the order of offsets."""
        return self._open

    def add(self, run: Run) -> None:
        """Take in what was read behind everything that came before."""
        self._open.append(run)

    def merge(self, before: Run, run: Run) -> bool:
        """Make the last two runs one, if these are they and together they are short.

        A long window of messages that come one by one would else hold a run for each of them.
        """
        if not (
            len(self._open) > 1
            and self._open[-1] is run
            and self._open[-2] is before
            and before.window == run.window
            and before.offsets[-1] + 1 == run.offsets[0]
            and len(before.offsets) + len(run.offsets) <= FRAME_RECORDS
            and isinstance(before.offsets, range)
            and isinstance(run.offsets, range)
        ):
            return False
        self._open.pop()
        before.keys = _join_keys(before, run)
        before.offsets = range(before.offsets[0], run.offsets[-1] + 1)
        return True

    def withdraw(self) -> list[Run]:
        """Forget what no call was fed with, and what lies behind it; returns the former.

        Whoever reads the partition next begins there, whatever becomes of the rest.
        """
        kept = deque(takewhile(lambda run: run.fed, self._open))
        unfed = [run for run in self._open if not run.fed]
        self._open = kept
        return unfed

    def advance(self) -> int | None:
        """The last offset with nothing open at or below it, if that has changed."""
        position = None
        while self._open:
            run = self._open[0]
            if run.settled:
                position = run.offsets[run.settled - 1]
            if run.settled < len(run.offsets):
                break
            self._open.popleft()
        if self.lost or position is None or position == self._position:
            return None
        self._position = position
        return position


@dataclass(slots=True, eq=False)
class Run:
    """Records in a row of one partition that belong to one window.

    Attributes:
        partition: Where they are from.
        messages: The messages, until a call was fed with them.
        offsets: Their offsets; a range where there are no gaps, so that a long window is small.
        size: Bytes of the messages' payloads.
        window: The window's number.
        fed: Whether a call was fed with them.
        keys: The messages' keys, once fed and for as long as an output may need them.
        settled: How many of them are done for good, from the first on.
    """

    partition: Partition
    messages: Sequence[Message]
    offsets: Sequence[int]
    size: int
    window: int = 0
    fed: bool = False
    keys: Sequence[bytes | None] | None = None
    settled: int = 0

    @classmethod
    def of(cls, partition: Partition, records: Sequence[Record]) -> Run:
        """A run of what one read brought."""
        messages, offsets, _, _ = zip(*records, strict=True)
        first, last = offsets[0], offsets[-1]
        if last - first + 1 == len(offsets):
            return cls(partition, messages, range(first, last + 1), _size(messages))
        return cls(partition, messages, offsets, _size(messages))

    def split(self, count: int) -> tuple[Run, Run]:
        """The first `count` records, and the rest; no call was fed with them yet."""
        if count == len(self.offsets):
            return self, Run(self.partition, (), (), 0)
        head, tail = self.messages[:count], self.messages[count:]
        size = _size(head)
        return (
            Run(self.partition, head, self.offsets[:count], size),
            Run(self.partition, tail, self.offsets[count:], self.size - size),
        )

    def feed(self) -> Sequence[Message]:
        """Hand the messages over: from here on only offsets and keys are kept."""
        messages, self.messages, self.fed = self.messages, (), True
        keys = [message.key for message in messages]
        self.keys = keys if any(keys) else None
        return messages


def describe(runs: Iterable[Run], inputs: Sequence[str]) -> str:
    """The records of runs that are not settled, in words: `numbers[0] 10-19, numbers[1] 4`.

    Args:
        runs: What to describe.
        inputs: The names of the inputs.
    """
    bounds: dict[PartitionKey, tuple[int, int]] = {}
    for run in runs:
        if run.settled < len(run.offsets):
            begin, end = run.offsets[run.settled], run.offsets[-1]
            first, last = bounds.get(run.partition.key, (begin, end))
            bounds[run.partition.key] = min(first, begin), max(last, end)
    return ", ".join(
        f"{inputs[key.input]}[{key.partition}] {first}" + (f"-{last}" if last > first else "")
        for key, (first, last) in bounds.items()
    )


def _join_keys(before: Run, run: Run) -> list[bytes | None] | None:
    if before.keys is None and run.keys is None:
        return None
    return [
        *(before.keys or [None] * len(before.offsets)),
        *(run.keys or [None] * len(run.offsets)),
    ]


def _size(messages: Sequence[Message]) -> int:
    return sum([len(message.payload) for message in messages])


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Inputs that are done as soon as enough outputs are accepted.

    Attributes:
        needed: How many messages each output must have accepted, counted from the start.
        inputs: Runs, and how many of each are done then.
    """

    needed: tuple[int, ...]
    inputs: Sequence[tuple[Run, int]]


class Checkpoints:
    """What waits for outputs to be accepted.

    Outputs are published in the order in which they came, so of two checkpoints the earlier never
    needs more than the later.
    """

    def __init__(self) -> None:
        self._waiting: deque[Checkpoint] = deque()

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, checkpoint: Checkpoint) -> None:
        """Inputs were reported done."""
        self._waiting.append(checkpoint)

    def settle(self, accepted: Sequence[int]) -> set[Partition]:
        """Settle what these many accepted messages of each output allow; what it touched."""
        touched = set()
        while self._waiting and all(map(ge, accepted, self._waiting[0].needed)):
            for run, count in self._waiting.popleft().inputs:
                run.settled = max(run.settled, count)
                touched.add(run.partition)
        return touched
