"""Names of topics, as far as they are impossible in every messaging system."""

import re

from penstock.plugin import PermanentError

_LONGEST = 249  # characters; Kafka's bound, and nobody's is lower
_POSSIBLE = re.compile(r"[^\s\x00-\x1f\x7f]+")


def check_topic(topic: str) -> None:
    """Refuse a topic that no gateway could have; what else it refuses is the gateway's to say.

    Raises:
        PermanentError: The name is empty, too long, has white space or control characters, or is
            `.` or `..`.
    """
    if not topic:
        raise PermanentError("the topic is empty: name the one to use")
    if len(topic) > _LONGEST:
        raise PermanentError(
            f"the topic {topic[:40]}… has {len(topic)} characters: at most {_LONGEST} are allowed"
        )
    if topic in (".", "..") or not _POSSIBLE.fullmatch(topic):
        raise PermanentError(
            f"{topic!r} is not a topic: expected a name without white space and control "
            f"characters, other than . and .."
        )
