"""What KEDA is told by a trigger, and what its metric says of a lag; pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Self, TypeVar

from penstock.plugin import Edge, Group, PermanentError
from penstock.resources.suggestion import closest, did_you_mean
from penstock.server.topic import check_topic

LAG_THRESHOLD: Final = 10
"""Messages for each replica where nothing is said: as in KEDA's own scaler for Kafka."""

_LARGEST = 2**53  # what a double holds exactly
_FIELDS = (
    "topic",
    "group",
    "lagThreshold",
    "activationLagThreshold",
    "startOffset",
    "limitToPartitions",
)
_METRIC_NAME_HAS_NO = re.compile(r"[^A-Za-z0-9_-]")

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class ScalingTrigger:
    """One input of a processor that KEDA scales.

    Attributes:
        topic: What is read.
        group: Who reads it.
        lag_threshold: How many messages that are not done call for one replica.
        activation_lag_threshold: With more messages than so many there has to be a replica.
        start: Where the group begins in partitions of which it has acked nothing.
        limit_to_partitions: Whether there may not be more replicas than partitions.
    """

    topic: str
    group: Group
    lag_threshold: int = LAG_THRESHOLD
    activation_lag_threshold: int = 0
    start: Edge = Edge.LATEST
    limit_to_partitions: bool = True

    @classmethod
    def of(cls, metadata: Mapping[str, str]) -> Self:
        """Read a trigger's metadata; what is KEDA's own in it is left alone.

        Raises:
            PermanentError: A field is missing, has a bad value, or is misspelt.
        """
        for name in metadata.keys() - set(_FIELDS):
            if closest(name, _FIELDS):
                raise PermanentError(
                    f"trigger metadata {name!r} is not a field{did_you_mean(name, _FIELDS)}"
                )
        topic = _required(metadata, "topic", "the topic to be read")
        try:
            check_topic(topic)
        except PermanentError as error:
            raise PermanentError(f"trigger metadata topic: {error}") from error
        return cls(
            topic=topic,
            group=Group.parse(_required(metadata, "group", "the consumer group that reads")),
            lag_threshold=_number(metadata, "lagThreshold", LAG_THRESHOLD, at_least=1),
            activation_lag_threshold=_number(metadata, "activationLagThreshold", 0, at_least=0),
            start=_one_of(metadata, "startOffset", "latest", Edge),
            limit_to_partitions=_one_of(metadata, "limitToPartitions", "true", _TRUTH.__getitem__),
        )

    @property
    def metric(self) -> str:
        """The metric's name: it is part of a path in Kubernetes' API."""
        return "penstock-lag-" + _METRIC_NAME_HAS_NO.sub("-", self.topic)

    def is_metric(self, name: str) -> bool:
        """Whether a name is the metric's, as it was told to KEDA or with KEDA's `s0-` before it."""
        return re.sub(r"^s[0-9]+-", "", name) == self.metric

    def is_active(self, lag: int) -> bool:
        """Whether there has to be a replica, with so many messages that are not done."""
        return lag > self.activation_lag_threshold

    def value(self, lag: int, partitions: int) -> int:
        """The metric's value, for KEDA to divide by the threshold."""
        return min(lag, partitions * self.lag_threshold) if self.limit_to_partitions else lag


_TRUTH = {"true": True, "false": False}


def _required(metadata: Mapping[str, str], name: str, meaning: str) -> str:
    if not (text := metadata.get(name, "")):
        raise PermanentError(f"trigger metadata {name} is missing: expected {meaning}")
    return text


def _number(metadata: Mapping[str, str], name: str, default: int, *, at_least: int) -> int:
    text = metadata.get(name, str(default))
    if re.fullmatch(r"[0-9]{1,16}", text) and at_least <= int(text) <= _LARGEST:
        return int(text)
    raise PermanentError(
        f"trigger metadata {name}: expected a whole number of messages from {at_least} "
        f"to {_LARGEST}, got {text[:40]!r}"
    )


def _one_of(
    metadata: Mapping[str, str], name: str, default: str, read: Callable[[str], Value]
) -> Value:
    text = metadata.get(name, default)
    try:
        return read(text)
    except (KeyError, ValueError):
        allowed = "earliest or latest" if name == "startOffset" else "true or false"
        raise PermanentError(
            f"trigger metadata {name}: expected {allowed}, got {text[:40]!r}"
        ) from None
