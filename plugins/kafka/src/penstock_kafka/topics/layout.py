"""How topics are laid out on the brokers, as these say at this moment."""

from collections.abc import Mapping
from typing import NamedTuple

from aiokafka.errors import UnknownTopicOrPartitionError
from aiokafka.protocol.metadata import MetadataRequest

from penstock_kafka.errors import error_of
from penstock_kafka.topics.requests import Requests

NOBODY = -1
"""In place of a leader: there is none at the moment."""


class Layout(NamedTuple):
    """How a topic is laid out.

    Attributes:
        leaders: The broker that leads each partition, or `NOBODY`.
        replication_factor: How many brokers keep each record.
    """

    leaders: Mapping[int, int]
    replication_factor: int

    @property
    def partitions(self) -> int:
        """How many there are."""
        return len(self.leaders)

    @property
    def is_led(self) -> bool:
        """Whether each partition has a leader."""
        return NOBODY not in self.leaders.values()


async def find_layout(requests: Requests, topic: str, broker: int | None = None) -> Layout | None:
    """The layout of a topic; none: there is no such topic, and asking does not make it.

    Args:
        requests: What asks.
        topic: Its name.
        broker: Whom to ask; any when left out.

    Raises:
        KafkaError: It cannot be told, as the other `CLIENT_ERRORS`.
    """
    # Most brokers make a topic that somebody asks for, unless told not to.
    request = MetadataRequest([topic], allow_auto_topic_creation=False)
    reply = (await requests.send(request, broker)).to_object()
    (described,) = reply["topics"]
    if described["error_code"] == UnknownTopicOrPartitionError.errno:
        return None
    partitions = described["partitions"]
    if described["error_code"] and not partitions:
        raise error_of(described["error_code"])
    return Layout(
        {partition["partition"]: partition["leader"] for partition in partitions},
        min(len(partition["replicas"]) for partition in partitions),
    )
