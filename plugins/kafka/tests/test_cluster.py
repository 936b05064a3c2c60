"""A cluster that is there, is not there, comes, goes and moves."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import NewTopic
from aiokafka.client import AIOKafkaClient

from penstock.plugin import Health, NotReady
from penstock_kafka import KafkaGatewaySpec, reachability
from penstock_kafka.cluster import CHECK_SECONDS, Cluster
from tests.servers.fixtures import OwnKafka, ProxiedKafka
from tests.servers.kafka import KafkaServer
from tests.servers.kafka_properties import Listener
from tests.servers.ports import free_port
from tests.servers.proxy import TcpProxy

PATIENCE = 40.0
NOWHERE = "127.0.0.1:1"

Clusters = Callable[..., Cluster]


@pytest.fixture
async def clusters() -> AsyncIterator[Clusters]:
    """Makes clusters of bootstrap servers, and closes them."""
    async with AsyncExitStack() as stack:

        def make(*servers: str, **fields: object) -> Cluster:
            spec = {"bootstrapServers": ", ".join(servers), **fields}
            cluster = Cluster(KafkaGatewaySpec.model_validate(spec))
            stack.push_async_callback(cluster.close)
            return cluster

        yield make


@pytest.fixture
async def silent() -> AsyncIterator[str]:
    """The address of a server that accepts connections and never says a word."""
    held: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: held.append(writer), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield f"127.0.0.1:{port}"
    server.close()
    for writer in held:
        writer.close()


async def until(cluster: Cluster, *, ready: bool) -> Health:
    """The health of a cluster, once it is what is waited for."""
    async with asyncio.timeout(PATIENCE):
        while (health := await cluster.check()).ready != ready:  # noqa: ASYNC110 - of another process
            await asyncio.sleep(0.05)
        return health


async def why_not(cluster: Cluster) -> str:
    """Why a cluster cannot be used; its health says the same."""
    with pytest.raises(NotReady) as refusal:
        await cluster.admin()
    return str(refusal.value)


class TestBootstrap:
    """Which of the bootstrap servers answers."""

    async def test_one_is_enough(self, kafka: KafkaServer, clusters: Clusters) -> None:
        cluster = clusters("nowhere.invalid:9092", NOWHERE, kafka.bootstrap_servers)
        assert await cluster.check() == Health(ready=True)
        assert (await (await cluster.admin()).describe_cluster())["brokers"]

    async def test_clients_do_not_mind_either(self, kafka: KafkaServer, clusters: Clusters) -> None:
        client = AIOKafkaClient(**clusters(NOWHERE, kafka.bootstrap_servers).client_settings())
        await client.bootstrap()
        assert client.cluster.brokers()
        await client.close()

    async def test_one_that_is_silent_holds_nobody_up(
        self, kafka: KafkaServer, silent: str, clusters: Clusters
    ) -> None:
        servers = [silent] * 5
        began = time.monotonic()
        assert (await clusters(*servers, kafka.bootstrap_servers).check()).ready
        assert time.monotonic() - began < 3

    async def test_each_that_was_tried_is_told_of_in_the_order_of_the_spec(
        self, clusters: Clusters
    ) -> None:
        cluster = clusters("127.0.0.1:2", "nowhere.invalid:1", NOWHERE, "127.0.0.1:2")
        said = (
            "cannot connect to Kafka: 127.0.0.1:2: nothing listens there; "
            "nowhere.invalid:1: the host's name cannot be resolved (Name or service not known); "
            "127.0.0.1:1: nothing listens there"
        )
        assert await why_not(cluster) == said
        assert await cluster.check() == Health(ready=False, message=said)

    async def test_a_name_with_several_addresses_is_told_of_once(self, clusters: Clusters) -> None:
        said = "cannot connect to Kafka: localhost:1: nothing listens there"
        assert await why_not(clusters("localhost:1")) == said

    async def test_a_server_that_says_nothing(
        self, silent: str, clusters: Clusters, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(reachability, "ANSWER_SECONDS", 0.3)
        said = f"cannot connect to Kafka: {silent}: there is no answer"
        assert await why_not(clusters(silent)) == said

    @pytest.mark.parametrize(
        ("said", "understood"),
        [
            (b"220 mail.example.com ESMTP\r\n", "it does not speak Kafka's protocol"),
            # An answer to the first question, which is not what it should be.
            (b"\0\0\0\x08\0\0\0\x01nope", "it does not speak Kafka's protocol"),
            (b"\0\0\0\x08\0\0\0\x07nope", "it does not speak Kafka's protocol"),
            # A version of no question at all.
            (
                b"\0\0\0\x0a\0\0\0\x01\0\0\0\0\0\0",
                (
                    "its version does not go with this client: MetadataRequest cannot be used if "
                    "the API version is unknown"
                ),
            ),
            (b"", "it ended the connection"),
        ],
    )
    async def test_a_server_of_another_kind(
        self, said: bytes, understood: str, clusters: Clusters
    ) -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(1)
            writer.write(said)
            writer.close()

        async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
            address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
            cluster = clusters(address)
            assert await why_not(cluster) == f"cannot connect to Kafka: {address}: {understood}"
            assert not (await cluster.check()).ready

    async def test_brokers_that_send_clients_elsewhere(
        self, own_kafka: OwnKafka, clusters: Clusters
    ) -> None:
        lost = free_port()
        kafka = await asyncio.to_thread(
            own_kafka, listeners=[Listener("LOST", advertised_port=lost)]
        )
        address = kafka.address("LOST")
        assert await why_not(clusters(address)) == (
            f"cannot connect to Kafka: 127.0.0.1:{lost}: nothing listens there; {address} sends "
            "clients there: see advertised.listeners of the brokers"
        )


class TestAdmin:
    """The one client that is shared."""

    async def test_it_is_made_once(self, kafka: KafkaServer, clusters: Clusters) -> None:
        cluster = clusters(kafka.bootstrap_servers)
        clients = await asyncio.gather(*(cluster.admin() for _ in range(20)))
        assert {id(client) for client in clients} == {id(await cluster.admin())}

    async def test_who_gives_up_does_not_stop_the_others(
        self, kafka: KafkaServer, clusters: Clusters
    ) -> None:
        cluster = clusters(kafka.bootstrap_servers)
        first, second = (asyncio.create_task(cluster.admin()) for _ in range(2))
        await asyncio.sleep(0)
        first.cancel()
        assert (await second) is await cluster.admin()

    async def test_a_check_makes_no_connection(
        self, proxied_kafka: ProxiedKafka, clusters: Clusters, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("penstock_kafka.cluster._FRESH_SECONDS", 0.0)
        cluster = clusters(proxied_kafka.bootstrap_servers)
        admin = await cluster.admin()
        for _ in range(5):
            assert (await cluster.check()).ready
        assert await cluster.admin() is admin
        async with asyncio.timeout(PATIENCE):
            while proxied_kafka.proxy.connections != 1:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0.01)

    async def test_closing_ends_what_is_under_way(self, silent: str, clusters: Clusters) -> None:
        cluster = clusters(silent)
        waiting = asyncio.create_task(cluster.check())
        await asyncio.sleep(0)
        began = time.monotonic()
        await cluster.close()
        await asyncio.wait([waiting])
        assert time.monotonic() - began < 3

    async def test_it_is_closed_twice_and_unused(self, clusters: Clusters) -> None:
        cluster = clusters(NOWHERE)
        await cluster.close()
        await cluster.close()


class TestComingAndGoing:
    """Nobody has to start anything anew."""

    async def test_a_cluster_that_is_not_there_at_first(
        self, own_kafka: OwnKafka, clusters: Clusters
    ) -> None:
        kafka = await asyncio.to_thread(own_kafka)
        await asyncio.to_thread(kafka.stop)
        cluster = clusters(kafka.bootstrap_servers)
        assert (await cluster.check()).message == (
            f"cannot connect to Kafka: {kafka.bootstrap_servers}: nothing listens there"
        )
        await asyncio.to_thread(kafka.start)
        await until(cluster, ready=True)

    async def test_a_cluster_that_is_killed_and_comes_back(
        self, own_kafka: OwnKafka, clusters: Clusters
    ) -> None:
        kafka = await asyncio.to_thread(own_kafka)
        cluster = clusters(kafka.bootstrap_servers)
        await cluster.admin()
        await asyncio.to_thread(kafka.kill)
        health = await until(cluster, ready=False)
        assert health.message.endswith("nothing listens there")
        await asyncio.to_thread(kafka.start)
        await until(cluster, ready=True)
        reply = await (await cluster.admin()).create_topics([NewTopic("again", 1, 1)])
        assert [code for _, code, _ in reply.topic_errors] == [0]

    async def test_a_cluster_that_stands_still(
        self, own_kafka: OwnKafka, clusters: Clusters, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("penstock_kafka.cluster._FRESH_SECONDS", 0.0)
        kafka = await asyncio.to_thread(own_kafka)
        cluster = clusters(kafka.bootstrap_servers)
        assert (await cluster.check()).ready
        kafka.freeze()
        try:
            for _ in range(2):
                began = time.monotonic()
                assert not (await cluster.check()).ready
                assert time.monotonic() - began < CHECK_SECONDS + 0.5
        finally:
            kafka.thaw()
        await until(cluster, ready=True)

    async def test_a_broker_that_moves(self, own_kafka: OwnKafka, clusters: Clusters) -> None:
        """The bootstrap server stays where it is, as a Service of Kubernetes does."""
        kafka = await asyncio.to_thread(own_kafka)
        async with TcpProxy(kafka.bootstrap_servers) as proxy:
            cluster = clusters(proxy.address)
            await (await cluster.admin()).create_topics([NewTopic("moving", 1, 1)])
            before = kafka.bootstrap_servers
            await asyncio.to_thread(kafka.move)
            assert kafka.bootstrap_servers != before
            proxy.target = kafka.bootstrap_servers
            await until(cluster, ready=True)
            topics = await (await cluster.admin()).list_topics()
            await cluster.close()
        assert "moving" in topics


class TestRenewal:
    """A client that would never find the brokers again."""

    async def test_of_one_whose_brokers_have_all_moved(
        self, own_kafka: OwnKafka, clusters: Clusters
    ) -> None:
        kafka = await asyncio.to_thread(own_kafka)
        async with TcpProxy(kafka.bootstrap_servers) as proxy:
            cluster = clusters(proxy.address)
            await (await cluster.admin()).create_topics([NewTopic("moving", 1, 1)])
            async with AIOKafkaProducer(
                **cluster.client_settings(), enable_idempotence=True
            ) as producer:
                await producer.send_and_wait("moving", b"before")
                await asyncio.to_thread(kafka.move)
                proxy.target = kafka.bootstrap_servers
                on_its_way = await producer.send("moving", b"on its way")
                await until(cluster, ready=True)
                await cluster.renew(producer.client)
                async with asyncio.timeout(PATIENCE):
                    assert (await on_its_way).offset == 1
                    assert (await producer.send_and_wait("moving", b"after")).offset == 2
            await cluster.close()

    async def test_of_one_whose_password_has_changed(
        self, own_kafka: OwnKafka, clusters: Clusters, tmp_path: Path
    ) -> None:
        module = "org.apache.kafka.common.security.plain.PlainLoginModule required user_a={};"
        properties = {"sasl.enabled.mechanisms": "PLAIN"}
        properties["plain.sasl.jaas.config"] = module.format("old")
        listener = Listener("SASL_PLAINTEXT", "SASL_PLAINTEXT", properties)
        kafka = await asyncio.to_thread(own_kafka, listeners=[listener])
        password = tmp_path / "password"
        password.write_text("old")
        auth = {"type": "plain", "username": "a", "passwordSecret": {"file": str(password)}}
        cluster = clusters(kafka.address("SASL_PLAINTEXT"), auth=auth)
        await (await cluster.admin()).create_topics([NewTopic("secret", 1, 1)])
        async with AIOKafkaProducer(**cluster.client_settings()) as producer:
            await producer.send_and_wait("secret", b"before")
            properties["plain.sasl.jaas.config"] = module.format("new")
            await asyncio.to_thread(kafka.restart)
            password.write_text("new")
            on_its_way = await producer.send("secret", b"on its way")
            await until(cluster, ready=True)
            await cluster.renew(producer.client)
            async with asyncio.timeout(PATIENCE):
                assert (await on_its_way).offset == 1

    async def test_that_nobody_answers(self, own_kafka: OwnKafka, clusters: Clusters) -> None:
        kafka = await asyncio.to_thread(own_kafka)
        cluster = clusters(kafka.bootstrap_servers)
        client = AIOKafkaClient(**cluster.client_settings())
        await client.bootstrap()
        await asyncio.to_thread(kafka.kill)
        with pytest.raises(NotReady, match="nothing listens there"):
            await cluster.renew(client)
        await client.close()


class TestSettings:
    """What every client is given."""

    async def test_they_say_who_asks_and_how_long_to_wait(self, clusters: Clusters) -> None:
        settings = clusters("a:1", "[::1]", "b").client_settings()
        assert settings == {
            "bootstrap_servers": ["a:1", "[::1]:9092", "b:9092"],
            "client_id": "penstock",
            "metadata_max_age_ms": 15_000,
            "request_timeout_ms": 30_000,
            "security_protocol": "PLAINTEXT",
        }

    async def test_a_cluster_is_shown_by_its_servers(self, clusters: Clusters) -> None:
        assert repr(clusters("a:1", "b:2")) == "<Cluster a:1, b:2>"
