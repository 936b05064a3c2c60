"""A Kafka that asks its clients who they are, in each of the ways that there are."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from tests.servers.certificates import Certificate, Certificates
from tests.servers.installation import Installation
from tests.servers.kafka import QUICK_START, KafkaServer
from tests.servers.kafka_properties import Listener
from tests.servers.tokens import AUDIENCE, TokenServer

SCRAM = ("SCRAM-SHA-256", "SCRAM-SHA-512")
MECHANISMS = ("PLAIN", *SCRAM, "OAUTHBEARER")
"""What the listeners SASL_PLAINTEXT and SASL_SSL accept."""

MODULES = "org.apache.kafka.common.security"


class User(NamedTuple):
    """Who connects. For OAUTHBEARER it is the id and the secret of a client."""

    name: str
    password: str


ALICE = User("alice", "alice-says-open")
"""May do everything."""
MALLORY = User("mallory", "mallory-says-please")
"""Is who they say, and may do nothing."""


@dataclass(frozen=True)
class SecureKafka:
    """The broker and what clients need.

    Its listeners, as of `address`:

    - `PLAINTEXT`: no questions, all rights. For what a test prepares.
    - `SASL_PLAINTEXT`, `SASL_SSL`: `MECHANISMS`, without and with TLS.
    - `TLS`: TLS alone.
    - `MUTUAL_TLS`: the client shows a certificate, whose common name is the user.
    - `WRONG_HOST`, `EXPIRED`: TLS with a server's certificate that no client may accept.

    Attributes:
        server: The broker.
        certificates: What the servers have, and what clients trust.
        tokens: For OAUTHBEARER.
        alice: The client's certificate of `ALICE`.
        mallory: The client's certificate of `MALLORY`.
    """

    server: KafkaServer
    certificates: Certificates
    tokens: TokenServer
    alice: Certificate
    mallory: Certificate

    def address(self, listener: str) -> str:
        """Where a listener is, `host:port`."""
        return self.server.address(listener)


@contextmanager
def secure_kafka_server(installation: Installation) -> Iterator[SecureKafka]:
    """Start the broker and the token endpoint beside it, and make the certificates.

    Raises:
        ServerFailed: The broker did not start.
    """
    with (
        TemporaryDirectory(prefix="penstock-certificates-") as folder,
        TokenServer(dict([ALICE, MALLORY])) as tokens,
    ):
        certificates = Certificates(Path(folder))
        server = KafkaServer(
            {
                "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                "super.users": f"User:ANONYMOUS;User:{ALICE.name}",
                "ssl.principal.mapping.rules": "RULE:^.*CN=([^,]*).*$/$1/",
            },
            listeners=listeners(certificates, tokens),
            format_arguments=[
                argument
                for user in (ALICE, MALLORY)
                for mechanism in SCRAM
                for argument in (
                    "--add-scram",
                    f"{mechanism}=[name={user.name},password={user.password}]",
                )
            ],
            java_options=(
                *QUICK_START,
                f"-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls={tokens.keys_url}",
            ),
            installation=installation,
        )
        with server:
            yield SecureKafka(
                server,
                certificates,
                tokens,
                certificates.client(ALICE.name),
                certificates.client(MALLORY.name),
            )


def listeners(certificates: Certificates, tokens: TokenServer) -> list[Listener]:
    """The listeners beside PLAINTEXT."""
    sasl_settings = sasl(tokens)
    shown = tls(certificates.server)
    mutual = {
        **shown,
        "ssl.client.auth": "required",
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(certificates.authority),
    }
    return [
        Listener("SASL_PLAINTEXT", "SASL_PLAINTEXT", sasl_settings),
        Listener("SASL_SSL", "SASL_SSL", {**sasl_settings, **shown}),
        Listener("TLS", "SSL", shown),
        Listener("MUTUAL_TLS", "SSL", mutual),
        Listener("WRONG_HOST", "SSL", tls(certificates.wrong_host)),
        Listener("EXPIRED", "SSL", tls(certificates.expired)),
    ]


def tls(certificate: Certificate) -> Mapping[str, str]:
    """Settings of a listener that shows this certificate."""
    return {"ssl.keystore.type": "PEM", "ssl.keystore.location": str(certificate.both)}


def sasl(tokens: TokenServer) -> Mapping[str, str]:
    """Settings of a listener with all mechanisms."""
    users = " ".join(f'user_{name}="{password}"' for name, password in (ALICE, MALLORY))
    scram = f"{MODULES}.scram.ScramLoginModule required;"
    bearer = f"{MODULES}.oauthbearer"
    return {
        "sasl.enabled.mechanisms": ",".join(MECHANISMS),
        "plain.sasl.jaas.config": f"{MODULES}.plain.PlainLoginModule required {users};",
        **{f"{mechanism.lower()}.sasl.jaas.config": scram for mechanism in SCRAM},
        "oauthbearer.sasl.jaas.config": f"{bearer}.OAuthBearerLoginModule required;",
        "oauthbearer.sasl.server.callback.handler.class": (
            f"{bearer}.OAuthBearerValidatorCallbackHandler"
        ),
        # Not the default validator, which checks no signatures.
        "sasl.oauthbearer.jwt.validator.class": f"{bearer}.BrokerJwtValidator",
        "sasl.oauthbearer.jwks.endpoint.url": tokens.keys_url,
        "sasl.oauthbearer.expected.issuer": tokens.issuer,
        "sasl.oauthbearer.expected.audience": AUDIENCE,
    }
