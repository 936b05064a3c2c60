"""Requests to brokers in the terms of Kafka's protocol, for what the admin client leaves out."""

from typing import Any

from aiokafka.client import AIOKafkaClient
from aiokafka.protocol.api import Request

from penstock_kafka.cluster import Cluster


class Requests:
    """Sends requests over the connections of the cluster's admin client.

    Args:
        cluster: Where to.
    """

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    async def send(self, request: Request, broker: int | None = None) -> Any:
        """What a broker replies.

        Args:
            request: The request; its version is settled with the broker.
            broker: Whom to ask; any when left out.

        Raises:
            KafkaError: It cannot be reached, or does not reply, as the other `CLIENT_ERRORS` say.
                What it replies is not looked at.
            NotReady: No broker answers.
        """
        client = await self._client()
        return await client.send(client.get_random_node() if broker is None else broker, request)

    async def send_to_controller(self, request: Request) -> Any:
        """What the controller replies, or the broker that forwards requests to it.

        Raises:
            KafkaError: As `send`.
            NotReady: No broker answers.
        """
        controller = (await self._client()).cluster.controller
        return await self.send(request, controller.nodeId if controller else None)

    async def brokers(self) -> list[int]:
        """The ids of the brokers that are known.

        Raises:
            NotReady: No broker answers.
        """
        return [broker.nodeId for broker in (await self._client()).cluster.brokers()]

    async def _client(self) -> AIOKafkaClient:
        # The admin client has no door for requests that it does not know.
        return (await self._cluster.admin())._client  # noqa: SLF001
