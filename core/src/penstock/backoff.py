"""Pauses that grow with each failure in a row."""


class Backoff:
    """Says how long to wait before the next try.

    Args:
        first: Seconds after the first failure.
        longest: Seconds that no pause exceeds.
    """

    def __init__(self, first: float = 0.1, longest: float = 30.0) -> None:
        self._first = first
        self._longest = longest
        self._next = first

    def pause(self) -> float:
        """Seconds to wait now; each call doubles the next one's answer."""
        pause = self._next
        self._next = min(2 * pause, self._longest)
        return pause

    def reset(self) -> None:
        """It went well: the next failure is the first again."""
        self._next = self._first
