"""What topics are called."""

import re

from penstock.plugin import PermanentError

LONGEST_NAME = 249
"""Kafka's limit, in characters."""

# Kafka's rule.
_POSSIBLE = re.compile(rf"(?!\.{{1,2}}$)[a-zA-Z0-9._-]{{1,{LONGEST_NAME}}}")

_INTERNAL = frozenset(
    {"__consumer_offsets", "__transaction_state", "__share_group_state", "__cluster_metadata"}
)


def check_topic(name: str) -> None:
    """Refuse a topic that clients cannot have.

    Raises:
        PermanentError: No topic can have the name, or it is one of Kafka's own.
    """
    if not _POSSIBLE.fullmatch(name):
        raise PermanentError(
            f"topic {name!r}: expected 1 to {LONGEST_NAME} letters of a-z and A-Z, digits, dots, "
            "underscores or hyphens, and not . or .. alone"
        )
    if name in _INTERNAL:
        raise PermanentError(f"topic {name!r} is Kafka's own: publish and subscribe to another")
