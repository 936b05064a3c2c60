"""What the engine decided that a person should know of, in the log."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Final

from penstock_sidecar.engine import commands

_LOG = logging.getLogger(__name__)

INTERVAL: Final = 1.0
"""Seconds between two lines of one kind, of what may happen a thousand times a second."""


class Report:
    """Writes the log of one run.

    What repeats itself for message after message is written once a second at most, with how many
    were left out since the line before; the metrics count all of them.

    Args:
        clock: The time, in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._next: dict[object, float] = {}
        self._left_out: Counter[object] = Counter()

    def retried(self, command: commands.Retried) -> None:
        """The function gets messages again."""
        self._write(
            logging.WARNING,
            commands.Retried,
            f"the function failed with {command.where} (attempt {command.attempt}), again in "
            f"{command.pause:.3g} s: {command.error}",
            {"where": command.where, "attempt": command.attempt},
        )

    def split(self, command: commands.Split) -> None:
        """Which of many messages the function fails with, is found out."""
        self._write(
            logging.WARNING,
            commands.Split,
            f"the function fails with one of {command.messages} messages ({command.where}): "
            f"giving them to it in two parts: {command.error}",
            {"where": command.where},
        )

    def set_aside(self, command: commands.SetAside) -> None:
        """A message is a dead letter."""
        self._write(
            logging.ERROR,
            commands.SetAside,
            f"{command.where} goes to the dead letters: {command.error}",
            {"where": command.where},
        )

    def lost(self, command: commands.Lost) -> None:
        """A message is lost, as was declared."""
        self._write(
            logging.ERROR,
            commands.Lost,
            f"{command.where} is lost, as nothing is repeated with guarantee AtMostOnce: "
            f"{command.error}; name a stream in delivery.deadLetter to keep such messages",
            {"where": command.where},
        )

    def ended_early(self, command: commands.EndedEarly) -> None:
        """Windows hold less than was declared."""
        self._write(
            logging.WARNING,
            (commands.EndedEarly, command.reason),
            f"{command.windows} windows ended early: "
            f"{_REASONS.get(command.reason, command.reason)}",
            {"windows": command.windows, "reason": command.reason},
        )

    def stopped(self, command: commands.Stopped, name: str) -> None:
        """A partition stands still; it does so once."""
        _LOG.error(
            "input %s: partition %d stops at %s, as it cannot be processed and there is nowhere "
            "to set it aside; nothing is lost, the other partitions go on: mend the function and "
            "start it again, or name a stream in delivery.deadLetter; %s",
            name,
            command.partition,
            command.where,
            command.error,
            extra={"input": name, "partition": command.partition, "where": command.where},
        )

    def _write(self, level: int, kind: object, text: str, fields: Mapping[str, object]) -> None:
        now = self._clock()
        if now < self._next.get(kind, now):
            self._left_out[kind] += 1
            return
        self._next[kind] = now + INTERVAL
        if left_out := self._left_out.pop(kind, 0):
            text += f" (and {left_out} more like this since the last line)"
        _LOG.log(level, "%s", text, extra={**fields, "left_out": left_out})


_REASONS = {
    "maxMessages": "they hold window.maxMessages",
    "maxBytes": "they hold window.maxBytes",
    "buffer": "all that may be held in memory is full",
}
