"""What may stand in a spec, and what is said of the rest."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from penstock.plugin import SecretSource
from penstock_kafka import KafkaGatewaySpec
from penstock_kafka.broker_address import BrokerAddress, parse_broker_addresses
from penstock_kafka.security import CertificateAuth, OAuth, PasswordAuth, Tls

PASSWORD = {"secretName": "franz-login", "key": "password"}
CERTIFICATE = {"certificate": {"file": "crt.pem"}, "key": {"file": "key.pem"}}
CREDENTIALS = {"tokenEndpointUri": "https://a/t", "clientId": "me", "clientSecret": PASSWORD}


def spec(**fields: Any) -> KafkaGatewaySpec:
    return KafkaGatewaySpec.model_validate({"bootstrapServers": "a:9092", **fields})


def problems(**fields: Any) -> dict[str, str]:
    """What is said of a spec, by the field."""
    with pytest.raises(ValidationError) as refusal:
        spec(**fields)
    return {
        ".".join(map(str, error["loc"])): error["msg"].removeprefix("Value error, ")
        for error in refusal.value.errors()
    }


README = (Path(__file__).parents[1] / "README.md").read_text()
EXAMPLES = [
    document
    for block in re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    for document in yaml.safe_load_all(block)
    if document["kind"] == "KafkaGateway"
]


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_of_the_readme_are_read(example: dict[str, Any]) -> None:
    KafkaGatewaySpec.model_validate(example["spec"])


def test_the_readme_has_an_example_of_each_way_to_log_in() -> None:
    types = {example["spec"].get("auth", {}).get("type") for example in EXAMPLES}
    assert types >= {"scram-sha-512", "tls", "oauth"}


class TestBootstrapServers:
    @pytest.mark.parametrize(
        ("text", "addresses"),
        [
            ("kafka:9093", [("kafka", 9093)]),
            ("kafka", [("kafka", 9092)]),
            (" a:1 ,b:2,  c ", [("a", 1), ("b", 2), ("c", 9092)]),
            ("10.0.0.1:1", [("10.0.0.1", 1)]),
            ("[::1]:9093,[2001:db8::1]", [("::1", 9093), ("2001:db8::1", 9092)]),
            ("[fe80::1%eth0]:1", [("fe80::1%eth0", 1)]),
            ("my-cluster-kafka-bootstrap.kafka.svc.cluster.local.:65535", None),
            ("under_score:1", [("under_score", 1)]),
        ],
    )
    def test_a_list_is_read(self, text: str, addresses: list[tuple[str, int]] | None) -> None:
        read = spec(bootstrapServers=text)
        assert read.bootstrap_servers == text
        expected = addresses or [("my-cluster-kafka-bootstrap.kafka.svc.cluster.local.", 65535)]
        assert list(read.addresses) == expected
        assert parse_broker_addresses(",".join(map(str, read.addresses))) == read.addresses

    def test_an_ipv6_address_is_shown_in_brackets(self) -> None:
        assert str(BrokerAddress("::1", 9092)) == "[::1]:9092"
        assert str(BrokerAddress("a", 9092)) == "a:9092"

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("", "is empty, at least one broker is needed: expected host, host:port or"),
            ("  ", "is empty, at least one broker is needed"),
            ("a:1,,b:2", "entry 2 is empty: remove a comma"),
            ("a:1,", "entry 2 is empty: remove a comma"),
            ("a:", '"a:" has no port from 1 to 65535: expected host, host:port or [IPv6'),
            ("a:1,b:0", '"b:0" has no port from 1 to 65535'),
            ("a:65536", '"a:65536" has no port from 1 to 65535'),
            ("a:kafka", '"a:kafka" has no port from 1 to 65535'),
            ("::1", '"::1" has more than one colon: expected host, host:port or [IPv6 address]:po'),
            ("a:1:2", '"a:1:2" has more than one colon'),
            ("[::1", '"[::1" is not the address of a broker'),
            ("[::g]:1", '"[::g]:1" is not the address of a broker'),
            ("[1::2::3]:1", '"[1::2::3]" is not an IPv6 address in brackets'),
            ("SASL_SSL://a:1", '"SASL_SSL://a:1" begins with a protocol: expected host, host'),
            ("a b:1", '"a b:1" is not the address of a broker'),
            ("a/b", '"a/b" is not the address of a broker'),
            ("-a", '"-a" is not the address of a broker'),
        ],
    )
    def test_what_is_no_list_is_refused(self, text: str, said: str) -> None:
        assert problems(bootstrapServers=text)["bootstrapServers"].startswith(said)

    def test_it_is_required_and_a_text(self) -> None:
        with pytest.raises(ValidationError, match="Field required"):
            KafkaGatewaySpec.model_validate({})
        assert problems(bootstrapServers=["a:1"]).keys() == {"bootstrapServers"}


class TestSecurity:
    def test_there_is_none_by_default(self) -> None:
        assert (spec().tls, spec().auth) == (None, None)

    def test_an_empty_tls_is_tls(self) -> None:
        assert spec(tls={}).tls == Tls()

    @pytest.mark.parametrize(
        ("type_", "mechanism"),
        [
            ("plain", "PLAIN"),
            ("scram-sha-256", "SCRAM-SHA-256"),
            ("scram-sha-512", "SCRAM-SHA-512"),
        ],
    )
    def test_a_password(self, type_: str, mechanism: str) -> None:
        auth = spec(auth={"type": type_, "username": "me", "passwordSecret": PASSWORD}).auth
        assert isinstance(auth, PasswordAuth)
        assert (auth.mechanism, auth.username) == (mechanism, "me")
        assert auth.password_secret == SecretSource.model_validate(PASSWORD)

    def test_a_certificate(self) -> None:
        auth = spec(tls={}, auth={"type": "tls", **CERTIFICATE}).auth
        assert isinstance(auth, CertificateAuth)
        assert (auth.certificate.file, auth.key.file) == ("crt.pem", "key.pem")

    @pytest.mark.parametrize("fields", [CREDENTIALS, {"accessToken": {"file": "token"}}])
    def test_a_token(self, fields: dict[str, Any]) -> None:
        auth = spec(auth={"type": "oauth", **fields, "saslExtensions": {"pool": "a-1"}}).auth
        assert isinstance(auth, OAuth)
        assert auth.sasl_extensions == {"pool": "a-1"}

    def test_it_is_read_as_it_is_written(self) -> None:
        for auth in (
            {"type": "plain", "username": "me", "passwordSecret": PASSWORD},
            {"type": "tls", **CERTIFICATE, "keyPasswordSecret": PASSWORD},
            {"type": "oauth", **CREDENTIALS, "scope": "kafka", "audience": "all"},
        ):
            read = spec(tls={"trustedCertificates": [{"file": "ca.pem"}]}, auth=auth)
            assert KafkaGatewaySpec.model_validate(read.model_dump(mode="json")) == read

    @pytest.mark.parametrize(
        ("fields", "said"),
        [
            ({"tls": True}, {"tls": "Input should be a valid dictionary or instance of Tls"}),
            ({"tls": {"ca": "x"}}, {"tls.ca": "Extra inputs are not permitted"}),
            (
                {"tls": {"trustedCertificates": ["-----BEGIN CERTIFICATE-----"]}},
                {
                    "tls.trustedCertificates.0": "a secret value does not belong in a manifest: "
                    "expected {secretName: NAME, key: KEY} or {file: PATH}"
                },
            ),
            (
                {"auth": {"type": "tls", **CERTIFICATE}},
                {"auth": "type tls needs connections with TLS: set tls, if only to {}"},
            ),
            (
                {"auth": {"type": "plain", "username": ""}},
                {
                    "auth.plain.username": "String should have at least 1 character",
                    "auth.plain.passwordSecret": "Field required",
                },
            ),
            (
                {"auth": {"type": "oauth", "clientId": "me"}},
                {
                    "auth.oauth": "tokenEndpointUri and clientSecret missing: expected "
                    "tokenEndpointUri, clientId and clientSecret, or accessToken in their place"
                },
            ),
            (
                {"auth": {"type": "oauth", **CREDENTIALS, "accessToken": PASSWORD}},
                {"auth.oauth": "accessToken and tokenEndpointUri exclude each other"},
            ),
            (
                {"auth": {"type": "oauth", **CREDENTIALS, "tokenEndpointUri": "issuer/token"}},
                {"auth.oauth.tokenEndpointUri": "is not a URI as https://issuer.example.com/token"},
            ),
            (
                {"auth": {"type": "oauth", "accessToken": PASSWORD, "saslExtensions": {"a1": "b"}}},
                {
                    "auth.oauth.saslExtensions": '"a1" is not the name of an extension: expected '
                    "letters"
                },
            ),
            (
                {
                    "auth": {
                        "type": "oauth",
                        "accessToken": PASSWORD,
                        "saslExtensions": {"a": "b\x01"},
                    }
                },
                {"auth.oauth.saslExtensions": "a has no value of printable ASCII characters"},
            ),
        ],
    )
    def test_what_does_not_fit_is_refused(
        self, fields: dict[str, Any], said: dict[str, str]
    ) -> None:
        assert problems(**fields) == said

    def test_the_types_are_listed(self) -> None:
        (message,) = problems(auth={"type": "gssapi"}).values()
        assert all(
            type_ in message
            for type_ in ("plain", "scram-sha-256", "scram-sha-512", "oauth", "tls")
        )

    @pytest.mark.parametrize(
        "auth",
        [
            {"type": "plain", "username": "me", "password": "hunter2"},
            {"type": "plain", "username": "me", "passwordSecret": "hunter2"},
            {"type": "plain", "username": "me", "passwordSecret": {"value": "hunter2"}},
            {"type": "oauth", **CREDENTIALS, "clientSecret": "hunter2"},
            {"type": "oauth", **CREDENTIALS, "tokenEndpointUri": "https://me:hunter2@a/t"},
            {"type": "oauth", **CREDENTIALS, "tokenEndpointUri": "https://me:hunter2@[a/t"},
            {"type": "oauth", "accessToken": "hunter2"},
            {"type": "tls", **CERTIFICATE, "key": "-----BEGIN PRIVATE KEY-----hunter2"},
        ],
    )
    def test_a_secret_in_the_wrong_place_is_refused_and_not_repeated(
        self, auth: dict[str, Any]
    ) -> None:
        with pytest.raises(ValidationError) as refusal:
            spec(tls={}, auth=auth)
        assert "hunter2" not in str(refusal.value)
