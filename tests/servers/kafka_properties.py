"""What a broker of the tests is told: few files, little memory, a quick start."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.servers.ports import HOST

DEFAULTS: Mapping[str, str] = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    # One node has one replica of everything.
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    # Few files and little memory, so that a start is quick.
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.num.partitions": "4",
    "share.coordinator.state.topic.num.partitions": "4",
    "log.cleaner.dedupe.buffer.size": "4194304",
    # The first member of a group need not wait for others.
    "group.initial.rebalance.delay.ms": "0",
    # After a crash, the controller takes the broker back when the session it knows of has ended.
    "broker.session.timeout.ms": "3000",
    "broker.heartbeat.interval.ms": "300",
    # Retention is looked at from the start; how often, is `log.retention.check.interval.ms`.
    "log.initial.task.delay.ms": "0",
}


@dataclass(frozen=True)
class Listener:
    """One more address on which the broker accepts clients.

    Attributes:
        name: Its name, in capitals.
        protocol: `PLAINTEXT`, `SSL`, `SASL_PLAINTEXT` or `SASL_SSL`.
        properties: Its settings, without the prefix `listener.name.<name>.`.
        advertised_port: Where clients are told to connect, when that is not the listener's own
            port: that of a proxy.
    """

    name: str
    protocol: str = "PLAINTEXT"
    properties: Mapping[str, str] = field(default_factory=dict)
    advertised_port: int | None = None


def broker_properties(
    listeners: Sequence[Listener], ports: Mapping[str, int], controller_port: int, data: Path
) -> dict[str, str]:
    """The properties of one node with these listeners.

    Args:
        listeners: All of them, but the controller's.
        ports: The port of each listener, by its name.
        controller_port: That of the controller's.
        data: The folder of the broker's data.
    """
    controller = f"{HOST}:{controller_port}"
    listening = [f"CONTROLLER://{controller}"]
    advertised = []
    protocols = ["CONTROLLER:PLAINTEXT"]
    named: dict[str, str] = {}
    for listener in listeners:
        port = ports[listener.name]
        listening.append(f"{listener.name}://{HOST}:{port}")
        advertised.append(f"{listener.name}://{HOST}:{listener.advertised_port or port}")
        protocols.append(f"{listener.name}:{listener.protocol}")
        prefix = f"listener.name.{listener.name.lower()}."
        named |= {prefix + name: value for name, value in listener.properties.items()}
    return {
        **DEFAULTS,
        **named,
        "controller.quorum.voters": f"1@{controller}",
        "listeners": ",".join(listening),
        "advertised.listeners": ",".join(advertised),
        "listener.security.protocol.map": ",".join(protocols),
        "log.dirs": str(data),
    }
