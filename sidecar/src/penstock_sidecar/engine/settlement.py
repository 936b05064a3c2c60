"""Which offsets of a partition are open, and how far it can be acked."""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from penstock.plugin import Message, Record
from penstock_sidecar.engine.flow import PartitionKey
from penstock_sidecar.engine.settings import FRAME_RECORDS

# What is known of each record; in a `bytearray`, so that a thousand change in one step.
_UNFED: Final = 0
_FED: Final = b"\1"
_DONE: Final = b"\2"


class Partition:
    """One assignment of a partition: what was read of it and is not done.

    Args:
        key: Which partition of which input.
        place: The same in the ids of outputs.
    """

    def __init__(self, key: PartitionKey, place: str = "") -> None:
        self.key = key
        self.place = place
        self.lost = False
        """Whether it belongs to somebody else by now: nothing of it is acked any more."""
        self.leaving = False
        """Whether it is revoked: what fails from here on is for its next reader."""
        self.stopped = False
        """Whether a message of it can be neither processed nor set aside: nothing goes on."""
        self._chunks: deque[Chunk] = deque()
        self._position: int | None = None

    @property
    def is_over(self) -> bool:
        """Whether the function is given nothing more of it."""
        return self.lost or self.leaving or self.stopped

    @property
    def idle(self) -> bool:
        """Whether everything that was read of it is done."""
        return not self._chunks

    @property
    def bounds(self) -> tuple[int, int] | None:
        """The first and the last offset that are not done; ``None``: all is."""
        undone = [chunk for chunk in self._chunks if chunk.left]
        return (undone[0].first_open, undone[-1].last_open) if undone else None

    def add(self, records: Sequence[Record]) -> Run:
        """Take in what was read behind everything that came before."""
        messages = tuple([record.message for record in records])
        offsets = tuple([record.offset for record in records])
        size = size_of(messages)
        last = self._chunks[-1] if self._chunks else None
        if last and (run := last.extend(messages, offsets, size)):
            return run
        chunk = Chunk(self, offsets)
        self._chunks.append(chunk)
        return Run(chunk, 0, messages, size)

    def take(self, records: Sequence[Record]) -> Run:
        """Take in what is acked whatever becomes of it."""
        messages, offsets, _, _ = zip(*records, strict=True)
        return Run(Chunk(self, offsets), 0, messages, size_of(messages))

    def withdraw(self) -> None:
        """Forget what no call was fed with, and what lies behind it.

        Whoever reads the partition next begins there, whatever becomes of the rest.
        """
        kept: deque[Chunk] = deque()
        for chunk in self._chunks:
            whole = chunk.cut()
            if chunk.left:
                kept.append(chunk)
            if not whole:
                break
        self._chunks = kept

    def advance(self) -> int | None:
        """The last offset with nothing open at or below it, if that has changed."""
        position = None
        while self._chunks:
            chunk = self._chunks[0]
            if (done := chunk.done_from_the_front()) is not None:
                position = done
            if chunk.left:
                break
            self._chunks.popleft()
        if self.lost or position is None or position == self._position:
            return None
        self._position = position
        return position


class Chunk:
    """Records of a partition in a row, and what became of each.

    Attributes:
        partition: Where they are from.
        offsets: Their offsets; a range where there are no gaps.
        left: How many of them are not done.
    """

    __slots__ = ("_end", "_state", "_windows", "left", "offsets", "partition")

    def __init__(self, partition: Partition, offsets: Sequence[int]) -> None:
        first, last = offsets[0], offsets[-1]
        gapless = last - first + 1 == len(offsets)
        self.partition = partition
        self.offsets = range(first, last + 1) if gapless else offsets
        self.left = len(offsets)
        self._state = bytearray(len(offsets))
        # What lies behind this is nobody's business any more.
        self._end = len(offsets)
        self._windows: array[int] | None = None

    def extend(self, messages: Sequence[Message], offsets: Sequence[int], size: int) -> Run | None:
        """Take in more records, if they follow on and few are here; ``None``: they do not.

        A long window of messages that come one by one would else have a chunk for each of them.
        """
        known, more = self.offsets, len(offsets)
        if not (
            isinstance(known, range)
            and self._end == len(known)
            and known.stop == offsets[0]
            and offsets[-1] - offsets[0] + 1 == more
            and len(known) + more <= FRAME_RECORDS
        ):
            return None
        first = len(known)
        self.offsets = range(known.start, known.stop + more)
        self.left += more
        self._end += more
        self._state.extend(bytes(more))
        if self._windows is not None:
            self._windows.extend([1] * more)
        return Run(self, first, messages, size)

    def is_done(self, index: int) -> bool:
        """Whether nothing is to be done any more with one of them."""
        return self._state[index] == _DONE[0]

    def windows(self, index: int) -> int:
        """How many windows have to be done with one of them."""
        return self._windows[index] if self._windows else 1

    def share(self, first: int, count: int, windows: int) -> None:
        """So many windows hold each of these."""
        if self._windows is None:
            self._windows = array("L", [1] * len(self.offsets))
        self._windows[first : first + count] = array("L", [windows]) * count

    @property
    def is_shared(self) -> bool:
        """Whether any of them may be in several windows."""
        return self._windows is not None

    def fed(self, first: int, count: int) -> None:
        """A call was fed with these."""
        if self._windows is None:
            self._state[first : first + count] = _FED * count
            return
        for index in range(first, first + count):
            # As long as there is another window, this call alone does not get it done.
            if self._windows[index] == 1 and not self.is_done(index):
                self._state[index] = _FED[0]

    def unfed(self, first: int, count: int) -> None:
        """The call that was fed with these failed."""
        if self._windows is None:
            self._state[first : first + count] = bytes(count)
            return
        for index in range(first, first + count):
            if not self.is_done(index):
                self._state[index] = _UNFED

    def settle(self, first: int, count: int) -> None:
        """A window is done with these; none of them is shared."""
        if count == 1:
            # As messages of windows per key are: this is the hottest line of all.
            self._state[first] = _DONE[0]
            self.left -= first < self._end
            return
        self._state[first : first + count] = _DONE * count
        self.left -= max(0, min(first + count, self._end) - first)

    def settle_shared(self, index: int) -> bool:
        """A window is done with one of them; whether no other one has to be done with it."""
        if self._windows is not None and self._windows[index] > 1:
            self._windows[index] -= 1
            return False
        return self.finish(index)

    def finish(self, index: int) -> bool:
        """Whatever windows hold it, nothing is to be done any more with one; False: as before."""
        if self.is_done(index):
            return False
        self._state[index] = _DONE[0]
        self.left -= index < self._end
        return True

    def done_from_the_front(self) -> int | None:
        """The last offset of those that are done, from the first on; ``None``: the first is not."""
        done = self._end - len(self._state[: self._end].lstrip(_DONE))
        return self.offsets[done - 1] if done else None

    def cut(self) -> bool:
        """Forget the first that no call was fed with, and all behind it; False: there was one."""
        end = self._state.find(_UNFED, 0, self._end)
        if end < 0:
            return True
        self._end = end
        self.left = end - self._state.count(_DONE, 0, end)
        return False

    @property
    def first_open(self) -> int:
        """The first offset that is not done; there is one."""
        return self.offsets[self._end - len(self._state[: self._end].lstrip(_DONE))]

    @property
    def last_open(self) -> int:
        """The last offset that is not done; there is one."""
        return self.offsets[len(self._state[: self._end].rstrip(_DONE)) - 1]


class Run:
    """Messages in a row of one chunk.

    Attributes:
        chunk: What they are part of.
        index: Where in the chunk they begin.
        messages: They themselves.
        size: Bytes of their payloads and keys.
    """

    __slots__ = ("chunk", "index", "messages", "size")

    def __init__(self, chunk: Chunk, index: int, messages: Sequence[Message], size: int) -> None:
        self.chunk = chunk
        self.index = index
        self.messages = messages
        self.size = size

    def __len__(self) -> int:
        return len(self.messages)

    @property
    def partition(self) -> Partition:
        """Where they are from."""
        return self.chunk.partition

    @property
    def first(self) -> int:
        """The offset of the first of them."""
        return self.chunk.offsets[self.index]

    @property
    def windows(self) -> int:
        """How many windows have to be done with them."""
        return self.chunk.windows(self.index)

    @windows.setter
    def windows(self, count: int) -> None:
        self.chunk.share(self.index, len(self.messages), count)

    @property
    def offsets(self) -> Sequence[int]:
        """Of each of them."""
        return self.chunk.offsets[self.index : self.index + len(self.messages)]

    def pick(self, index: int) -> Run:
        """One of them."""
        message = self.messages[index]
        size = len(message.payload) + len(message.key or b"")
        return Run(self.chunk, self.index + index, (message,), size)

    def split(self, count: int) -> tuple[Run, Run]:
        """The first `count` of them, and the rest."""
        if count == len(self.messages):
            return self, Run(self.chunk, self.index + count, (), 0)
        head, tail = self.messages[:count], self.messages[count:]
        size = size_of(head)
        return (
            Run(self.chunk, self.index, head, size),
            Run(self.chunk, self.index + count, tail, self.size - size),
        )

    def fed(self) -> None:
        """A call was fed with them."""
        self.chunk.fed(self.index, len(self.messages))

    def unfed(self) -> None:
        """The call that was fed with them failed."""
        self.chunk.unfed(self.index, len(self.messages))

    def settle(self) -> tuple[int, int]:
        """A window is done with them; how many, of how many bytes, no other one holds."""
        if not self.chunk.is_shared:
            count = len(self.messages)
            self.chunk.settle(self.index, count)
            return count, self.size
        done = [
            message
            for index, message in enumerate(self.messages, self.index)
            if self.chunk.settle_shared(index)
        ]
        return len(done), size_of(done)

    def finish(self) -> tuple[int, int]:
        """Whatever windows hold them, nothing is to be done with them; returns as `settle`."""
        done = [
            message
            for index, message in enumerate(self.messages, self.index)
            if self.chunk.finish(index)
        ]
        return len(done), size_of(done)

    def undone(self) -> list[Run]:
        """Those of them that are still to be done: not what another window has set aside."""
        if not self.chunk.is_shared:
            return [self]
        return [
            self.pick(index)
            for index in range(len(self.messages))
            if not self.chunk.is_done(self.index + index)
        ]


def size_of(messages: Iterable[Message]) -> int:
    """Bytes of payloads and keys."""
    return sum([len(message.payload) + len(message.key or b"") for message in messages])


def describe(bounds: Mapping[PartitionKey, tuple[int, int]], inputs: Sequence[str]) -> str:
    """Offsets in words: `numbers[0] 10-19, numbers[1] 4`.

    Args:
        bounds: The first and the last, by partition.
        inputs: The names of the inputs.
    """
    return ", ".join(
        f"{inputs[key.input]}[{key.partition}] {first}" + (f"-{last}" if last > first else "")
        for key, (first, last) in bounds.items()
    )


def bounds_of(runs: Iterable[Run]) -> dict[PartitionKey, tuple[int, int]]:
    """The first and the last offset of runs, by partition."""
    bounds: dict[PartitionKey, tuple[int, int]] = {}
    for run in runs:
        begin, end = run.first, run.offsets[-1]
        first, last = bounds.get(run.partition.key, (begin, end))
        bounds[run.partition.key] = min(first, begin), max(last, end)
    return bounds
