"""What a topic is at this moment: its id, and who leads its partitions.

A topic that is deleted and made anew has the name of the one before, and offsets that begin again.
Its id tells the two apart (KIP-516, Kafka 2.8); aiokafka does not ask for it yet. Fields and
numbers are those of Kafka's protocol, API 3.
"""

from collections.abc import Mapping
from io import BytesIO
from typing import NamedTuple

from aiokafka.errors import UnknownTopicOrPartitionError
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.metadata import MetadataRequest_v5
from aiokafka.protocol.types import (
    AbstractType,
    Boolean,
    CompactArray,
    CompactString,
    Int16,
    Int32,
    Schema,
    TaggedFields,
)

from penstock_kafka.errors import CLIENT_ERRORS, error_of, translated
from penstock_kafka.topics.requests import Requests

_API_KEY = 3
_NO_ID = bytes(16)


class TopicState(NamedTuple):
    """What a topic is.

    Attributes:
        id: No two topics have the same; empty where the brokers are too old to give any.
        leaders: The broker that leads each partition, or -1.
    """

    id: bytes
    leaders: Mapping[int, int]


async def look_at(requests: Requests, topic: str) -> TopicState | None:
    """What a topic is, as far as one of the brokers knows; none: there is no such topic.

    Asking does not make it.

    Args:
        requests: What asks.
        topic: Its name.

    Raises:
        TemporaryError: It cannot be told now.
        PermanentError: The cluster refuses to say.
    """
    doing = f"looking at topic {topic}"
    try:
        reply = (await requests.send(_TopicRequest(topic))).to_object()
        (described,) = reply["topics"]
        code, partitions = described["error_code"], described["partitions"]
        if code == UnknownTopicOrPartitionError.errno:
            return None
        if code and not partitions:
            raise error_of(code)
    except CLIENT_ERRORS as error:
        raise translated(error, doing) from error
    topic_id = described.get("topic_id", _NO_ID)
    return TopicState(
        b"" if topic_id == _NO_ID else topic_id,
        {partition["partition"]: partition["leader"] for partition in partitions},
    )


# aiokafka has no types: its classes are Any to the checker.
class _Uuid(AbstractType[bytes]):  # type: ignore[misc]
    @classmethod
    def encode(cls, value: bytes) -> bytes:
        return value

    @classmethod
    def decode(cls, data: BytesIO) -> bytes:
        return data.read(len(_NO_ID))


class _Response(Response):  # type: ignore[misc]
    API_KEY = _API_KEY
    API_VERSION = 10
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32),
                ("host", CompactString("utf-8")),
                ("port", Int32),
                ("rack", CompactString("utf-8")),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_id", CompactString("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16),
                ("topic", CompactString("utf-8")),
                ("topic_id", _Uuid),
                ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16),
                        ("partition", Int32),
                        ("leader", Int32),
                        ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)),
                        ("isr", CompactArray(Int32)),
                        ("offline_replicas", CompactArray(Int32)),
                        ("tags", TaggedFields),
                    ),
                ),
                ("authorized_operations", Int32),
                ("tags", TaggedFields),
            ),
        ),
        ("cluster_authorized_operations", Int32),
        ("tags", TaggedFields),
    )


class _Struct(RequestStruct):  # type: ignore[misc]
    FLEXIBLE_VERSION = True
    API_KEY = _API_KEY
    API_VERSION = 10
    RESPONSE_TYPE = _Response
    SCHEMA = Schema(
        (
            "topics",
            CompactArray(
                ("topic_id", _Uuid), ("name", CompactString("utf-8")), ("tags", TaggedFields)
            ),
        ),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_authorized_operations", Boolean),
        ("include_topic_authorized_operations", Boolean),
        ("tags", TaggedFields),
    )


class _TopicRequest(Request[MetadataRequest_v5 | _Struct]):  # type: ignore[misc]
    """Asks for one topic."""

    API_KEY = _API_KEY

    def __init__(self, topic: str) -> None:
        self._topic = topic

    def build(self, request_struct_class: type[RequestStruct]) -> RequestStruct:
        """The request in the version that was settled with the broker."""
        if request_struct_class is _Struct:
            return _Struct([(_NO_ID, self._topic, {})], False, False, False, {})  # noqa: FBT003
        return request_struct_class([self._topic], False)  # noqa: FBT003
