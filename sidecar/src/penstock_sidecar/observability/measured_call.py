"""A call of the function whose time is taken."""

from collections import deque
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Final

from prometheus_client import Histogram

from penstock.plugin import PenstockError
from penstock_sidecar.engine.commands import Part
from penstock_sidecar.function import FunctionCall, FunctionFailed, Outputs

FRAMES: Final = 1000
"""So many frames that are not done are timed, at most."""


class MeasuredCall(FunctionCall):
    """Takes the time of each frame of messages until the function says that it is done with it.

    A function of streams does not say so: there it is the time from when it has all messages of
    its window until the call ends.

    Args:
        inner: The call.
        seconds: Where the time is counted.
        failed: Told why it failed: `failed` or `gone`.
    """

    def __init__(
        self, inner: FunctionCall, seconds: Histogram, failed: Callable[[str], None]
    ) -> None:
        self._inner = inner
        self._seconds = seconds
        self._failed = failed
        self._frames: deque[tuple[int, float]] = deque()
        self._fed = 0
        self._reports = False
        self._complete: float | None = None

    @property
    def reports(self) -> bool | None:
        """Pass it on."""
        return self._inner.reports

    async def write(self, parts: Sequence[Part]) -> bool:
        """Note when a frame is handed over."""
        self._fed += sum([len(part.messages) for part in parts])
        # A function that gathers what it gets, one message at a time, reports none of them.
        if len(self._frames) < FRAMES:
            self._frames.append((self._fed, perf_counter()))
        return await self._inner.write(parts)

    async def finish(self) -> None:
        """Note when it has all."""
        self._complete = perf_counter()
        await self._inner.finish()

    async def read(self) -> Outputs | None:
        """Note what is done."""
        try:
            outputs = await self._inner.read()
        except PenstockError as error:
            self._failed("failed" if isinstance(error, FunctionFailed) else "gone")
            raise
        now = perf_counter()
        if outputs is None:
            if self._reports:
                self._observe(self._fed, now)
            elif self._complete is not None:
                self._seconds.observe(now - self._complete)
        elif outputs.inputs_done:
            self._reports = True
            self._observe(outputs.inputs_done, now)
        return outputs

    def _observe(self, done: int, now: float) -> None:
        while self._frames and self._frames[0][0] <= done:
            self._seconds.observe(now - self._frames.popleft()[1])

    def cancel(self) -> None:
        """Pass it on."""
        self._inner.cancel()
