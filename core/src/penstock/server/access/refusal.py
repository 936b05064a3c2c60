"""What is said to a caller who is not let in.

Both are temporary: a right may be given a moment after it was asked for, and what a sidecar was
about to publish is to be published then.
"""

from typing import Final

from penstock.plugin import TemporaryError

REFUSED_SECONDS: Final = 5.0
"""How long a refusal holds before the question is asked anew."""


class NotAuthenticated(TemporaryError):
    """It is not known who calls."""

    def __init__(self, message: str) -> None:
        super().__init__(message, retry_after=REFUSED_SECONDS)


class NotAllowed(TemporaryError):
    """The caller may not do it."""

    def __init__(self, message: str) -> None:
        super().__init__(message, retry_after=REFUSED_SECONDS)
