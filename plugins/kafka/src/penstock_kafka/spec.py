"""What may stand in the `spec` of a KafkaGateway. All but the bootstrap servers is optional."""

from pydantic import BaseModel, ConfigDict, Field


class KafkaGatewaySpec(BaseModel):
    """The settings of a KafkaGateway."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bootstrap_servers: str = Field(
        alias="bootstrapServers",
        description="Brokers to begin with, host:port, separated by commas.",
    )
