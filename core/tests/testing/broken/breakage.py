"""How a broken gateway is written down, with the cases that are meant to catch it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from penstock.plugin import (
    READ_BYTES,
    Capability,
    Gateway,
    GatewayKind,
    Group,
    Plugin,
    Record,
    Start,
    Subscription,
    SubscriptionEvent,
)
from penstock.testing.way import Way
from penstock_inmemory import InMemoryGateway, InMemoryGatewaySpec

MEMORY = frozenset(Capability) - {Capability.DURABLE}

BrokenT = TypeVar("BrokenT", bound="type[InMemoryGateway] | type[Wrapped]")


@dataclass(frozen=True)
class Breakage:
    """A gateway that does one thing wrong.

    Attributes:
        name: What it does.
        cases: The names of those that catch it.
        way: The one in which they are run.
        options: Of its `Backend`, the plugin among them.
    """

    name: str
    cases: tuple[str, ...]
    way: Way
    options: Mapping[str, Any] = field(repr=False)

    @property
    def suite(self) -> str:
        """The name of its class in `suites.py`."""
        return f"Test{self.name}{self.way.capitalize()}"


BREAKAGES: list[Breakage] = []


class Wrapped(Subscription):
    """A subscription that passes everything on: what is broken derives from it.

    Attributes:
        gateway, topic, group: Whose it is.
        inner: The subscription of a good gateway.
    """

    def __init__(self, gateway: Gateway, topic: str, group: Group, inner: Subscription) -> None:
        self.gateway = gateway
        self.topic = topic
        self.group = group
        self.inner = inner

    async def next_event(self) -> SubscriptionEvent:
        return await self.inner.next_event()

    async def read(
        self, partition: int, max_records: int, max_bytes: int = READ_BYTES
    ) -> Sequence[Record]:
        return await self.inner.read(partition, max_records, max_bytes)

    async def release(self, partitions: Collection[int]) -> None:
        await self.inner.release(partitions)

    async def ack(self, positions: Mapping[int, int]) -> None:
        await self.inner.ack(positions)

    async def close(self) -> None:
        await self.inner.close()


def record(
    name: str,
    cases: tuple[Callable[..., Any], ...],
    gateway: Callable[[Any], Gateway],
    *,
    way: Way = Way.DIRECT,
    capabilities: frozenset[Capability] = MEMORY,
    **options: Any,
) -> None:
    """Write a broken gateway down."""
    kind = GatewayKind("BrokenGateway", InMemoryGatewaySpec, capabilities, "Does something wrong.")
    plugin = Plugin("broken", "tests", "0", kind, gateway, None)
    names = tuple(case.__name__ for case in cases)
    BREAKAGES.append(Breakage(name, names, way, {"plugin": plugin, **options}))


def caught_by(*cases: Callable[..., Any], **options: Any) -> Callable[[BrokenT], BrokenT]:
    """Name the cases that are meant for a broken gateway, or for a subscription of one."""

    def decorate(broken: BrokenT) -> BrokenT:
        gateway = broken if issubclass(broken, InMemoryGateway) else gateway_of(broken)
        record(broken.__name__, cases, gateway, **options)
        return broken

    return decorate


def gateway_of(subscription: type[Wrapped]) -> type[InMemoryGateway]:
    """A good gateway with broken subscriptions."""

    class Broken(InMemoryGateway):
        async def subscribe(
            self, topic: str, group: Group, start: Start, member: str = ""
        ) -> Subscription:
            inner = await super().subscribe(topic, group, start, member)
            return subscription(self, topic, group, inner)

    return Broken
