"""Messages that are given to the function together, and again together when it fails."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from penstock.plugin import PenstockError
from penstock_sidecar.engine.call import Call
from penstock_sidecar.engine.settlement import Partition, Run
from penstock_sidecar.engine.windows import Window
from penstock_sidecar.rfc3339 import text_of


class Bundle:
    """A window, or a part of one, until the function is done with it.

    Args:
        window: The window that they are of.
        runs: What no call was fed with, in order.
        ended: Whether no more of them will come.
        part: Which part of the window this is, once it was split: no two calls have one name.
    """

    def __init__(
        self, window: Window, runs: Iterable[Run] = (), *, ended: bool = False, part: str = ""
    ) -> None:
        self.window = window
        self.runs = deque(runs)
        self.ended = ended
        self.part = part
        self.call: Call | None = None
        self.attempts = 0
        """How often it was tried, and failed, since anything of it was done."""
        self.failed_at: float | None = None
        """When it failed first, since then."""
        self.error: PenstockError | None = None
        """Why it failed the last time."""
        self.not_before = 0.0
        """When it may be tried again."""
        self.is_resting = False
        """Whether it waits for that time."""
        self.is_suspect = False
        """Whether the function's host died with this and other calls open: it is tried alone."""
        self.queued = False
        """Whether it waits for a call."""

    @property
    def records(self) -> int:
        """How many of its messages no call was fed with."""
        return sum([len(run.messages) for run in self.runs])

    @property
    def size(self) -> int:
        """Bytes of these."""
        return sum([run.size for run in self.runs])

    @property
    def partitions(self) -> set[Partition]:
        """What its messages are from."""
        return {run.partition for run in self.runs}

    @property
    def name(self) -> str:
        """What stands for its messages in the ids of outputs: the same for the same messages."""
        run = self.runs[0] if self.window.end is None else min(self.runs, key=_place)
        place = f"{run.partition.place}/{run.first}"
        if self.window.end is not None:
            place += f"/{self.window.start}-{self.window.end}"
        return f"{place}/{self.part}" if self.part else place

    @property
    def label(self) -> str:
        """The window, for a person."""
        if self.window.start is None or self.window.end is None:
            return str(self.window.number)
        return f"{text_of(self.window.start)}/{text_of(self.window.end)}"

    @property
    def waits_for_more(self) -> bool:
        """Whether its call has nothing to do before more of its open window comes."""
        call = self.call
        return bool(call and call.reading and not (call.owes or self.runs or self.ended))

    def pop(self, index: int) -> Run:
        """Take out one message, by its place among those that no call was fed with."""
        runs = list(self.runs)
        for place, run in enumerate(runs):
            if index < len(run):
                before, rest = run.split(index) if index else (None, run)
                one, after = rest.split(1)
                kept = [part for part in (before, after) if part and part.messages]
                self.runs = deque([*runs[:place], *kept, *runs[place + 1 :]])
                return one
            index -= len(run)
        raise IndexError(index)

    def at(self, index: int) -> Run:
        """One message, by its place among those that no call was fed with."""
        for run in self.runs:
            if index < len(run):
                return run.pick(index)
            index -= len(run)
        raise IndexError(index)

    def take(self, partition: Partition) -> list[Run]:
        """Take out what is of a partition."""
        if not any(run.partition is partition for run in self.runs):
            return []
        taken = [run for run in self.runs if run.partition is partition]
        self.runs = deque(run for run in self.runs if run.partition is not partition)
        return taken

    def halves(self) -> tuple[Bundle, Bundle]:
        """Two bundles in place of this one, which has two messages at least."""
        left, right = list[Run](), list(self.runs)
        missing = self.records // 2
        while missing >= len(right[0]):
            left.append(right.pop(0))
            missing -= len(left[-1])
        if missing:
            head, right[0] = right[0].split(missing)
            left.append(head)
        return self._part(left), self._part(right)

    def _part(self, runs: list[Run]) -> Bundle:
        part = Bundle(self.window, runs, ended=True, part=f"part-{sum(map(len, runs))}")
        part.attempts, part.failed_at, part.error = self.attempts, self.failed_at, self.error
        part.is_suspect = self.is_suspect
        return part


def _place(run: Run) -> tuple[int, int, int]:
    return *run.partition.key, run.first
