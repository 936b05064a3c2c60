"""The end of a Stream whose data go with it: its gateway removes them first."""

from datetime import datetime, timedelta
from typing import Final

from penstock.operator.conditions import Verdict, status_of
from penstock.operator.desired import Desired, Event, KubernetesObject
from penstock.operator.stream import BINDING_READY, RESOURCE_AVAILABLE, observed_binding
from penstock.plugin import DeletionPolicy, PenstockError, PermanentError
from penstock.resources.models import GROUP

FINALIZER: Final = f"{GROUP}/deprovision"
"""What keeps a Stream until its data are removed; on those with `deletionPolicy: Delete` alone."""
PATIENCE: Final = timedelta(minutes=5)
"""How long a deleted Stream waits for its gateway. Then it goes, and its data stay."""
DEPROVISIONING: Final = "Deprovisioning"
DATA_LEFT: Final = "DataLeft"


def is_held(stream: KubernetesObject) -> bool:
    """Whether a Stream cannot go before penstock lets it."""
    return FINALIZER in stream["metadata"].get("finalizers", ())


def is_to_be_held(stream: KubernetesObject) -> bool:
    """Whether its data are to go with a Stream; it is held before anything is made for it."""
    policy: str = stream["spec"].get("deletionPolicy", "")
    return policy == DeletionPolicy.DELETE.value


def reconcile_deleted(
    stream: KubernetesObject, answer: PenstockError | Verdict | None, now: str
) -> Desired:
    """Decide whether a deleted Stream that is held may go.

    Args:
        stream: The stream.
        answer: Why its gateway has not removed its data; ``None``: it has.
        now: The time, as RFC 3339 writes it.
    """
    if answer is None:
        return Desired({}, releases=True)
    why = answer.message if isinstance(answer, Verdict) else str(answer)
    deadline = datetime.fromisoformat(stream["metadata"]["deletionTimestamp"]) + PATIENCE
    if isinstance(answer, PermanentError) or datetime.fromisoformat(now) >= deadline:
        message = f"it was deleted, and its data stay, as they could not be removed: {why}"
        return Desired({}, events=(Event("Warning", DATA_LEFT, message),), releases=True)
    until = deadline.strftime("%H:%M:%SZ")
    verdict = Verdict.fails(DEPROVISIONING, f"{why}; its data are left where they are at {until}")
    binding = observed_binding(stream)
    bound = Verdict.holds() if binding else Verdict.unknown("WaitingForResource")
    verdicts = {RESOURCE_AVAILABLE: verdict, BINDING_READY: bound}
    return Desired({**binding, **status_of(stream, verdicts, now)})
