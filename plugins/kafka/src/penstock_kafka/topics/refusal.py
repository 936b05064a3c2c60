"""Brokers' refusals in words that name what a person can change. Pure."""

from collections.abc import Collection
from difflib import get_close_matches

from aiokafka.errors import (
    InvalidConfigurationError,
    InvalidPartitionsError,
    InvalidReplicationFactorError,
    InvalidRequestError,
    PolicyViolationError,
)

from penstock.plugin import PenstockError, PermanentError
from penstock_kafka.errors import translated
from penstock_kafka.topic_fields import REPLICATION_FACTOR
from penstock_kafka.topics.declaration import PARTITIONS, Declaration

ABOUT_SETTINGS = (InvalidConfigurationError, InvalidRequestError)
"""What brokers answer to a setting that there is not."""


def refusal(
    error: Exception, doing: str, declared: Declaration, known: Collection[str]
) -> PenstockError:
    """The error that a person is shown; raise it from the one given.

    Args:
        error: What the client raised, one of `CLIENT_ERRORS`.
        doing: What was being done to the topic, such as `making topic x`.
        declared: What was wanted of the topic.
        known: Names of the settings that the broker has; empty where it did not tell.
    """
    if known and isinstance(error, ABOUT_SETTINGS):
        for name in sorted(declared.settings):
            if name not in known:
                return PermanentError(unknown_setting(name, declared, known))
    field = _field(error, declared)
    return translated(error, f"{field}: {doing}" if field else doing)


def unknown_setting(name: str, declared: Declaration, known: Collection[str]) -> str:
    """What to say of a setting that Kafka does not have."""
    near = get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"{declared.fields[name]}: Kafka has no setting {name} of topics{hint}"


def _field(error: Exception, declared: Declaration) -> str | None:
    """The field that a refusal is about, as far as that can be told."""
    text = str(error)
    named = [name for name in declared.settings if name in text]
    if named:
        # The longest: retention.ms is within delete.retention.ms.
        return declared.fields[max(named, key=len)]
    words = text.lower() if isinstance(error, PolicyViolationError) else ""
    if isinstance(error, InvalidReplicationFactorError) or "replica" in words:
        return declared.fields[REPLICATION_FACTOR]
    if isinstance(error, InvalidPartitionsError) or "partition" in words:
        return declared.fields[PARTITIONS]
    return None
