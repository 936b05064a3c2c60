"""What may stand in the `spec` of a KafkaGateway. All but the bootstrap servers is optional."""

from pydantic import ConfigDict, Field, ValidationInfo, field_validator
from pydantic.config import JsonDict

from penstock_kafka.broker_address import BrokerAddress, BrokerAddresses, parse_broker_addresses
from penstock_kafka.compression import Compression
from penstock_kafka.model import Model
from penstock_kafka.security import Auth, CertificateAuth, Tls
from penstock_kafka.topic_fields import (
    ExistingTopics,
    PartitionCount,
    ReplicationFactor,
    TopicPrefix,
    TopicSettings,
)

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
    topic_prefix: TopicPrefix = Field(
        default="",
        description="What topics' names begin with, so that clusters can share one Kafka; "
        "ends in a dot or an underscore.",
    )
    partitions: PartitionCount | None = Field(
        default=None,
        description="Partitions of a new topic whose stream does not say; else the broker's.",
    )
    replication_factor: ReplicationFactor | None = Field(
        default=None,
        description="Brokers that keep each record of a new topic; else the broker's default.",
    )
    config: TopicSettings = Field(
        default_factory=dict,
        description="Settings of topics by Kafka's names; a stream's own win.",
    )
    existing_topics: ExistingTopics = Field(
        default=ExistingTopics.REFUSE,
        description="Of a topic that no gateway made: Refuse the stream, Adopt it as it is, or "
        "Own it, to be changed and deleted like others.",
    )

    compression: Compression = Field(
        default=Compression.NONE, description="How the gateway compresses what it publishes."
    )

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
