"""How long to wait before a process that ended is started again."""

FIRST = 0.2
LONGEST = 30.0
STEADY = 10.0
"""Seconds of running after which a process counts as sound again."""


class Backoff:
    """Pauses that double, in seconds; back to the first one after a steady run."""

    def __init__(self) -> None:
        self._next = FIRST

    def after(self, ran_for: float) -> float:
        """The pause before the next start, after a run of so many seconds."""
        if ran_for >= STEADY:
            self.reset()
        pause = self._next
        self._next = min(pause * 2, LONGEST)
        return pause

    def reset(self) -> None:
        """Begin anew: what made the process end may be mended."""
        self._next = FIRST
