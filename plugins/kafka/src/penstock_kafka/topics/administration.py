"""What an administrator does to topics: make, look at, change, delete."""

import asyncio
from collections.abc import Mapping
from time import monotonic
from typing import Any

from aiokafka.admin.config_resource import ConfigResourceType
from aiokafka.errors import LeaderNotAvailableError
from aiokafka.protocol.admin import (
    CreatePartitionsRequest,
    CreateTopicsRequest,
    DeleteTopicsRequest,
    DescribeConfigsRequest,
)

from penstock_kafka.errors import error_of
from penstock_kafka.topics.incremental_alter_configs import IncrementalAlterConfigsRequest
from penstock_kafka.topics.layout import Layout, find_layout
from penstock_kafka.topics.requests import Requests
from penstock_kafka.topics.setting import Setting

PATIENCE = 30.0
"""Seconds in which brokers have to carry out what was accepted."""

_PATIENCE_MS = int(PATIENCE * 1000)
_PAUSE = 0.05  # seconds between two looks
_SET_ON_TOPIC = 1  # Kafka's number for where a setting comes from


class Administration:
    """Administers topics. Every method raises one of `CLIENT_ERRORS`, with the broker's words.

    Args:
        requests: What asks.
    """

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    async def find(self, topic: str) -> Layout | None:
        """How a topic is laid out; none: there is no such topic, and none is made."""
        return await find_layout(self._requests, topic)

    async def create(
        self,
        topic: str,
        partitions: int,
        replication_factor: int,
        settings: Mapping[str, str],
        *,
        validate_only: bool = False,
    ) -> None:
        """Make a topic.

        Args:
            topic: Its name.
            partitions: How many; -1 is the broker's default.
            replication_factor: How many brokers keep each record; -1 is the broker's default.
            settings: Values by name.
            validate_only: Make nothing, only say whether it could be.
        """
        no_assignment: list[int] = []
        wanted = (topic, partitions, replication_factor, no_assignment, list(settings.items()))
        reply = await self._requests.send_to_controller(
            CreateTopicsRequest([wanted], _PATIENCE_MS, validate_only)
        )
        _check(reply.to_object()["topic_errors"])

    async def grow(self, topic: str, partitions: int) -> None:
        """Give a topic so many partitions in place of fewer."""
        wanted = (topic, (partitions, None))
        reply = await self._requests.send_to_controller(
            CreatePartitionsRequest([wanted], _PATIENCE_MS, validate_only=False)
        )
        _check(reply.to_object()["topic_errors"])

    async def delete(self, topic: str) -> None:
        """Delete a topic, its records and the groups' positions in it."""
        reply = await self._requests.send_to_controller(DeleteTopicsRequest([topic], _PATIENCE_MS))
        _check(reply.to_object()["topic_error_codes"])

    async def settings(self, topic: str) -> dict[str, Setting]:
        """All settings of a topic, by name."""
        wanted = (ConfigResourceType.TOPIC, topic, None)
        request = DescribeConfigsRequest([wanted], include_synonyms=False)
        (described,) = (await self._requests.send(request)).to_object()["resources"]
        _check([described])
        return {
            entry["config_names"]: Setting(
                entry["config_value"], entry["config_source"] == _SET_ON_TOPIC
            )
            for entry in described["config_entries"]
        }

    async def alter(self, topic: str, settings: Mapping[str, str | None]) -> None:
        """Change some settings and leave the rest; ``None`` is back to the default."""
        reply = await self._requests.send_to_controller(
            IncrementalAlterConfigsRequest(topic, settings)
        )
        _check(reply.to_object()["responses"])

    async def wait_until_led(self, topic: str, partitions: int = 1) -> Layout:
        """Wait until a topic has so many partitions and all have a leader."""
        deadline = monotonic() + PATIENCE
        while monotonic() < deadline:
            layout = await self.find(topic)
            if layout and layout.partitions >= partitions and layout.is_led:
                return layout
            await asyncio.sleep(_PAUSE)
        raise LeaderNotAvailableError(f"topic {topic} has no leaders {PATIENCE:.0f} s later")

    async def wait_until_gone(self, topic: str) -> bool:
        """Wait until no broker knows a topic any longer; whether that came about."""
        deadline = monotonic() + PATIENCE
        while monotonic() < deadline:
            if not await self._is_known(topic):
                return True
            await asyncio.sleep(_PAUSE)
        return False

    async def _is_known(self, topic: str) -> bool:
        """Whether any broker knows a topic, of those that answer."""
        asked = [
            find_layout(self._requests, topic, broker) for broker in await self._requests.brokers()
        ]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        return any(isinstance(answer, Layout) for answer in answers) or None not in answers


def _check(results: list[Mapping[str, Any]]) -> None:
    """Raise what a broker refused, with what it said of it."""
    for result in results:
        if code := result["error_code"]:
            raise error_of(code, result.get("error_message"))
