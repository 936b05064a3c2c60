"""A request that aiokafka does not have yet: change some settings of a topic, and leave the rest.

The one that it has replaces all settings by those that it names. Fields and numbers are those of
Kafka's protocol, API 44 (KIP-339), which brokers know since 2.3.
"""

from collections.abc import Mapping
from enum import IntEnum

from aiokafka.admin.config_resource import ConfigResourceType
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Boolean, Int8, Int16, Int32, Schema, String

_API_KEY = 44


class _Operation(IntEnum):
    SET = 0
    DELETE = 1


# aiokafka has no types: its classes are Any to the checker.
class _Response(Response):  # type: ignore[misc]
    API_KEY = _API_KEY
    API_VERSION = 0
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "responses",
            Array(
                ("error_code", Int16),
                ("error_message", String("utf-8")),
                ("resource_type", Int8),
                ("resource_name", String("utf-8")),
            ),
        ),
    )


class _Struct(RequestStruct):  # type: ignore[misc]
    API_KEY = _API_KEY
    API_VERSION = 0
    RESPONSE_TYPE = _Response
    SCHEMA = Schema(
        (
            "resources",
            Array(
                ("resource_type", Int8),
                ("resource_name", String("utf-8")),
                (
                    "configs",
                    Array(
                        ("name", String("utf-8")),
                        ("config_operation", Int8),
                        ("value", String("utf-8")),
                    ),
                ),
            ),
        ),
        ("validate_only", Boolean),
    )


class IncrementalAlterConfigsRequest(Request[_Struct]):  # type: ignore[misc]
    """Changes settings of one topic.

    Args:
        topic: The topic.
        settings: Values by name; ``None`` is back to the default.
    """

    API_KEY = _API_KEY

    def __init__(self, topic: str, settings: Mapping[str, str | None]) -> None:
        self._topic = topic
        self._settings = settings

    def build(self, request_struct_class: type[_Struct]) -> _Struct:
        """The request in the version that was settled with the broker."""
        changes = [
            (name, _Operation.DELETE if value is None else _Operation.SET, value)
            for name, value in self._settings.items()
        ]
        resource = (ConfigResourceType.TOPIC, self._topic, changes)
        return request_struct_class(resources=[resource], validate_only=False)
