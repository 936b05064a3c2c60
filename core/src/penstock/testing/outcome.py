"""What became of a case over one way, and how a test's report carries it."""

from enum import StrEnum
from typing import Final, NamedTuple

PROPERTY: Final = "penstock-conformance"
"""The name of the user property of a test that has what follows, by these keys."""

GATEWAY: Final = "gateway"
KIND: Final = "kind"
CAPABILITIES: Final = "capabilities"
CASE: Final = "case"
WAY: Final = "way"
STATUS: Final = "status"
REASON: Final = "reason"
NOTE: Final = "note"


class Status(StrEnum):
    """What became of a case."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_DECLARED = "not declared"
    NOT_APPLICABLE = "not applicable"
    NOT_RUN = "not run"


class Outcome(NamedTuple):
    """A status, and why, where that is neither passed nor failed."""

    status: Status
    reason: str = ""
