"""An event loop that never waits: where nothing is ready, it is at once the next timer's time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence


class Stalled(Exception):
    """Nothing is ready, and nothing ever will be: everybody waits for somebody else."""


class _Jump:
    """Stands where a loop waits for sockets, of which there are none."""

    def __init__(self, loop: SimulatedLoop) -> None:
        self._loop = loop

    def select(self, timeout: float | None) -> Sequence[object]:
        if timeout is None:
            raise Stalled
        self._loop.now += timeout
        return ()


class SimulatedLoop(asyncio.BaseEventLoop):
    """Runs callbacks in the order in which they became ready, and jumps from timer to timer.

    Attributes:
        now: Its time, in simulated seconds since it was made.
    """

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self._selector = _Jump(self)

    def time(self) -> float:
        return self.now

    def _process_events(self, events: Sequence[object]) -> None:
        assert not events, "there are no sockets"

    def _write_to_self(self) -> None:
        """Nobody calls from another thread."""
