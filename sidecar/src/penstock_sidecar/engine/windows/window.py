"""A window: the messages that the function gets in one call, and why there are no more of them."""

from enum import StrEnum
from math import inf

from penstock_sidecar.engine.settlement import Run


class Reason(StrEnum):
    """Why a window gets no more messages.

    The first two, and the last, are as the window was declared; with the others it ends early.
    """

    TIME = "time"
    COUNT = "count"
    MESSAGES = "maxMessages"
    BYTES = "maxBytes"
    BUFFER = "buffer"
    REVOKED = "revoked"
    STOPPED = "stopped"
    LATE = "late"

    @property
    def is_early(self) -> bool:
        """Whether the window would have got more."""
        return self not in (Reason.TIME, Reason.COUNT, Reason.LATE)


class Window:
    """Messages that belong together. A million of them may be open: this is small.

    Attributes:
        number: From 1, in the order in which they opened; a sliding window, of which nothing is
            there before it closes, has its number from then.
        key: The key of its messages, of a window per key.
        start, end: Of windows of event time, in milliseconds since 1970; the end is exclusive.
        due: When it ends: in the engine's seconds, or, of event time, in milliseconds as `end`.
        runs: What no call was fed with, in the order in which it came.
        records, size: How much was placed in it, fed or not; the size in bytes.
        closed: Why it gets no more; ``None``: it is open.
    """

    __slots__ = ("closed", "due", "end", "key", "number", "records", "runs", "size", "start")

    def __init__(
        self,
        number: int,
        key: bytes | None = None,
        start: int | None = None,
        end: int | None = None,
        due: float = inf,
    ) -> None:
        self.number = number
        self.key = key
        self.start = start
        self.end = end
        self.due = due
        self.runs: list[Run] = []
        self.records = 0
        self.size = 0
        self.closed: Reason | None = None
