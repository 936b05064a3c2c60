"""A gateway that declares no capability, and refuses what it does not declare."""

from collections.abc import Mapping

from penstock.plugin import (
    Address,
    AtTime,
    Edge,
    Gateway,
    GatewayKind,
    Group,
    Plugin,
    Retention,
    Start,
    StreamSettings,
    Subscription,
    Unsupported,
)
from penstock_inmemory import InMemoryGateway, InMemoryGatewaySpec


class PlainGateway(InMemoryGateway):
    """Topics of one partition, groups without versions, nothing that could be asked for."""

    async def provision(self, stream: StreamSettings) -> Address:
        if (stream.partitions or 1) > 1:
            raise Unsupported("partitions: there is one, and never more")
        if stream.retention != Retention():
            raise Unsupported("retention: everything is kept")
        return await super().provision(stream)

    async def deprovision(self, stream: StreamSettings) -> None:
        raise Unsupported(f"stream {stream.name} cannot be removed")

    async def subscribe(
        self, topic: str, group: Group, start: Start, member: str = ""
    ) -> Subscription:
        if not isinstance(start, Edge):
            raise Unsupported("a group starts at the earliest or the latest record")
        if group.version:
            raise Unsupported(f"group {group.name} has no versions")
        return await super().subscribe(topic, group, start, member)

    async def locate(self, topic: str, start: Edge | AtTime) -> Mapping[int, int]:
        return await Gateway.locate(self, topic, start)

    async def ack(self, topic: str, group: Group, positions: Mapping[int, int]) -> None:  # noqa: ARG002
        raise Unsupported(f"only members of {group} on {topic} can ack")


def plain_plugin(gateway: type[InMemoryGateway]) -> Plugin:
    """A plugin that declares nothing."""
    kind = GatewayKind("PlainGateway", InMemoryGatewaySpec, frozenset(), "For tests.")
    return Plugin("plain", "tests", "0", kind, gateway, None)
