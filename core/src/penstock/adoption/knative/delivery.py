"""Knative's delivery of events as penstock's delivery of messages."""

import re
from typing import Any

from penstock.adoption.entry import Entry
from penstock.adoption.fields import Fields
from penstock.duration import format_duration

_ISO = re.compile(
    r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:[.,]\d+)?)S)?)?", re.ASCII
)
_SECONDS = (604_800, 86_400, 3600, 60, 1)
_SHORTEST, _LONGEST = 0.001, 86_400.0
_MOST_DELIVERIES = 1000
_DEFAULT_LONGEST_PAUSE = 30.0


def iso_seconds(fields: Fields, name: str) -> float | None:
    """Seconds of a field that holds a duration as ISO 8601 has it, such as PT0.5S."""
    text = fields.text(name)
    if not text:
        return None
    match = _ISO.fullmatch(text)
    if match is None or not any(match.groups()):
        fields.report(name, f'"{text}" is not a duration: expected ISO 8601, as PT10S or PT0.5S')
        return None
    numbers = [float((one or "0").replace(",", ".")) for one in match.groups()]
    return sum(number * unit for number, unit in zip(numbers, _SECONDS, strict=True))


def deliver(fields: Fields, entry: Entry, dead_letters: str) -> None:
    """Put into a processor how its events are delivered.

    Args:
        fields: Knative's delivery.
        entry: The processor.
        dead_letters: The stream for what cannot be processed; empty: there is none.
    """
    delivery: dict[str, Any] = {}
    retries = fields.number("retry")
    if (timeout := iso_seconds(fields, "timeout")) is not None:
        delivery["timeout"] = _bounded(timeout, "timeout", entry)
    if retries is not None:
        if retries < 0:
            fields.report("retry", f"expected a number from 0, got {retries}")
        delivery["maxDeliveries"] = max(1, min(retries + 1, _MOST_DELIVERIES))
        if retries >= _MOST_DELIVERIES:
            text = f"retry was {retries}, and more than {_MOST_DELIVERIES} is not allowed"
            entry.comment(("spec", "delivery", "maxDeliveries"), text)
    delivery |= _backoff(fields, retries, entry)
    if dead_letters:
        delivery["deadLetter"] = {"stream": dead_letters}
    else:
        text = (
            "without delivery.deadLetter a partition stops at an event that cannot be processed, "
            "which Knative drops"
        )
        entry.comment(("spec", "delivery"), text)
    if delivery:
        entry.document["spec"]["delivery"] = delivery


def _backoff(fields: Fields, retries: int | None, entry: Entry) -> dict[str, Any]:
    delay = iso_seconds(fields, "backoffDelay")
    policy = fields.text("backoffPolicy", "exponential")
    if policy not in ("exponential", "linear"):
        message = f'"{policy}" is not allowed: expected exponential or linear'
        fields.report("backoffPolicy", message)
    if delay is None:
        return {}
    if policy == "linear":
        text = f"linear: each pause was {format_duration(delay)} longer than the one before"
        entry.comment(("spec", "delivery", "backoff"), text)
    longest = _DEFAULT_LONGEST_PAUSE
    if retries:
        # 2 ** 30 times the shortest is more than the longest.
        longest = delay * (2 ** min(retries - 1, 30) if policy == "exponential" else retries)
    return {
        "backoff": {
            "initial": _bounded(delay, "backoff", entry),
            "factor": 2 if policy == "exponential" else 1.5,
            "max": _bounded(max(delay, longest), "backoff", entry),
        }
    }


def _bounded(seconds: float, field: str, entry: Entry) -> str:
    """A duration that penstock takes; a comment says where it is another."""
    bounded = max(_SHORTEST, min(seconds, _LONGEST))
    if bounded != seconds:
        limits = f"{format_duration(_SHORTEST)} to {format_duration(_LONGEST)}"
        text = f"{format_duration(seconds)} is not within {limits}, the nearest is taken"
        entry.comment(("spec", "delivery", field), text)
    return format_duration(bounded)
