"""Brokers that cannot be reached as a spec says: each gateway says why, and nothing else stops."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from tests.command_line import Penstock, Session
from tests.kafka_run.manifests import kafka_gateway, memory, secret, stream, upper, write
from tests.kafka_run.payloads import payloads
from tests.kafka_run.server import serve
from tests.servers.ports import HOST, free_port
from tests.servers.secure_kafka import ALICE, SecureKafka

WRONG_PASSWORD = "nobody-may-see-this"
TLS = {"tls": {"trustedCertificates": [{"secretName": "authority", "key": "ca.crt"}]}}
LOGIN = {
    "auth": {
        "type": "scram-sha-512",
        "username": ALICE.name,
        "passwordSecret": {"secretName": "wrong", "key": "password"},
    }
}


class Broker(NamedTuple):
    """A broker as a spec has it, and what its gateway says.

    Attributes:
        listener: Of the broker that asks who one is; or, with a colon, an address.
        fields: More of the spec.
        said: A pattern of what is wrong.
    """

    listener: str
    fields: dict[str, Any]
    said: str


BROKERS = {
    "unreachable": Broker(f"{HOST}:{free_port()}", {}, "nothing listens there"),
    "unknown-host": Broker(
        "kafka.example.invalid:9092", {}, r"the host's name cannot be resolved \(.*\)"
    ),
    "plain-to-tls": Broker("TLS", {}, r"it speaks TLS: set tls, if only to \{\}"),
    "tls-to-plain": Broker(
        "PLAINTEXT", TLS, "it does not speak TLS: leave out tls, or use another port"
    ),
    "no-login": Broker("SASL_PLAINTEXT", {}, r"it asks for a login \(.*, SCRAM-.*\): set auth"),
    "needless-login": Broker(
        "TLS", TLS | LOGIN, "it asks for no login: leave out auth, or use another port"
    ),
    "wrong-password": Broker(
        "SASL_SSL",
        TLS | LOGIN,
        r'the login as "alice" by SCRAM-SHA-512 failed \(.*\): see auth.username and '
        "auth.passwordSecret",
    ),
    "expired": Broker("EXPIRED", TLS, "its certificate, or that of its authority, has expired"),
    "another-host": Broker("WRONG_HOST", TLS, "its certificate is for another host: .*"),
    "not-trusted": Broker(
        "TLS",
        {"tls": {}},
        "nobody who is trusted vouches for its certificate: put its authority into "
        "tls.trustedCertificates",
    ),
    "no-certificate": Broker(
        "MUTUAL_TLS", TLS, "it wants a certificate of the client: set auth, of type tls"
    ),
}


class Run(NamedTuple):
    """A run with all of these gateways, and one in memory."""

    penstock: Penstock
    session: Session
    addresses: dict[str, str]


@pytest.fixture(scope="module")
def run(secure_kafka: SecureKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    folder = tmp_path_factory.mktemp("bad-brokers")
    addresses = {
        name: broker.listener if ":" in broker.listener else secure_kafka.address(broker.listener)
        for name, broker in BROKERS.items()
    }
    resources = [
        memory(),
        stream("words", "memory"),
        stream("shouts", "memory"),
        upper("loud", "words", "shouts"),
        secret("authority", ca_crt=secure_kafka.certificates.authority.read_text()),
        secret("wrong", password=WRONG_PASSWORD),
        *(
            one
            for name, broker in BROKERS.items()
            for one in (
                kafka_gateway(name, addresses[name], **broker.fields),
                stream(f"words-of-{name}", name),
                stream(f"shouts-of-{name}", name),
            )
        ),
    ]
    penstock = Penstock(folder / "state")
    with penstock.start("run", str(write(folder, *resources))) as session:
        yield Run(penstock, session, addresses)
        assert session.interrupt() == 0
    printed = "\n".join(session.lines)
    assert WRONG_PASSWORD not in printed
    assert "Traceback" not in printed
    assert "aiokafka" not in printed


@pytest.mark.parametrize("name", BROKERS)
def test_a_gateway_says_in_one_line_what_is_wrong_with_its_broker(run: Run, name: str) -> None:
    broker, address = BROKERS[name], run.addresses[name]
    said = f"cannot connect to Kafka: {address}: {broker.said}; trying again"
    run.session.shows(rf'^penstock +\| KafkaGateway "{name}" is not ready: {said}$')
    assert len([line for line in run.session.lines if f'"{name}" is not ready' in line]) == 1
    assert not [line for line in run.session.lines if f'Stream "words-of-{name}"' in line]
    # That of two streams one is not there yet is no reason to send somebody to the other.
    said = run.penstock("publish", f"words-of-{name}", "--payload", "one", code=1).stderr
    assert f'is not ready, and has no stream "words-of-{name}" as yet' in said


def test_what_does_not_need_the_broker_goes_on(run: Run) -> None:
    run.session.shows('sidecar of "loud" is ready')
    run.penstock("publish", "words", "--payload", "one")
    assert payloads(run.penstock, "shouts", 1) == ["ONE"]


def test_publishers_and_subscribers_of_a_server_are_told_too(penstock: Penstock) -> None:
    address = BROKERS["unreachable"].listener
    with serve(penstock, address) as server:
        reason = f"cannot connect to Kafka: {address}: nothing listens there"
        to = ("--gateway", server.address, "words")
        for command in (
            ("publish", *to, "--payload", "one", "--content-type", "text/plain"),
            ("subscribe", *to),
        ):
            said = penstock(*command, code=1).stderr
            assert said == f"Error: gateway {server.address} is not available: {reason}\n"
        assert server.provision("words") == (503, reason)
        server.session.shows(f"the gateway is not ready: {reason}")


def test_of_several_brokers_one_is_enough(penstock: Penstock, secure_kafka: SecureKafka) -> None:
    addresses = f"{HOST}:{free_port()},{secure_kafka.address('PLAINTEXT')}"
    with serve(penstock, addresses) as server:
        assert server.provision("words-of-half")[0] == 201
