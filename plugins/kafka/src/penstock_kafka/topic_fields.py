"""Types of the spec's fields that are about topics."""

import re
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field, Strict

REPLICATION_FACTOR = "replication.factor"
"""What a stream's `config` calls its replication factor, which is no setting to Kafka."""

LARGEST_REPLICATION_FACTOR = 2**15 - 1
"""What fits into Kafka's protocol."""

_PREFIX = r"^[a-zA-Z0-9._-]*[._]$"


class ExistingTopics(StrEnum):
    """What becomes of a stream for which there is a topic that no gateway of penstock made."""

    REFUSE = "Refuse"
    """The stream is not provisioned."""
    ADOPT = "Adopt"
    """It is used as it is: never changed and never deleted; what differs is reported."""
    OWN = "Own"
    """It is treated as if the gateway had made it: changed, and deleted if the stream says so."""


def _check_prefix(prefix: str) -> str:
    # The end tells the prefix from a namespace: without it a-b_c has two readings.
    if prefix and not re.fullmatch(_PREFIX, prefix):
        raise ValueError(
            f'"{prefix}" is no prefix: expected letters, digits, dots, underscores or hyphens, '
            "and a dot or an underscore at the end, as in europe."
        )
    return prefix


def _check_settings(settings: dict[str, str]) -> dict[str, str]:
    if REPLICATION_FACTOR in settings:
        raise ValueError(f"{REPLICATION_FACTOR} has a field of its own: replicationFactor")
    return settings


TopicPrefix = Annotated[
    str,
    AfterValidator(_check_prefix),
    # Room for a namespace and a name, both as long as can be.
    Field(max_length=120, json_schema_extra={"pattern": _PREFIX}),
]
"""What the names of topics begin with: empty, or with a dot or an underscore at its end."""

TopicSettings = Annotated[dict[str, str], AfterValidator(_check_settings)]
"""Settings of topics by Kafka's names."""

PartitionCount = Annotated[int, Strict(), Field(ge=1, le=100_000)]
ReplicationFactor = Annotated[int, Strict(), Field(ge=1, le=LARGEST_REPLICATION_FACTOR)]
