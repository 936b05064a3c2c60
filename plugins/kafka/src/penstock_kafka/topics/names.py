"""What topics are called."""

import re

from penstock.plugin import PermanentError, StreamSettings

LONGEST_NAME = 249
"""Kafka's limit, in characters."""

# Kafka's rule.
_POSSIBLE = re.compile(rf"(?!\.{{1,2}}$)[a-zA-Z0-9._-]{{1,{LONGEST_NAME}}}")

_INTERNAL = frozenset(
    {"__consumer_offsets", "__transaction_state", "__share_group_state", "__cluster_metadata"}
)


def topic_of(stream: StreamSettings, prefix: str) -> str:
    """The topic of a stream; no two streams share one, whatever the prefixes of their gateways.

    A namespace and a name are DNS labels, without dots and underscores, and a prefix ends in one
    of these: so the three can be read back from the topic's name.
    """
    return f"{prefix}{stream.namespace}_{stream.name}"


def registry_of(prefix: str) -> str:
    """The topic in which gateways with a prefix note what they made.

    Two underscores, because Kafka refuses a topic whose name differs from another's in nothing
    but dots and underscores: no stream's topic is this name, read so.
    """
    return f"{prefix}penstock__streams"


def is_possible(name: str) -> bool:
    """Whether a topic can have the name."""
    return _POSSIBLE.fullmatch(name) is not None


def check_topic(name: str) -> None:
    """Refuse a topic that clients cannot have.

    Raises:
        PermanentError: No topic can have the name, or it is one of Kafka's own.
    """
    if not is_possible(name):
        raise PermanentError(
            f"topic {_shown(name)}: expected 1 to {LONGEST_NAME} letters of a-z and A-Z, digits, "
            "dots, underscores or hyphens, and not . or .. alone"
        )
    if name in _INTERNAL:
        raise PermanentError(f"topic {name} is Kafka's own: publish and subscribe to another")


def check_length(topic: str, prefix: str) -> None:
    """Refuse a stream whose topic would have too long a name.

    Raises:
        PermanentError: It is too long; the text names what to make shorter.
    """
    if len(topic) > LONGEST_NAME:
        shorter = f"the gateway's topicPrefix ({len(prefix)} characters)" if prefix else "namespace"
        raise PermanentError(
            f"name: topic {_shown(topic)} has {len(topic)} characters and Kafka allows "
            f"{LONGEST_NAME}: shorten the stream's name or {shorter}"
        )


def _shown(name: str) -> str:
    return repr(name if len(name) <= LONGEST_NAME // 4 else f"{name[: LONGEST_NAME // 4]}…")
