"""Who is told of messages that the server refuses by itself, before its gateway sees them."""

from collections.abc import Callable

Refused = Callable[[str, Exception, int], None]
"""Takes the topic, which need not be one, the reason, and the number of messages."""


def nobody_is_told(topic: str, reason: Exception, messages: int) -> None:
    """Nothing is counted."""
