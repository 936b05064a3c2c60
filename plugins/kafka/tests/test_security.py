"""Each way to log in to a real broker, each that goes wrong, and that no secret is ever shown."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import NewTopic

from penstock.plugin import Health, NotReady
from penstock_kafka import KafkaGatewaySpec
from penstock_kafka.cluster import Cluster
from penstock_kafka.errors import error_of, translated
from tests.servers.fixtures import OwnKafka
from tests.servers.kafka_properties import Listener
from tests.servers.ports import HIGHEST, LOWEST
from tests.servers.secure_kafka import ALICE, MALLORY, SecureKafka, User
from tests.servers.tokens import TokenServer

PATIENCE = 30.0
WRONG = "hunter2-is-wrong"

Source = dict[str, str]
Keep = Callable[[str], Source]


@pytest.fixture
def keep(tmp_path: Path) -> Keep:
    """Writes a secret into a file of its own, and gives what a spec says of it."""

    def write(text: str) -> Source:
        file = tmp_path / f"secret-{uuid4()}"
        file.write_text(text)
        return {"file": str(file)}

    return write


@pytest.fixture
async def clusters() -> AsyncIterator[Callable[[dict[str, Any]], Cluster]]:
    """Makes clusters of specs, closes them, and waits until no connection is left."""
    async with AsyncExitStack() as stack:

        def make(spec: dict[str, Any]) -> Cluster:
            cluster = Cluster(KafkaGatewaySpec.model_validate(spec))
            stack.push_async_callback(cluster.close)
            return cluster

        yield make
    # aiokafka does not wait for the end of TLS where it has begun with one broker.
    async with asyncio.timeout(PATIENCE):
        while is_connected():  # noqa: ASYNC110 - the system tells nobody
            await asyncio.sleep(0.01)


def is_connected() -> bool:
    """Whether this process has a connection to a broker."""
    connections = psutil.Process().net_connections()
    # A socket that listens has no other side.
    return any(LOWEST <= getattr(one.raddr, "port", 0) <= HIGHEST for one in connections)


Clusters = Callable[[dict[str, Any]], Cluster]


class Ways:
    """What specs say to log in.

    Args:
        kafka: The broker.
        keep: Where secrets go.
    """

    def __init__(self, kafka: SecureKafka, keep: Keep) -> None:
        self.kafka = kafka
        self.keep = keep

    @property
    def tls(self) -> dict[str, Any]:
        """Trust in the authority that has signed what the broker shows."""
        return self.trust(self.kafka.certificates.authority)

    def trust(self, authority: Path) -> dict[str, Any]:
        return {"trustedCertificates": [{"file": str(authority)}]}

    def auth(self, way: str, user: User = ALICE) -> dict[str, Any]:
        match way:
            case "token":
                token = self.kafka.tokens.token(user.name)
                return {"type": "oauth", "accessToken": self.keep(f"{token}\n")}
            case "credentials":
                return {
                    "type": "oauth",
                    "tokenEndpointUri": self.kafka.tokens.token_url,
                    "clientId": user.name,
                    "clientSecret": self.keep(user.password),
                }
            case "tls":
                shown = self.kafka.alice if user == ALICE else self.kafka.mallory
                files = {"certificate": shown.chain, "key": shown.key}
                return {"type": "tls"} | {name: {"file": str(p)} for name, p in files.items()}
            case mechanism:
                secret = self.keep(f"{user.password}\n")
                return {"type": mechanism, "username": user.name, "passwordSecret": secret}

    def spec(self, listener: str, way: str = "", user: User = ALICE) -> dict[str, Any]:
        spec: dict[str, Any] = {"bootstrapServers": self.kafka.address(listener)}
        if "PLAINTEXT" not in listener:
            spec["tls"] = self.tls
        if way:
            spec["auth"] = self.auth(way, user)
        return spec


@pytest.fixture
def ways(secure_kafka: SecureKafka, keep: Keep) -> Ways:
    return Ways(secure_kafka, keep)


def kept(source: Source) -> str:
    """A secret, as it stands in its file."""
    return Path(source["file"]).read_text()


def change(source: Source, text: str) -> None:
    """Another secret in the same file."""
    Path(source["file"]).write_text(text)


PASSWORDS = ["plain", "scram-sha-256", "scram-sha-512"]
LOGINS = [*PASSWORDS, "credentials", "token"]
GOOD = [
    ("PLAINTEXT", ""),
    ("TLS", ""),
    ("MUTUAL_TLS", "tls"),
    *(("SASL_PLAINTEXT", way) for way in LOGINS),
    *(("SASL_SSL", way) for way in LOGINS),
]


async def make_topic(cluster: Cluster) -> str:
    """A new topic, made with the rights of whoever the cluster logs in as."""
    topic = f"topic-{uuid4()}"
    reply = await (await cluster.admin()).create_topics([NewTopic(topic, 1, 1)])
    [(_, code, said)] = reply.topic_errors
    if code:
        raise error_of(code, said)
    return topic


@pytest.mark.parametrize(("listener", "way"), GOOD)
async def test_what_is_published_is_read(
    listener: str, way: str, ways: Ways, clusters: Clusters
) -> None:
    cluster = clusters(ways.spec(listener, way))
    async with asyncio.timeout(PATIENCE):
        topic = await make_topic(cluster)
        assert await cluster.check() == Health(ready=True)
        async with AIOKafkaProducer(**cluster.client_settings()) as producer:
            await producer.send_and_wait(topic, b"payload")
        settings = {**cluster.client_settings(), "auto_offset_reset": "earliest"}
        async with AIOKafkaConsumer(topic, **settings) as consumer:
            assert (await consumer.getone()).value == b"payload"


@pytest.mark.parametrize(("listener", "way"), [("MUTUAL_TLS", "tls"), ("SASL_SSL", "credentials")])
async def test_who_may_not_is_told_so(
    listener: str, way: str, ways: Ways, clusters: Clusters
) -> None:
    cluster = clusters(ways.spec(listener, way, MALLORY))
    with pytest.raises(Exception, match="AuthorizationFailed") as refusal:
        await make_topic(cluster)
    said = str(translated(refusal.value, "making topic orders"))
    assert said.startswith("making topic orders: the cluster does not allow it: give the principal")


class TestWrong:
    """What is said when it does not work, and that it is said without a secret."""

    @pytest.fixture
    def message(
        self, clusters: Clusters, caplog: pytest.LogCaptureFixture
    ) -> Callable[[dict[str, Any]], Awaitable[str]]:
        """What is said of a cluster's health, after its address."""
        caplog.set_level(logging.DEBUG)
        caplog.set_level(logging.DEBUG, "aiokafka")

        async def of(spec: dict[str, Any]) -> str:
            cluster = clusters(spec)
            with pytest.raises(NotReady) as refusal:
                await cluster.admin()
            health = await cluster.check()
            assert health == Health(ready=False, message=str(refusal.value))
            shown = [health.message, caplog.text, repr(cluster)]
            model = KafkaGatewaySpec.model_validate(spec)
            shown += [repr(model), str(model), model.model_dump_json()]
            for secret in (WRONG, ALICE.password, "PRIVATE KEY", "eyJ"):
                assert not any(secret in text for text in shown)
            assert "Traceback" not in caplog.text
            start = f"cannot connect to Kafka: {spec['bootstrapServers']}: "
            return health.message.removeprefix(start)

        return of

    @pytest.mark.parametrize("listener", ["SASL_PLAINTEXT", "SASL_SSL"])
    @pytest.mark.parametrize("type_", PASSWORDS)
    async def test_password(self, type_: str, listener: str, ways: Ways, message: Any) -> None:
        said = await message(ways.spec(listener, type_, User(ALICE.name, WRONG)))
        start = f'the login as "alice" by {type_.upper()} failed (Authentication failed'
        assert said.startswith(start)
        assert said.endswith("): see auth.username and auth.passwordSecret")

    async def test_user(self, ways: Ways, message: Any) -> None:
        said = await message(ways.spec("SASL_SSL", "scram-sha-512", User("bob", WRONG)))
        assert said.startswith('the login as "bob" by SCRAM-SHA-512 failed')

    async def test_a_token_that_has_expired(self, ways: Ways, message: Any) -> None:
        token = ways.keep(ways.kafka.tokens.token(ALICE.name, lifetime=-60))
        spec = {**ways.spec("SASL_SSL"), "auth": {"type": "oauth", "accessToken": token}}
        assert await message(spec) == "it refuses the access token: see auth"

    async def test_a_token_that_is_refused_is_not_used_again(
        self, ways: Ways, clusters: Clusters
    ) -> None:
        spec = ways.spec("SASL_SSL", "credentials")
        with TokenServer(dict([ALICE])) as stranger:
            spec["auth"]["tokenEndpointUri"] = stranger.token_url
            cluster = clusters(spec)
            for count in (1, 2):
                with pytest.raises(NotReady, match="it refuses the access token: see auth"):
                    await cluster.admin()
                assert stranger.issued == count

    async def test_a_clients_secret(self, ways: Ways, message: Any) -> None:
        said = await message(ways.spec("SASL_SSL", "credentials", User(ALICE.name, WRONG)))
        endpoint = ways.kafka.tokens.token_url
        assert said == (
            f"auth.tokenEndpointUri: {endpoint}: it answers with status 401, invalid_client"
        )

    @pytest.mark.parametrize(
        ("listener", "said"),
        [
            ("EXPIRED", "its certificate, or that of its authority, has expired"),
            (
                "WRONG_HOST",
                (
                    "its certificate is for another host: IP address mismatch, certificate is not "
                    "valid for '127.0.0.1'"
                ),
            ),
        ],
    )
    async def test_a_brokers_certificate(
        self, listener: str, said: str, ways: Ways, message: Any
    ) -> None:
        assert await message(ways.spec(listener)) == said

    @pytest.mark.parametrize("own", [True, False])
    async def test_an_authority_that_nobody_trusts(
        self, *, own: bool, ways: Ways, message: Any
    ) -> None:
        tls = ways.trust(ways.kafka.certificates.another_authority) if own else {}
        assert await message({**ways.spec("TLS"), "tls": tls}) == (
            "nobody who is trusted vouches for its certificate: put its authority into "
            "tls.trustedCertificates"
        )

    @pytest.mark.parametrize(
        ("listener", "way"), [("TLS", ""), ("MUTUAL_TLS", ""), ("SASL_SSL", "plain")]
    )
    async def test_plain_text_to_a_port_with_tls(
        self, listener: str, way: str, ways: Ways, message: Any
    ) -> None:
        spec = {**ways.spec(listener, way), "tls": None}
        assert await message(spec) == "it speaks TLS: set tls, if only to {}"

    @pytest.mark.parametrize(
        ("listener", "way"), [("PLAINTEXT", ""), ("SASL_PLAINTEXT", "scram-sha-256")]
    )
    async def test_tls_to_a_port_without(
        self, listener: str, way: str, ways: Ways, message: Any
    ) -> None:
        spec = {**ways.spec(listener, way), "tls": ways.tls}
        assert await message(spec) == ("it does not speak TLS: leave out tls, or use another port")

    @pytest.mark.parametrize("listener", ["SASL_PLAINTEXT", "SASL_SSL"])
    async def test_no_login_where_one_is_asked_for(
        self, listener: str, ways: Ways, message: Any
    ) -> None:
        assert await message(ways.spec(listener)) == (
            "it asks for a login (OAUTHBEARER, PLAIN, SCRAM-SHA-256, SCRAM-SHA-512): set auth"
        )

    @pytest.mark.parametrize("listener", ["PLAINTEXT", "TLS"])
    async def test_a_login_where_none_is_asked_for(
        self, listener: str, ways: Ways, message: Any
    ) -> None:
        assert await message(ways.spec(listener, "plain")) == (
            "it asks for no login: leave out auth, or use another port"
        )

    async def test_no_certificate_where_one_is_asked_for(self, ways: Ways, message: Any) -> None:
        assert await message(ways.spec("MUTUAL_TLS")) == (
            "it wants a certificate of the client: set auth, of type tls"
        )

    @pytest.mark.parametrize(
        ("field", "said"),
        [
            ("accessToken", "auth.accessToken: there is no file /nowhere, as yet"),
            ("clientSecret", "auth.clientSecret: there is no file /nowhere, as yet"),
        ],
    )
    async def test_a_secret_for_tokens_that_is_not_there(
        self, field: str, said: str, ways: Ways, message: Any
    ) -> None:
        spec = ways.spec("SASL_SSL", "token" if field == "accessToken" else "credentials")
        spec["auth"][field] = {"file": "/nowhere"}
        assert (await message(spec)).startswith(said)

    @pytest.mark.parametrize(
        ("listener", "way", "field"),
        [
            ("SASL_SSL", "plain", "passwordSecret"),
            ("MUTUAL_TLS", "tls", "certificate"),
            ("MUTUAL_TLS", "tls", "key"),
        ],
    )
    async def test_a_secret_that_is_not_there(
        self, listener: str, way: str, field: str, ways: Ways, message: Any
    ) -> None:
        spec = ways.spec(listener, way)
        spec["auth"][field] = {"secretName": "franz", "key": "k"}
        assert await message(spec) == f'auth.{field}: key "k" of Secret "franz" was not mounted'

    async def test_a_certificate_that_is_none(self, ways: Ways, message: Any) -> None:
        file = ways.keep(WRONG)
        spec = {**ways.spec("TLS"), "tls": {"trustedCertificates": [file]}}
        assert await message(spec) == (
            f"tls.trustedCertificates[0]: the file {file['file']} holds no certificate; "
            "a .p12 or .jks has to be converted to PEM"
        )


async def test_a_way_to_log_in_that_is_not_offered_is_named(
    own_kafka: OwnKafka, keep: Keep, clusters: Clusters
) -> None:
    module = "org.apache.kafka.common.security.plain.PlainLoginModule required user_a=b;"
    properties = {"sasl.enabled.mechanisms": "PLAIN", "plain.sasl.jaas.config": module}
    listener = Listener("SASL_PLAINTEXT", "SASL_PLAINTEXT", properties)
    kafka = await asyncio.to_thread(own_kafka, listeners=[listener])
    address = kafka.address("SASL_PLAINTEXT")
    auth = {"type": "scram-sha-256", "username": "a", "passwordSecret": keep("b")}
    health = await clusters({"bootstrapServers": address, "auth": auth}).check()
    assert health.message == (
        f"cannot connect to Kafka: {address}: it does not offer SCRAM-SHA-256, but PLAIN: "
        "see auth.type"
    )


class TestLog:
    """What aiokafka may say."""

    @pytest.mark.parametrize("way", LOGINS)
    async def test_a_login_is_not_in_it(
        self, way: str, ways: Ways, clusters: Clusters, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG, "aiokafka")
        spec = ways.spec("SASL_SSL", way)
        await clusters(spec).admin()
        assert "(a login)" in caplog.text
        secrets = [ALICE.password]
        if way == "token":
            secrets.append(kept(spec["auth"]["accessToken"]).strip())
        assert not any(secret in caplog.text for secret in secrets)
        assert "eyJ" not in caplog.text, "what a token begins with"

    async def test_it_is_silent_unless_it_is_asked(
        self, clusters: Clusters, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        cluster = clusters({"bootstrapServers": "127.0.0.1:1"})
        producer = AIOKafkaProducer(**cluster.client_settings())
        with pytest.raises(Exception, match="Unable to bootstrap"):
            await producer.start()
        await producer.stop()
        assert caplog.text == ""

    @pytest.mark.parametrize("type_", ["plain", "scram-sha-512"])
    @pytest.mark.parametrize("tls", [None, {}])
    def test_a_password_in_the_clear_is_warned_of(
        self,
        type_: str,
        tls: dict[str, Any] | None,
        keep: Keep,
        clusters: Clusters,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        auth = {"type": type_, "username": "a", "passwordSecret": keep(WRONG)}
        clusters({"bootstrapServers": "a", "tls": tls, "auth": auth})
        warned = "what type plain logs in with travels in the clear without tls" in caplog.text
        assert warned == (type_ == "plain" and tls is None)


class TestRotation:
    """Secrets that change while a gateway runs."""

    async def test_a_password_counts_for_the_next_client(
        self, ways: Ways, clusters: Clusters
    ) -> None:
        spec = ways.spec("SASL_PLAINTEXT", "plain", User(ALICE.name, WRONG))
        cluster = clusters(spec)
        with pytest.raises(NotReady):
            await cluster.admin()
        change(spec["auth"]["passwordSecret"], ALICE.password)
        await cluster.admin()

    async def test_an_authority_counts_for_the_next_connection(
        self, ways: Ways, clusters: Clusters, tmp_path: Path
    ) -> None:
        file = tmp_path / "ca.pem"
        file.write_bytes(ways.kafka.certificates.another_authority.read_bytes())
        cluster = clusters({**ways.spec("TLS"), "tls": ways.trust(file)})
        with pytest.raises(NotReady):
            await cluster.admin()
        file.write_bytes(ways.kafka.certificates.authority.read_bytes())
        await cluster.admin()

    async def test_a_certificate_counts_for_the_next_connection(
        self, ways: Ways, clusters: Clusters, tmp_path: Path
    ) -> None:
        """Of a client that runs, too."""
        certificate, key = tmp_path / "crt.pem", tmp_path / "key.pem"
        certificate.write_bytes(ways.kafka.mallory.chain.read_bytes())
        key.write_bytes(ways.kafka.mallory.key.read_bytes())
        shown = {"certificate": {"file": str(certificate)}, "key": {"file": str(key)}}
        cluster = clusters({**ways.spec("MUTUAL_TLS"), "auth": {"type": "tls", **shown}})
        with pytest.raises(Exception, match="AuthorizationFailed"):
            await make_topic(cluster)
        settings = cluster.client_settings()
        certificate.write_bytes(ways.kafka.alice.chain.read_bytes())
        key.write_bytes(ways.kafka.alice.key.read_bytes())
        async with AIOKafkaProducer(**settings) as producer:
            topic = await make_topic(clusters(ways.spec("PLAINTEXT")))
            await producer.send_and_wait(topic, b"payload")

    async def test_a_token_counts_for_the_next_connection(
        self, ways: Ways, clusters: Clusters
    ) -> None:
        spec = ways.spec("SASL_SSL", "token")
        source = spec["auth"]["accessToken"]
        token = kept(source)
        change(source, "none")
        cluster = clusters(spec)
        settings = cluster.client_settings()
        with pytest.raises(NotReady):
            await cluster.admin()
        change(source, token)
        await cluster.admin()
        async with AIOKafkaProducer(**settings) as producer:
            topic = await make_topic(cluster)
            await producer.send_and_wait(topic, b"payload")
