"""One call of the function: what it was fed, and how far that is done."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import chain

from penstock.plugin import Message, PermanentError
from penstock_sidecar.engine.commands import Part
from penstock_sidecar.engine.output_ids import OutputIds
from penstock_sidecar.engine.settlement import Partition, Run
from penstock_sidecar.engine.windows import Window


class Call:
    """Inputs of a call are numbered from 0, in the order in which it was fed.

    Args:
        number: Of the call.
        window: Whose messages it is fed.
        outputs: The names of the outputs.
        first: What stands for its inputs in the ids of outputs of which no input is known.
        now: The time.
    """

    def __init__(
        self, number: int, window: Window, outputs: Sequence[str], first: str, now: float
    ) -> None:
        self.number = number
        self.window = window
        self.first = first
        self.ids = [OutputIds(output) for output in outputs]
        self.feeding: tuple[int, int] | None = None
        """Records and bytes that the function's host has not taken yet."""
        self.finished = False
        """Whether it was told that it has all its inputs."""
        self.reading = False
        """Whether its outputs are being waited for."""
        self.reports = False
        """Whether the host has told which input an output came from, or how many are done."""
        self.heard = now
        """When the host gave the last sign that it works."""
        self.void = False
        """Whether its inputs are given to another call: nothing of this one settles them."""
        self.broken = False
        """Whether it failed: what it had not reported done is given to another call."""
        self.needs: dict[int, int] = {}
        """How many messages each output must have accepted, for all that came of this call."""
        self.fed = 0
        """How many inputs it was fed."""
        self.done = 0
        """How many of them are reported done."""
        self._refused: set[int] = set()
        self._runs: list[Run] = []
        self._starts: list[int] = []

    @property
    def is_at_work(self) -> bool:
        """Whether it was fed with something that is not reported done."""
        return self.done < self.fed

    @property
    def owes(self) -> bool:
        """Whether the host has something to do: not while it waits for more of an open window."""
        return self.reading and (
            self.feeding is not None or self.finished or (self.reports and self.done < self.fed)
        )

    def feed(self, runs: Sequence[Run]) -> list[Part]:
        """Hand runs to the call; those of one input that follow each other are one part."""
        parts: list[Part] = []
        given: list[Sequence[Message]] = []
        source = runs[0].partition
        for run in runs:
            chunk, count = run.chunk, len(run.messages)
            chunk.fed(run.index, count)
            if chunk.partition is not source:
                if chunk.partition.key.input != source.key.input:
                    parts.append(_part(source, given))
                    given = []
                source = chunk.partition
            given.append(run.messages)
            self._starts.append(self.fed)
            self.fed += count
        self._runs += runs
        parts.append(_part(source, given))
        return parts

    def report(self, done: int) -> bool:
        """Note how many inputs are done; whether these are more than before.

        Raises:
            PermanentError: There are not so many.
        """
        if done > self.fed:
            raise PermanentError(
                f"{done} inputs are reported done where only {self.fed} were given"
            )
        if done <= self.done:
            return False
        self.done = done
        return True

    def refuse(self, number: int) -> Run | None:
        """An input is not to be settled with the others.

        Returns:
            ``None``: that is known, or another call has it now.
        """
        if number in self._refused or not self._starts or number < self._starts[0]:
            return None
        if self.broken and number >= self.done:
            return None
        self._refused.add(number)
        return next(self.pieces(number, number + 1))

    def settle(self, until: int) -> list[Run]:
        """What is done for good, of the inputs before this one; each is given once."""
        if self.void:
            return []
        if until == self.fed and not self._refused:
            settled, self._runs, self._starts = self._runs, [], []
            return settled
        settled = [
            piece for begin, end in self._around_refused(until) for piece in self.pieces(begin, end)
        ]
        whole = bisect_right(self._starts, until) - 1
        if whole >= 0:
            first, start = self._runs[whole], self._starts[whole]
            if start < until < start + len(first):
                _, self._runs[whole] = first.split(until - start)
                self._starts[whole] = until
            elif until >= start + len(first):
                whole += 1
            del self._runs[:whole], self._starts[:whole]
        return settled

    def rest(self) -> list[Run]:
        """What is not reported done, but for what was refused: that is dealt with by itself."""
        begin, kept = self.done, list[Run]()
        for number in sorted(one for one in self._refused if one >= self.done):
            kept += self.pieces(begin, number)
            begin = number + 1
        return [*kept, *self.pieces(begin, self.fed)]

    def place_in_rest(self, number: int) -> int | None:
        """Where an input is among the rest; ``None``: it is not."""
        if number in self._refused or not self.done <= number < self.fed:
            return None
        return number - self.done - sum(self.done <= one < number for one in self._refused)

    def pieces(self, begin: int, end: int) -> Iterator[Run]:
        """Inputs by their numbers, `end` excluded, as far as they are not settled."""
        if not self._starts or begin >= end:
            return
        index = max(0, bisect_right(self._starts, begin) - 1)
        while index < len(self._runs) and self._starts[index] < end:
            run, start = self._runs[index], self._starts[index]
            if end < start + len(run):
                run, _ = run.split(end - start)
            if begin > start:
                _, run = run.split(begin - start)
            if run.messages:
                yield run
            index += 1

    def origins(self, inputs: Sequence[int]) -> Iterator[tuple[Run, list[int]]]:
        """Where inputs are from: runs, and places within each.

        Args:
            inputs: Numbers of inputs within the call, none below the one before it.

        Raises:
            PermanentError: One of them was not fed, or was reported done before.
        """
        first, last = inputs[0], inputs[-1]
        if first < self.done or last >= self.fed:
            raise PermanentError(
                f"an output names input {first if first < self.done else last} as its own: "
                f"{self.done} inputs are done, and {self.fed} were given"
            )
        at = 0
        while at < len(inputs):
            index = bisect_right(self._starts, inputs[at]) - 1
            run, start = self._runs[index], self._starts[index]
            end = bisect_left(inputs, start + len(run), at)
            yield run, [number - start for number in inputs[at:end]]
            at = end

    def _around_refused(self, until: int) -> Iterator[tuple[int, int]]:
        begin = self._starts[0] if self._starts else until
        for number in sorted(self._refused):
            if begin <= number < until:
                yield begin, number
                begin = number + 1
        yield begin, until


def _part(source: Partition, given: Sequence[Sequence[Message]]) -> Part:
    messages = given[0] if len(given) == 1 else [*chain.from_iterable(given)]
    return Part(source.key.input, messages)
