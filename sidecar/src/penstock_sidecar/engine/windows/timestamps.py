"""When a message happened, by what its sender or the record says."""

from collections.abc import Callable, Sequence

from penstock.plugin import Message
from penstock.window import Window as Settings
from penstock_sidecar.engine.settlement import Run
from penstock_sidecar.engine.windows.dated import Dated
from penstock_sidecar.engine.windows.interface import Counts
from penstock_sidecar.rfc3339 import milliseconds

_EARLIEST = 86_400_000  # 1970-01-02: what is before that is a clock that was never set
_AHEAD = 3_600_000  # of the wall clock: clocks of machines differ, but not by hours


class Timestamps:
    """Finds the time of each message, and replaces those that cannot be.

    Args:
        settings: Says where the time is.
        wall_clock: What to add to the engine's time to get seconds since 1970.
        counts: Where the messages without a time to believe are counted.
    """

    def __init__(self, settings: Settings, wall_clock: float, counts: Counts) -> None:
        self._wall_clock = wall_clock
        self._counts = counts
        self._text = _text_of(settings)

    def of(self, run: Run, timestamps: Sequence[int], now: float) -> Dated:
        """The messages with their times.

        Args:
            run: The messages.
            timestamps: When they were stored, in milliseconds since 1970.
            now: The engine's time.
        """
        wall_clock = round((now + self._wall_clock) * 1000)
        latest = wall_clock + _AHEAD
        if self._text is None:
            low, high = min(timestamps), max(timestamps)
            if low >= _EARLIEST and high <= latest:
                return Dated(run, timestamps, low, high)
            given: list[int | None] = [None] * len(timestamps)
        else:
            given = [milliseconds(self._text(message)) for message in run.messages]
        times = []
        for time, stored in zip(given, timestamps, strict=True):
            if time is not None and _EARLIEST <= time <= latest:
                times.append(time)
                continue
            is_stored = _EARLIEST <= stored <= latest
            times.append(stored if is_stored else wall_clock)
            if self._text is not None or not is_stored:
                self._counts.undated += 1
        return Dated.of(run, times)


def _text_of(settings: Settings) -> Callable[[Message], str] | None:
    """Where a message says its time; ``None``: its record does."""
    if settings.is_dated_by_attribute:
        return _attribute
    if not (header := settings.timestamp_header):
        return None
    return lambda message: message.headers.get(header, "")


def _attribute(message: Message) -> str:
    return message.time
