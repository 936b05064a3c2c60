"""What may stand in the `spec` of a KafkaGateway. All but the bootstrap servers is optional."""

from pydantic import ConfigDict, Field, ValidationInfo, field_validator
from pydantic.config import JsonDict

from penstock_kafka.broker_address import BrokerAddress, BrokerAddresses, parse_broker_addresses
from penstock_kafka.model import Model
from penstock_kafka.security import Auth, CertificateAuth, Tls

_TLS_FOR_CERTIFICATES: JsonDict = {
    "rule": "!has(self.auth) || self.auth.type != 'tls' || has(self.tls)",
    "message": "auth of type tls needs tls, if only {}",
}


class KafkaGatewaySpec(Model):
    """The settings of a KafkaGateway."""

    model_config = ConfigDict(
        json_schema_extra={"x-kubernetes-validations": [_TLS_FOR_CERTIFICATES]}
    )

    bootstrap_servers: BrokerAddresses = Field(
        description="Brokers to begin with, host:port, separated by commas."
    )
    tls: Tls | None = Field(
        default=None, description="Encrypt connections; {} trusts the system's authorities."
    )
    auth: Auth | None = Field(default=None, description="How the gateway logs in.")

    @field_validator("auth")
    @classmethod
    def _has_tls_for_certificates(cls, auth: Auth | None, info: ValidationInfo) -> Auth | None:
        if isinstance(auth, CertificateAuth) and info.data.get("tls", auth) is None:
            raise ValueError("type tls needs connections with TLS: set tls, if only to {}")
        return auth

    @property
    def addresses(self) -> tuple[BrokerAddress, ...]:
        """The bootstrap servers."""
        return parse_broker_addresses(self.bootstrap_servers)
