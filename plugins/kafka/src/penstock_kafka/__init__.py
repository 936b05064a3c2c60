"""KafkaGateway: streams on Apache Kafka.

What makes this package a plugin is here: an entry point of the group `penstock.gateways` names
this module (see `pyproject.toml`), and the module implements the three hooks. Kafka is reached
from any process, so a sidecar that has this package installed talks to the brokers by itself.
"""

from penstock.plugin import Capability, GatewayFactory, GatewayKind, PubSubFactory, hookimpl
from penstock_kafka.gateway import KafkaGateway, KafkaPubSub
from penstock_kafka.spec import KafkaGatewaySpec

__all__ = ["KafkaGateway", "KafkaGatewaySpec", "KafkaPubSub"]

KIND = GatewayKind(
    name="KafkaGateway",
    spec=KafkaGatewaySpec,
    capabilities=frozenset(Capability),
    summary="Keeps streams as topics of an Apache Kafka cluster.",
)


@hookimpl
def penstock_gateway_kind() -> GatewayKind:
    """Describe the kind: its name, its spec, what it promises."""
    return KIND


@hookimpl
def penstock_gateway_factory() -> GatewayFactory:
    """Hand over what makes a gateway of a spec."""
    return KafkaGateway


@hookimpl
def penstock_pubsub_factory() -> PubSubFactory:
    """Hand over what reaches the brokers from a sidecar's process."""
    return KafkaPubSub
