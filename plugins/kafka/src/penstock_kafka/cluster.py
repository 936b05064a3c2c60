"""A Kafka cluster as a spec names it: what its clients need, and whether it answers."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.client import AIOKafkaClient

from penstock.plugin import Health, NotReady
from penstock_kafka.connection import FAILURES, HANG_UP_SECONDS
from penstock_kafka.diagnosis import diagnosis
from penstock_kafka.log import quieten_client
from penstock_kafka.reachability import Answer, Unreached, first_answer
from penstock_kafka.security import Security
from penstock_kafka.spec import KafkaGatewaySpec

CLIENT_ID = "penstock"
METADATA_SECONDS = 15
"""How old a client's picture of the cluster gets: partitions that were added are seen by then."""
REQUEST_SECONDS = 30
"""How long a client waits for an answer before it takes the connection for broken."""
CHECK_SECONDS = 4.5
"""How long a check of the cluster's health takes at most."""

_FRESH_SECONDS = 1.0
_PING_SECONDS = 2.0
_PINGS = 3
_MOST_ASKED = 5


class Cluster:
    """Reaches the brokers of one spec; every client of the package gets its settings here."""

    def __init__(self, spec: KafkaGatewaySpec) -> None:
        self._spec = spec
        self._security = Security(spec.tls, spec.auth)
        self._admin: _Admin | None = None
        self._fresh_until = 0.0
        self._nothing_known = f"no broker has answered as yet: {spec.bootstrap_servers}"
        self._why_not = self._nothing_known
        self._attempt: asyncio.Task[_Admin | str] | None = None
        quieten_client()

    def __repr__(self) -> str:
        return f"<Cluster {self._spec.bootstrap_servers}>"

    def client_settings(self) -> dict[str, Any]:
        """What every client of aiokafka takes: brokers, client id, security, time-outs.

        Call it for each client anew: it reads the password. Certificates, keys and tokens are read
        for each connection. The settings hold secrets, so they are for no log.

        Raises:
            NotReady: A secret is not there as yet, or is not what it should be.
        """
        return {
            "bootstrap_servers": [str(address) for address in self._spec.addresses],
            "client_id": CLIENT_ID,
            "metadata_max_age_ms": METADATA_SECONDS * 1000,
            "request_timeout_ms": REQUEST_SECONDS * 1000,
            **self._security.settings(),
        }

    async def admin(self) -> AIOKafkaAdminClient:
        """The one admin client, started; it answered a moment ago.

        It is made anew when it does not answer. So call this before each use, and keep it no
        longer.

        Raises:
            NotReady: No broker answers; the text says why.
        """
        if self._admin is not None and _now() < self._fresh_until:
            return self._admin
        if self._attempt is None:
            self._attempt = asyncio.create_task(self._reach())
            self._attempt.add_done_callback(self._forget_attempt)
        # All who wait share one attempt, which goes on when one of them gives up.
        result = await asyncio.shield(self._attempt)
        if isinstance(result, str):
            raise NotReady(result)
        return result

    async def renew(self, client: AIOKafkaClient) -> None:
        """Let a client of `client_settings` that reaches no broker any more begin anew.

        Once it is started, aiokafka asks only the brokers that it has been told of, and logs in
        only with the password that it was made with: it never recovers when all of them have
        moved, or have restarted with another password. What the client has on its way goes on.

        Raises:
            NotReady: No broker answers; the text says why.
        """
        await self.admin()
        settings = self.client_settings()
        if "sasl_plain_password" in settings:
            client._sasl_plain_password = settings["sasl_plain_password"]  # noqa: SLF001 - nothing else sets it
        try:
            await client.bootstrap()
        except FAILURES as error:
            servers = self._spec.bootstrap_servers
            raise NotReady(f"cannot connect to Kafka once more: {servers}") from error
        # Bootstrapping forgets topics, and tells of none.
        client.force_metadata_update()

    async def check(self) -> Health:
        """Whether the cluster answers now, found out in at most `CHECK_SECONDS`; never raises."""
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                await self.admin()
        except TimeoutError:
            return Health(ready=False, message=self._why_not)
        except NotReady as error:
            return Health(ready=False, message=str(error))
        return Health(ready=True)

    async def close(self) -> None:
        """Let go of the connections."""
        if self._attempt is not None:
            self._attempt.cancel()
            await asyncio.wait([self._attempt])
        await self._drop_admin()

    async def _reach(self) -> "_Admin | str":
        """An admin client that answers, or why there is none."""
        if self._admin is None or not await self._admin.answers():
            await self._drop_admin()
            try:
                self._admin = await self._connect()
            except (NotReady, Unreached) as error:
                self._why_not = str(error)
                return self._why_not
        self._why_not = self._nothing_known
        self._fresh_until = _now() + _FRESH_SECONDS
        return self._admin

    async def _connect(self) -> "_Admin":
        settings = self.client_settings()
        answer = await first_answer(self._spec.addresses, settings)
        if answer.address not in answer.brokers:
            await self._reach_brokers(answer, settings)
        admin = _Admin(**settings | {"bootstrap_servers": [str(answer.address)]})
        try:
            await admin.start()
        except FAILURES as error:
            await admin.hang_up()
            reason = await diagnosis(error, answer.address, settings)
            raise Unreached(f"cannot connect to Kafka: {answer.address}: {reason}") from error
        return admin

    async def _reach_brokers(self, answer: Answer, settings: Mapping[str, Any]) -> None:
        """See that one of the brokers is where they tell clients that they are."""
        try:
            await first_answer(answer.brokers[:_MOST_ASKED], settings)
        except Unreached as error:
            raise Unreached(
                f"{error}; {answer.address} sends clients there: see advertised.listeners of "
                "the brokers"
            ) from error

    async def _drop_admin(self) -> None:
        if self._admin is not None:
            admin, self._admin = self._admin, None
            await admin.hang_up()

    def _forget_attempt(self, _: "asyncio.Task[_Admin | str]") -> None:
        self._attempt = None


class _Admin(AIOKafkaAdminClient):  # type: ignore[misc]  # aiokafka has no types
    """An admin client that can be asked whether it is of any use."""

    async def answers(self) -> bool:
        """Whether a broker that it is connected to answers, found out in `_PING_SECONDS`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_PING_SECONDS):
                # Each time of any broker: one that is away must not count for all.
                for _ in range(_PINGS):
                    with suppress(*FAILURES):
                        return bool((await self._get_cluster_metadata([])).brokers)
        return False

    async def hang_up(self) -> None:
        """Close the connections; a broker that does not answer is not waited for."""
        with suppress(*FAILURES):
            async with asyncio.timeout(HANG_UP_SECONDS):
                await self.close()


def _now() -> float:
    return asyncio.get_running_loop().time()
