"""What the engine decided that a person should know of, in the log."""

import logging

from penstock_sidecar.engine import commands

_LOG = logging.getLogger(__name__)


def retried(command: commands.Retried) -> None:
    """The function gets messages again."""
    _LOG.warning(
        "the function failed with %s (attempt %d), again in %.3g s: %s",
        command.where,
        command.attempt,
        command.pause,
        command.error,
        extra={"where": command.where, "attempt": command.attempt},
    )


def split(command: commands.Split) -> None:
    """Which of many messages the function fails with, is found out."""
    _LOG.warning(
        "the function fails with one of %d messages (%s): giving them to it in two parts: %s",
        command.messages,
        command.where,
        command.error,
        extra={"where": command.where},
    )


def set_aside(command: commands.SetAside) -> None:
    """A message is a dead letter."""
    _LOG.error(
        "%s goes to the dead letters: %s",
        command.where,
        command.error,
        extra={"where": command.where},
    )


def lost(command: commands.Lost) -> None:
    """A message is lost, as was declared."""
    _LOG.error(
        "%s is lost, as nothing is repeated with guarantee AtMostOnce: %s; name a stream in "
        "delivery.deadLetter to keep such messages",
        command.where,
        command.error,
        extra={"where": command.where},
    )


def ended_early(command: commands.EndedEarly) -> None:
    """Windows hold less than was declared."""
    _LOG.warning(
        "%d windows ended early: %s",
        command.windows,
        _REASONS.get(command.reason, command.reason),
        extra={"windows": command.windows, "reason": command.reason},
    )


def stopped(command: commands.Stopped, name: str) -> None:
    """A partition stands still."""
    _LOG.error(
        "input %s: partition %d stops at %s, as it cannot be processed and there is nowhere to "
        "set it aside; nothing is lost, the other partitions go on: mend the function and start "
        "it again, or name a stream in delivery.deadLetter; the function says: %s",
        name,
        command.partition,
        command.where,
        command.error,
        extra={"input": name, "partition": command.partition, "where": command.where},
    )


_REASONS = {
    "maxMessages": "they hold window.maxMessages",
    "maxBytes": "they hold window.maxBytes",
    "buffer": "all that may be held in memory is full",
}
