"""Calls of the function: which window is fed to which, in what order, and how many at a time."""

from bisect import bisect_left, bisect_right
from collections import deque
from collections.abc import Iterator, Sequence

from penstock.plugin import PermanentError
from penstock_sidecar.engine.commands import Command, Feed, FinishCall, OpenCall, Part
from penstock_sidecar.engine.output_ids import OutputIds
from penstock_sidecar.engine.settings import FRAME_BYTES, FRAME_RECORDS, Settings
from penstock_sidecar.engine.settlement import Run


class Call:
    """One call of the function: what it was fed, and how far that is done."""

    def __init__(self, number: int, outputs: Sequence[str], first: str) -> None:
        self.number = number
        self.first = first
        """The place of its first input."""
        self.ids = [OutputIds(output) for output in outputs]
        self.feeding: tuple[int, int] | None = None
        """Records and bytes that the function's host has not taken yet."""
        self.finished = False
        """Whether it was told that it has all its inputs."""
        self.reading = False
        """Whether its outputs are being waited for."""
        self._tells_inputs = True
        self._runs: list[Run] = []
        self._starts: list[int] = []
        self._total = 0
        self._done = 0

    @property
    def open_runs(self) -> Sequence[Run]:
        """What it was fed with and has not reported done, as far as whole runs go."""
        return self._runs

    def feed(self, run: Run) -> Part:
        """Hand a run to the call."""
        part = Part(run.partition.key.input, run.feed())
        if not self._tells_inputs:
            run.keys = None
        if not (self._runs and run.partition.merge(self._runs[-1], run)):
            self._runs.append(run)
            self._starts.append(self._total)
        self._total += len(part.messages)
        return part

    def forget_keys(self) -> None:
        """The host cannot tell which input an output came from: no key is inherited."""
        self._tells_inputs = False
        for run in self._runs:
            run.keys = None

    def report(self, done: int | None = None) -> list[tuple[Run, int]]:
        """Note how many inputs are done, ``None``: all; returns the runs that this touches.

        Raises:
            PermanentError: There are not so many.
        """
        done = self._total if done is None else done
        if done > self._total:
            raise PermanentError(
                f"{done} inputs are reported done where only {self._total} were given"
            )
        if done <= self._done:
            return []
        self._done = done
        touched = bisect_left(self._starts, done)
        runs, starts = self._runs[:touched], self._starts[:touched]
        # All but the last are done as a whole; the last one is kept while part of it is open.
        reported = [(run, len(run.offsets)) for run in runs]
        if done < starts[-1] + len(runs[-1].offsets):
            reported[-1] = runs[-1], done - starts[-1]
            touched -= 1
        del self._runs[:touched], self._starts[:touched]
        return reported

    def origins(self, inputs: Sequence[int]) -> Iterator[tuple[Run, list[int]]]:
        """Where inputs are from: runs, and places within each.

        Args:
            inputs: Numbers of inputs within the call, none below the one before it.

        Raises:
            PermanentError: One of them was not fed, or was reported done before.
        """
        first, last = inputs[0], inputs[-1]
        if first < self._done or last >= self._total:
            raise PermanentError(
                f"an output names input {first if first < self._done else last} as its own: "
                f"{self._done} inputs are done, and {self._total} were given"
            )
        at = 0
        while at < len(inputs):
            index = bisect_right(self._starts, inputs[at]) - 1
            run, start = self._runs[index], self._starts[index]
            end = bisect_left(inputs, start + len(run.offsets), at)
            yield run, [number - start for number in inputs[at:end]]
            at = end


class _Window:
    """What a window holds that no call was fed with."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.queue: deque[Run] = deque()
        self.ended = False
        self.call: Call | None = None


class Calls:
    """Feeds windows to calls, in the order in which the windows opened.

    A call is opened for a window that has messages. It is finished once the window has ended and
    everything in it is taken. A call that ends by itself before that is followed by another one
    with what is left of the window.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._outputs = [output.name for output in settings.outputs]
        self._windows: dict[int, _Window] = {}
        self._calls: dict[int, _Window] = {}
        self._opened = 0
        self.ended_windows = 0
        """Windows that ended, and whose messages are all dealt with."""

    def __bool__(self) -> bool:
        return bool(self._windows)

    @property
    def open_windows(self) -> int:
        """Windows that have messages, and are not dealt with yet."""
        return len(self._windows)

    def get(self, call: int) -> Call | None:
        """A call that is open."""
        window = self._calls.get(call)
        return window.call if window else None

    def opened(self) -> list[Call]:
        """The calls that are open."""
        return [window.call for window in self._calls.values() if window.call]

    def put(self, window: int, run: Run) -> None:
        """Messages belong to a window."""
        run.window = window
        self._windows.setdefault(window, _Window(window)).queue.append(run)

    def withdraw(self, run: Run) -> None:
        """A run that no call was fed with is not to be fed."""
        self._windows[run.window].queue.remove(run)

    def end(self, window: int) -> None:
        """A window gets no more messages."""
        if known := self._windows.get(window):
            known.ended = True

    def end_all(self) -> None:
        """No window gets any more messages."""
        for window in self._windows.values():
            window.ended = True

    def taken(self, call: int) -> tuple[int, int]:
        """The host took the last feed; returns its records and bytes."""
        known = self.get(call)
        if known is None or known.feeding is None:
            return 0, 0
        fed, known.feeding = known.feeding, None
        return fed

    def close(self, call: int) -> None:
        """A call is over."""
        self._calls.pop(call).call = None

    def abandon(self) -> list[Call]:
        """Forget every window; returns the calls that are open."""
        open_calls = self.opened()
        self._windows.clear()
        self._calls.clear()
        return open_calls

    def advance(self) -> Iterator[Command]:
        """What is to be done now."""
        over = []
        for window in self._windows.values():
            if window.call is None:
                if not window.queue:
                    if window.ended:
                        over.append(window.number)
                    continue
                if len(self._calls) >= self._settings.calls:
                    break
                yield self._open(window)
            yield from self._feed(window)
        for number in over:
            del self._windows[number]
        self.ended_windows += len(over)

    def _open(self, window: _Window) -> OpenCall:
        self._opened += 1
        first = window.queue[0]
        place = f"{first.partition.place}/{first.offsets[0]}"
        window.call = Call(self._opened, self._outputs, place)
        self._calls[self._opened] = window
        return OpenCall(self._opened)

    def _feed(self, window: _Window) -> Iterator[Command]:
        call = window.call
        if call is None or call.feeding or call.finished:
            return
        if not window.queue:
            if window.ended:
                call.finished = True
                yield FinishCall(call.number)
            return
        parts: list[Part] = []
        records = size = 0
        while window.queue and (
            not parts
            or (
                records + len(window.queue[0].offsets) <= FRAME_RECORDS
                and size + window.queue[0].size <= FRAME_BYTES
            )
        ):
            run = window.queue.popleft()
            records += len(run.offsets)
            size += run.size
            parts.append(call.feed(run))
        call.feeding = records, size
        yield Feed(call.number, parts)
