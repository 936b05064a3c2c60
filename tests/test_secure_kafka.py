"""The broker of the tests knows who is who, on each of its listeners."""

import asyncio
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiokafka.abc import AbstractTokenProvider
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    TopicAuthorizationFailedError,
    for_code,
)

from tests.servers.certificates import Certificate
from tests.servers.secure_kafka import ALICE, MALLORY, MECHANISMS, SecureKafka, User
from tests.servers.tokens import TokenServer

PATIENCE = 30.0
SASL_LISTENERS = ["SASL_PLAINTEXT", "SASL_SSL"]


class Token(AbstractTokenProvider):  # type: ignore[misc]  # aiokafka has no types
    """The token that a client sends."""

    def __init__(self, text: str) -> None:
        self._text = text

    async def token(self) -> str:
        return self._text


def trusting(kafka: SecureKafka, client: Certificate | None = None) -> ssl.SSLContext:
    """What a client trusts, and the certificate that it shows."""
    context = ssl.create_default_context(cafile=str(kafka.certificates.authority))
    if client is not None:
        context.load_cert_chain(client.chain, client.key)
    return context


def credentials(kafka: SecureKafka, mechanism: str, user: User) -> dict[str, object]:
    """How a user says who they are; a wrong password gives a token that has expired."""
    if mechanism == "OAUTHBEARER":
        known = user in (ALICE, MALLORY)
        token = kafka.tokens.token(user.name, None if known else -3600)
        return {"sasl_mechanism": mechanism, "sasl_oauth_token_provider": Token(token)}
    return {
        "sasl_mechanism": mechanism,
        "sasl_plain_username": user.name,
        "sasl_plain_password": user.password,
    }


@asynccontextmanager
async def connected(
    kafka: SecureKafka, listener: str, protocol: str, **settings: object
) -> AsyncIterator[AIOKafkaAdminClient]:
    """A client that has got metadata.

    Raises:
        KafkaConnectionError: It has not, because it was refused.
    """
    client = AIOKafkaAdminClient(
        bootstrap_servers=kafka.address(listener), security_protocol=protocol, **settings
    )
    async with asyncio.timeout(PATIENCE):
        try:
            await client.start()
            # A refused token is not an error to aiokafka; it then gets no metadata.
            if not client._client.cluster.brokers():
                raise KafkaConnectionError("the broker has refused the client")
            yield client
        finally:
            await client.close()


async def make_topic(client: AIOKafkaAdminClient) -> None:
    """Make a topic, as only who has the right to may.

    Raises:
        KafkaError: The broker's refusal.
    """
    name = f"topic-{time.monotonic_ns()}"
    reply = await client.create_topics([NewTopic(name, num_partitions=1, replication_factor=1)])
    [(_, code, *_)] = reply.topic_errors
    if code:
        refusal: KafkaError = for_code(code)()
        raise refusal


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("listener", SASL_LISTENERS)
async def test_sasl_knows_who_may_what(
    secure_kafka: SecureKafka, listener: str, mechanism: str
) -> None:
    trust = trusting(secure_kafka)
    for user in (ALICE, MALLORY):
        known = credentials(secure_kafka, mechanism, user)
        async with connected(
            secure_kafka, listener, listener, ssl_context=trust, **known
        ) as client:
            if user is ALICE:
                await make_topic(client)
            else:
                with pytest.raises(TopicAuthorizationFailedError):
                    await make_topic(client)


@pytest.mark.parametrize("mechanism", MECHANISMS)
@pytest.mark.parametrize("listener", SASL_LISTENERS)
async def test_sasl_refuses_a_wrong_password(
    secure_kafka: SecureKafka, listener: str, mechanism: str
) -> None:
    wrong = credentials(secure_kafka, mechanism, User(ALICE.name, MALLORY.password))
    with pytest.raises(KafkaConnectionError):
        async with connected(
            secure_kafka, listener, listener, ssl_context=trusting(secure_kafka), **wrong
        ):
            pass


async def test_a_token_of_another_issuer_is_refused(secure_kafka: SecureKafka) -> None:
    with TokenServer({}) as another:
        forged = Token(another.token(ALICE.name))
    with pytest.raises(KafkaConnectionError):
        async with connected(
            secure_kafka,
            "SASL_PLAINTEXT",
            "SASL_PLAINTEXT",
            sasl_mechanism="OAUTHBEARER",
            sasl_oauth_token_provider=forged,
        ):
            pass


async def test_mutual_tls_knows_who_may_what(secure_kafka: SecureKafka) -> None:
    trust = trusting(secure_kafka, secure_kafka.alice)
    async with connected(secure_kafka, "MUTUAL_TLS", "SSL", ssl_context=trust) as client:
        await make_topic(client)
    trust = trusting(secure_kafka, secure_kafka.mallory)
    async with connected(secure_kafka, "MUTUAL_TLS", "SSL", ssl_context=trust) as client:
        with pytest.raises(TopicAuthorizationFailedError):
            await make_topic(client)


async def test_mutual_tls_refuses_who_shows_no_certificate(secure_kafka: SecureKafka) -> None:
    with pytest.raises(KafkaConnectionError):
        async with connected(secure_kafka, "MUTUAL_TLS", "SSL", ssl_context=trusting(secure_kafka)):
            pass


async def test_tls_alone_gives_all_rights(secure_kafka: SecureKafka) -> None:
    trust = trusting(secure_kafka)
    async with connected(secure_kafka, "TLS", "SSL", ssl_context=trust) as client:
        await make_topic(client)


@pytest.mark.parametrize(
    ("listener", "fault"),
    [("WRONG_HOST", "IP address mismatch"), ("EXPIRED", "certificate has expired")],
)
async def test_a_clients_check_finds_the_fault_of_the_certificate(
    secure_kafka: SecureKafka, listener: str, fault: str
) -> None:
    host, port = secure_kafka.address(listener).split(":")
    with pytest.raises(ssl.SSLCertVerificationError, match=fault):
        await asyncio.open_connection(host, int(port), ssl=trusting(secure_kafka))


async def test_another_authority_knows_none_of_the_certificates(secure_kafka: SecureKafka) -> None:
    host, port = secure_kafka.address("TLS").split(":")
    other = ssl.create_default_context(cafile=str(secure_kafka.certificates.another_authority))
    with pytest.raises(ssl.SSLCertVerificationError, match="unable to get local issuer"):
        await asyncio.open_connection(host, int(port), ssl=other)


def ask(tokens: TokenServer, **form: str) -> bytes:
    """What the token endpoint answers to a form."""
    body = urllib.parse.urlencode(form).encode()
    with urllib.request.urlopen(tokens.token_url, body, timeout=PATIENCE) as reply:
        content: bytes = reply.read()
        return content


def test_the_token_endpoint_gives_tokens_for_the_right_secret_alone() -> None:
    with TokenServer(dict([ALICE])) as tokens:
        right = {"grant_type": "client_credentials", "client_id": ALICE.name}
        assert b'"token_type": "Bearer"' in ask(tokens, **right, client_secret=ALICE.password)
        assert tokens.issued == 1
        with pytest.raises(urllib.error.HTTPError, match="401"):
            ask(tokens, **right, client_secret="wrong")
        assert tokens.issued == 1
