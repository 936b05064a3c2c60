"""A Kafka cluster as a spec names it: what its clients need, and whether it answers."""

from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from penstock.plugin import Health, NotReady
from penstock_kafka.spec import KafkaGatewaySpec

CLIENT_ID = "penstock"


class Cluster:
    """Reaches the brokers of one spec; every client of the package gets its settings here."""

    def __init__(self, spec: KafkaGatewaySpec) -> None:
        self._spec = spec
        self._admin: AIOKafkaAdminClient | None = None

    def client_settings(self) -> dict[str, Any]:
        """What every client of aiokafka takes: brokers, client id, security, time-outs."""
        return {
            "bootstrap_servers": self._spec.bootstrap_servers.split(","),
            "client_id": CLIENT_ID,
        }

    async def admin(self) -> AIOKafkaAdminClient:
        """The one admin client, started.

        Raises:
            NotReady: No broker answers; the text says why.
        """
        if self._admin is None:
            admin = AIOKafkaAdminClient(**self.client_settings())
            try:
                await admin.start()
            except KafkaError as error:
                await admin.close()
                raise NotReady(f"no broker answers at {self._spec.bootstrap_servers}") from error
            self._admin = admin
        return self._admin

    async def check(self) -> Health:
        """Whether the cluster answers now; never raises."""
        try:
            await (await self.admin()).describe_cluster()
        except (KafkaError, NotReady) as error:
            return Health(ready=False, message=str(error))
        return Health(ready=True)

    async def close(self) -> None:
        """Let go of the connections."""
        if self._admin is not None:
            await self._admin.close()
            self._admin = None
