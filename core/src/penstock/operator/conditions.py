"""The conditions of a status: what a resource depends on, and `Ready`, which sums them up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from penstock.operator.desired import Event, KubernetesObject

READY = "Ready"

_ALL_WELL = "Ready"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one condition says.

    Attributes:
        status: Whether it holds.
        reason: Why, in one CamelCase word.
        message: Why, in a sentence.
        stalled: It stays so until somebody changes something: waiting does not help.
    """

    status: Literal["True", "False", "Unknown"]
    reason: str
    message: str = ""
    stalled: bool = False

    @classmethod
    def holds(cls, reason: str = _ALL_WELL, message: str = "") -> "Verdict":
        """It is as it should be."""
        return cls("True", reason, message)

    @classmethod
    def fails(cls, reason: str, message: str, *, stalled: bool = False) -> "Verdict":
        """It is not as it should be."""
        return cls("False", reason, message, stalled)

    @classmethod
    def unknown(cls, reason: str, message: str = "") -> "Verdict":
        """It is not known yet."""
        return cls("Unknown", reason, message)


def ready(verdicts: Mapping[str, Verdict]) -> Verdict:
    """The sum of what a resource needs: the first that fails, or else is not known, speaks."""
    for status in ("False", "Unknown"):
        for verdict in verdicts.values():
            if verdict.status == status:
                return verdict
    return Verdict.holds()


def status_of(
    resource: KubernetesObject,
    verdicts: Mapping[str, Verdict],
    now: str,
    *,
    beside: Mapping[str, Verdict] | None = None,
) -> Mapping[str, Any]:
    """The part of a status that all kinds have.

    `Reconciling` and `Stalled` are what `kstatus` reads; they are there only while they hold.

    Args:
        resource: As it was observed, with its status so far.
        verdicts: What is needed for it to be ready, by type of condition, in order.
        now: The time, as RFC 3339 writes it, for conditions whose status is another now.
        beside: What can fail without harm to `Ready`.
    """
    summary = ready(verdicts)
    all_verdicts = {READY: summary, **verdicts, **(beside or {})}
    if summary.status != "True":
        kind = "Stalled" if summary.stalled else "Reconciling"
        all_verdicts[kind] = Verdict.holds(summary.reason, summary.message)
    generation = resource["metadata"].get("generation", 0)
    before = {one["type"]: one for one in observed_status(resource).get("conditions", ())}
    return {
        "observedGeneration": generation,
        "conditions": [
            _condition(type_, verdict, before.get(type_, {}), generation, now)
            for type_, verdict in all_verdicts.items()
        ],
    }


def observed_status(resource: KubernetesObject) -> Mapping[str, Any]:
    """The status that a resource had; empty: nobody has looked at it yet."""
    status: Mapping[str, Any] = resource.get("status") or {}
    return status


def condition(resource: KubernetesObject, type_: str) -> Mapping[str, Any]:
    """A condition as it was observed; empty: it is not there."""
    for one in observed_status(resource).get("conditions", ()):
        if one["type"] == type_:
            found: Mapping[str, Any] = one
            return found
    return {}


def is_ready(resource: KubernetesObject) -> bool:
    """Whether a resource's status says that it is ready, and speaks of the spec as it is now."""
    found = condition(resource, READY)
    generation = resource["metadata"].get("generation", 0)
    return bool(found) and (
        found["status"] == "True" and found.get("observedGeneration", generation) == generation
    )


def events_of(resource: KubernetesObject, status: Mapping[str, Any]) -> Sequence[Event]:
    """What is new in `Ready`: that it holds now, or fails for another reason than before."""
    before = condition(resource, READY)
    now = next(one for one in status["conditions"] if one["type"] == READY)
    if (now["status"], now["reason"]) == (before.get("status"), before.get("reason")):
        return ()
    if now["status"] == "True":
        return (Event("Normal", now["reason"], f"{resource['kind']} is ready"),)
    if now["status"] == "False":
        return (Event("Warning", now["reason"], now["message"]),)
    return ()


def _condition(
    type_: str, verdict: Verdict, before: Mapping[str, Any], generation: int, now: str
) -> Mapping[str, Any]:
    same = before.get("status") == verdict.status
    return {
        "type": type_,
        "status": verdict.status,
        "reason": verdict.reason,
        "message": verdict.message,
        "lastTransitionTime": before.get("lastTransitionTime", now) if same else now,
        "observedGeneration": generation,
    }
