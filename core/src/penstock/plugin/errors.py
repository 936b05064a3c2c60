"""The one tree of errors: from the class a caller can tell what to do.

Gateways map what their client library raises to these, keeping the cause (``raise … from``).
"""


class PenstockError(Exception):
    """Root of every error that penstock raises on purpose; its text is written for a person."""


class TemporaryError(PenstockError):
    """The same request may succeed later: retry it.

    Args:
        message: What was wrong and where.
        retry_after: Seconds to wait before the next try, where the gateway knows; else ``None``.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class NotReady(TemporaryError):
    """What was asked needs something that is not up yet, such as the broker."""


class PermanentError(PenstockError):
    """The message or the request is bad: the same again would fail the same way."""


class Unsupported(PermanentError):
    """The gateway does not have the capability that the request needs."""


class ContentTypeMismatch(PermanentError):
    """A message's content type does not fit its stream: ``expected … got …``."""

    def __init__(self, expected: str, got: str) -> None:
        super().__init__(f"expected {expected} got {got or 'no content type'}")
        self.expected = expected
        self.got = got


class PositionExpired(PermanentError):
    """The next record of a partition is gone by retention; the next read goes on at `earliest`.

    Args:
        partition: The partition.
        wanted: The offset that was due next.
        earliest: The first offset that is still kept.
    """

    def __init__(self, partition: int, wanted: int, earliest: int) -> None:
        super().__init__(
            f"partition {partition}: offset {wanted} is gone by retention, "
            f"the earliest kept is {earliest}"
        )
        self.partition = partition
        self.wanted = wanted
        self.earliest = earliest


class UsageError(PenstockError):
    """What a person wrote (a flag, a manifest, a variable) is wrong; exit code 2."""
