"""Ways to log in: the field `auth` of the spec, one model for each."""

import re
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, ConfigDict, Discriminator, Field, model_validator
from pydantic.config import JsonDict

from penstock.plugin import SecretSource
from penstock_kafka.model import Model
from penstock_kafka.security.tls import MAX_CERTIFICATES

_CREDENTIALS = ("tokenEndpointUri", "clientId", "clientSecret")
_GIVEN = [
    *(f"(has(self.{field}) && self.{field} != '')" for field in _CREDENTIALS[:2]),
    "has(self.clientSecret)",
]
_ONE_SOURCE: JsonDict = {
    "rule": f"has(self.accessToken) ? !({' || '.join(_GIVEN)}) : {' && '.join(_GIVEN)}",
    "message": "either tokenEndpointUri, clientId and clientSecret are needed, or accessToken",
}


def _check_endpoint(text: str) -> str:
    # It is not repeated: some put the client's secret into it.
    try:
        uri = urlsplit(text)
        valid = uri.scheme in ("http", "https") and bool(uri.hostname) and uri.port != 0
    except ValueError:
        valid = False
    if text and (not valid or uri.fragment):
        raise ValueError("is not a URI as https://issuer.example.com/token")
    if text and "@" in uri.netloc:
        raise ValueError("has credentials in it: they belong in clientId and clientSecret")
    return text


def _check_extensions(extensions: dict[str, str]) -> dict[str, str]:
    # Anything else would end the field in what is sent.
    for name, value in extensions.items():
        if not re.fullmatch("[A-Za-z]+", name) or name == "auth":
            raise ValueError(f'"{name}" is not the name of an extension: expected letters')
        if not re.fullmatch("[ -~]+", value):
            raise ValueError(f"{name} has no value of printable ASCII characters")
    return extensions


class PasswordAuth(Model):
    """A user name and a password (SASL)."""

    type: Literal["plain", "scram-sha-256", "scram-sha-512"] = Field(
        description="How the gateway logs in."
    )
    username: str = Field(min_length=1, description="plain, scram: the user's name.")
    password_secret: SecretSource = Field(description="plain, scram: the user's password.")

    @property
    def mechanism(self) -> str:
        """The name by which Kafka knows the type."""
        return self.type.upper()


class CertificateAuth(Model):
    """A certificate of the client (mutual TLS)."""

    type: Literal["tls"] = Field(description="How the gateway logs in.")
    certificate: SecretSource = Field(
        description="tls: the client's certificate, as PEM, and what leads to its authority."
    )
    key: SecretSource = Field(description="tls: the private key of the certificate, as PEM.")
    key_password_secret: SecretSource | None = Field(
        default=None, description="tls: the password of the private key, where it has one."
    )


class OAuth(Model):
    """An access token (SASL OAUTHBEARER): fetched with credentials, or there in a file."""

    model_config = ConfigDict(json_schema_extra={"x-kubernetes-validations": [_ONE_SOURCE]})

    type: Literal["oauth"] = Field(description="How the gateway logs in.")
    access_token: SecretSource | None = Field(
        default=None, description="oauth: the token, where something else renews it."
    )
    token_endpoint_uri: Annotated[str, AfterValidator(_check_endpoint)] = Field(
        default="",
        json_schema_extra={"pattern": r"^https?://[^@]+$"},
        description="oauth: where a token is had for the client's credentials.",
    )
    client_id: str = Field(default="", description="oauth: the client's id at the token endpoint.")
    client_secret: SecretSource | None = Field(
        default=None, description="oauth: the client's secret at the token endpoint."
    )
    scope: str = Field(default="", description="oauth: the scope to ask for, if any.")
    audience: str = Field(default="", description="oauth: the audience to ask for, if any.")
    tls_trusted_certificates: tuple[SecretSource, ...] = Field(
        default=(),
        max_length=MAX_CERTIFICATES,
        description="oauth: certificates, as PEM, of the authorities that may vouch for the token "
        "endpoint; those that the system trusts, when there are none here.",
    )
    sasl_extensions: Annotated[dict[str, str], AfterValidator(_check_extensions)] = Field(
        default_factory=dict, description="oauth: what a service wants to be told beside the token."
    )

    @model_validator(mode="after")
    def _has_one_source(self) -> Self:
        values = (self.token_endpoint_uri, self.client_id, self.client_secret)
        given = [name for name, value in zip(_CREDENTIALS, values, strict=True) if value]
        missing = [name for name in _CREDENTIALS if name not in given]
        if self.access_token is None and missing:
            raise ValueError(
                f"{' and '.join(missing)} missing: expected {', '.join(_CREDENTIALS[:2])} and "
                f"{_CREDENTIALS[2]}, or accessToken in their place"
            )
        if self.access_token is not None and given:
            raise ValueError(f"accessToken and {given[0]} exclude each other")
        return self


Auth = Annotated[PasswordAuth | CertificateAuth | OAuth, Discriminator("type")]
"""One of the ways to log in."""
