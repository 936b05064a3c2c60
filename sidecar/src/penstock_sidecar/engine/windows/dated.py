"""Messages with their event times."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from penstock_sidecar.engine.settlement import Run


class Dated(NamedTuple):
    """Messages in a row, and when each happened.

    Attributes:
        run: The messages.
        times: A time for each, in milliseconds since 1970.
        low, high: The first and the last of the times.
    """

    run: Run
    times: Sequence[int]
    low: int
    high: int

    @classmethod
    def of(cls, run: Run, times: Sequence[int]) -> Dated:
        """Messages and their times."""
        return cls(run, times, min(times), max(times))

    def one(self, index: int) -> Dated:
        """A single message."""
        if len(self.times) == 1:
            return self
        time = self.times[index]
        return Dated(self.run.pick(index), (time,), time, time)

    def singles(self) -> Iterator[Dated]:
        """Each message by itself."""
        return map(self.one, range(len(self.times)))

    def tail(self, run: Run) -> Dated:
        """The last messages, as many as this run has."""
        return Dated.of(run, self.times[-len(run) :])

    def stretches(self, ends: Callable[[int, int, int], bool]) -> Iterator[Dated]:
        """Chop into messages in a row.

        Args:
            ends: Whether a stretch ends before a time, told its lowest and highest times.
        """
        rest, begin = self.run, 0
        low = high = self.times[0]
        for index, time in enumerate(self.times):
            if ends(low, high, time):
                head, rest = rest.split(index - begin)
                yield Dated(head, self.times[begin:index], low, high)
                begin, low, high = index, time, time
            elif time < low:
                low = time
            elif time > high:
                high = time
        yield Dated(rest, self.times[begin:], low, high) if begin else self
