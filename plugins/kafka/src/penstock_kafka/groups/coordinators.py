"""Asking the brokers that keep groups: each group has one, its coordinator."""

import asyncio
from typing import Any

from aiokafka.client import AIOKafkaClient, ConnectionGroup, CoordinationType
from aiokafka.errors import (
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    KafkaConnectionError,
    KafkaError,
    NodeNotReadyError,
    NotCoordinatorForGroupError,
    StaleMetadata,
)
from aiokafka.protocol.api import Request

from penstock.plugin import TemporaryError
from penstock_kafka.cluster import Cluster
from penstock_kafka.errors import error_of, translated
from penstock_kafka.groups.client import hang_up, open_client

PATIENCE = 15.0
"""Seconds in which a coordinator has to answer, though it be moving or starting."""

_PAUSE = 0.1  # seconds between two tries
_MOST_NODES = 1000  # to remember: there may be a new group for each subscription
_AWAY = (
    GroupCoordinatorNotAvailableError,
    GroupLoadInProgressError,
    KafkaConnectionError,
    NodeNotReadyError,
    NotCoordinatorForGroupError,
    StaleMetadata,
)


class NotAMember(Exception):
    """The coordinator does not know the member, or not in this generation."""


_NOT_A_MEMBER = frozenset({22, 25, 27, 82, 110, 111, 113})
"""Codes: the generation is another, the member unknown or replaced, or a rebalance under way."""


class Coordinators:
    """Sends requests to groups' coordinators; has a client of its own, opened when it is needed.

    Args:
        cluster: The cluster.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._client: AIOKafkaClient | None = None
        self._opening = asyncio.Lock()
        self._nodes: dict[str, int] = {}

    async def close(self) -> None:
        """Hang up."""
        client, self._client = self._client, None
        if client:
            await hang_up(client)

    async def ask(self, group_id: str, request: Request, doing: str) -> Any:
        """What the coordinator of a group replies, once it is there.

        Args:
            group_id: The Kafka group.
            request: Sent again for a while when the coordinator is moving; so it may be carried
                out more than once.
            doing: What it is for, for the text of an error.

        Raises:
            NotAMember: It speaks for a member that the coordinator does not know.
            TemporaryError: Try again; it is not known whether it was carried out.
            PermanentError: The cluster refuses it.
        """
        client = self._client
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    try:
                        return await self._ask_once(group_id, request, doing)
                    except KafkaError as error:
                        self._nodes.pop(group_id, None)
                        if not isinstance(error, _AWAY):
                            raise translated(error, doing) from error
                    await asyncio.sleep(_PAUSE)
        except TimeoutError as error:
            # Perhaps the brokers that the client knows are all gone, and others are there.
            self._nodes.clear()
            if self._client is client:
                await self.close()
            raise TemporaryError(
                f"{doing}: the group's coordinator has not answered for {PATIENCE:g} s"
            ) from error

    async def _ask_once(self, group_id: str, request: Request, doing: str) -> Any:
        client = await self._opened(doing)
        node = self._nodes.get(group_id)
        if node is None:
            node = await client.coordinator_lookup(CoordinationType.GROUP, group_id)
            if client.cluster.broker_metadata(node) is None:
                await client.force_metadata_update()
            if len(self._nodes) >= _MOST_NODES:
                self._nodes.clear()
            self._nodes[group_id] = node
        reply = (await client.send(node, request, group=ConnectionGroup.COORDINATION)).to_object()
        for code in _codes(reply):
            if code in _NOT_A_MEMBER:
                raise NotAMember(type(error_of(code)).__name__)
            raise error_of(code)
        return reply

    async def _opened(self, doing: str) -> AIOKafkaClient:
        async with self._opening:
            if self._client is None:
                self._client = await open_client(self._cluster, doing)
            return self._client


def _codes(reply: Any) -> list[int]:
    """The errors in a reply: of all of it, or of its topics' partitions."""
    of_partitions = (
        partition["error_code"]
        for topic in reply.get("topics", ())
        for partition in topic["partitions"]
    )
    return [code for code in (reply.get("error_code", 0), *of_partitions) if code]
