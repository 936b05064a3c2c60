"""A broker that asks who one is: Secrets in manifests and in folders."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.command_line import Penstock
from tests.kafka_run.manifests import (
    Resource,
    kafka_gateway,
    memory,
    secret,
    stream,
    upper,
    write,
)
from tests.kafka_run.payloads import payloads
from tests.servers.secure_kafka import ALICE, MALLORY, SecureKafka

TLS = {"trustedCertificates": [{"secretName": "authority", "key": "ca.crt"}]}
PASSWORD = {
    "type": "scram-sha-512",
    "username": ALICE.name,
    "passwordSecret": {"secretName": "alice", "key": "password"},
}
CERTIFICATE = {
    "type": "tls",
    "certificate": {"secretName": "alice", "key": "user.crt"},
    "key": {"secretName": "alice", "key": "user.key"},
}


class Login(NamedTuple):
    """A way to log in: where, how, and the values that the Secret `alice` has."""

    listener: str
    auth: Mapping[str, Any]
    values: Mapping[str, str]


@pytest.fixture(params=["password", "certificate"])
def login(request: pytest.FixtureRequest, secure_kafka: SecureKafka) -> Login:
    if request.param == "password":
        return Login("SASL_SSL", PASSWORD, {"password": ALICE.password})
    certificate = secure_kafka.alice.chain.read_text()
    key = secure_kafka.alice.key.read_text()
    return Login("MUTUAL_TLS", CERTIFICATE, {"user_crt": certificate, "user_key": key})


def authority(secure_kafka: SecureKafka) -> Resource:
    return secret("authority", ca_crt=secure_kafka.certificates.authority.read_text())


def test_a_run_logs_in_by_secrets_of_its_manifests_and_so_do_its_sidecars(
    penstock: Penstock, secure_kafka: SecureKafka, login: Login, prefix: str, tmp_path: Path
) -> None:
    manifest = write(
        tmp_path / "app",
        authority(secure_kafka),
        secret("alice", **login.values),
        kafka_gateway(
            "franz",
            secure_kafka.address(login.listener),
            topicPrefix=prefix,
            tls=TLS,
            auth=login.auth,
        ),
        stream("words", "franz"),
        stream("shouts", "franz"),
        upper("loud", "words", "shouts"),
    )
    with penstock.run(manifest) as session:
        penstock("publish", "words", "--payload", "one")
        assert payloads(penstock, "shouts", 1) == ["ONE"]
        work = penstock.state / "run"
        # The sidecar reaches the broker by itself: its binding has the way, and no secret.
        (binding,) = work.rglob("input_000/secret/connection")
        assert secure_kafka.address(login.listener) in binding.read_text()
        telling = set(login.values.values())
        told = [
            one.relative_to(work / "secrets").parts
            for one in work.rglob("*")
            if one.is_file() and any(value in one.read_text() for value in telling)
        ]
        keys = {key.replace("_", ".") for key in login.values}
        assert set(told) == {("default", "alice", key) for key in keys}
        assert session.interrupt() == 0
    assert not [line for line in session.lines if any(value in line for value in telling)]


def test_who_has_no_rights_is_told_which_and_others_go_on(
    penstock: Penstock, secure_kafka: SecureKafka, prefix: str, tmp_path: Path
) -> None:
    auth = {**PASSWORD, "username": MALLORY.name}
    manifest = write(
        tmp_path / "app",
        authority(secure_kafka),
        secret("alice", password=MALLORY.password),
        kafka_gateway(
            "franz",
            secure_kafka.address("SASL_SSL"),
            topicPrefix=prefix,
            tls=TLS,
            auth=auth,
        ),
        stream("words", "franz"),
        memory(),
        stream("elsewhere", "memory"),
    )
    with penstock.start("run", str(manifest)) as session:
        session.shows(
            'Stream "words" is not ready: .*topic.*the cluster does not allow it: give the '
            "principal that auth logs in as the right to the topic: .*Create"
        )
        penstock("publish", "elsewhere", "--payload", "one")
        assert payloads(penstock, "elsewhere", 1) == ["one"]
        assert session.interrupt() == 0


def test_a_server_logs_in_by_secrets_that_are_mounted(
    penstock: Penstock, secure_kafka: SecureKafka, tmp_path: Path
) -> None:
    mount = tmp_path / "mount"
    for file, value in {
        "authority/ca.crt": secure_kafka.certificates.authority.read_text(),
        "alice/password": ALICE.password,
    }.items():
        (mount / file).parent.mkdir(parents=True)
        (mount / file).write_text(value)
    serving = (
        *("gateway", "serve", "kafka", "--port", "0", "--secrets", str(mount)),
        *("--set", f"bootstrapServers={secure_kafka.address('SASL_SSL')}"),
        *("--set", "tls.trustedCertificates=[{secretName: authority, key: ca.crt}]"),
        *("--set", "auth.type=scram-sha-256", "--set", f"auth.username={ALICE.name}"),
        *("--set", "auth.passwordSecret={secretName: alice, key: password}"),
    )
    with penstock.start(*serving) as session:
        (address,) = session.shows(r"^KafkaGateway serves (\S+);")
        options = ("--gateway", address, "--topic", tmp_path.name)
        penstock("publish", *options, "--payload", "one", "--content-type", "text/plain")
        printed = penstock("subscribe", *options, "--from-beginning", "--count", "1").stdout
        assert printed == '{"payload":"one","contentType":"text/plain","headers":{}}\n'
        assert session.interrupt() == 0
    assert not [line for line in session.lines if ALICE.password in line]
