"""Settings of topics, as brokers report them."""

from decimal import Decimal, InvalidOperation
from typing import NamedTuple


class Setting(NamedTuple):
    """One setting of a topic.

    Attributes:
        value: Its value as the broker writes it; ``None`` where it does not tell.
        is_set: It is set on the topic itself; otherwise it is a default.
    """

    value: str | None
    is_set: bool

    def means(self, text: str) -> bool:
        """Whether a person's text means this value: brokers write `0.5` for `0.50`."""
        return self.value is not None and _meaning(self.value) == _meaning(text)


def _meaning(text: str) -> Decimal | frozenset[str]:
    try:
        return Decimal(text.strip())
    except InvalidOperation:
        # Lists have no order that matters, and neither have truth values a case.
        return frozenset(part.strip().lower() for part in text.split(","))
