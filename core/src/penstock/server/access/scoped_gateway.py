"""A gateway of one namespace: whatever is asked, only that namespace's streams are there."""

from collections.abc import Mapping, Sequence
from typing import NoReturn

from penstock.plugin import (
    Address,
    AtTime,
    Edge,
    Gateway,
    Group,
    Message,
    PermanentError,
    PublishResult,
    Start,
    StreamSettings,
    Subscription,
)
from penstock.server.forwarding_gateway import ForwardingGateway


class ScopedGateway(ForwardingGateway):
    """Refuses the streams of other namespaces, and topics that are no streams.

    Args:
        inner: The gateway.
        namespace: The one whose streams it serves.
    """

    def __init__(self, inner: Gateway, namespace: str) -> None:
        super().__init__(inner)
        self._namespace = namespace

    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[PublishResult]:
        """Publish to a stream of the namespace."""
        self._check(topic)
        return await super().publish(topic, messages)

    async def subscribe(
        self, topic: str, group: Group, start: Start, member: str = ""
    ) -> Subscription:
        """Subscribe to one."""
        self._check(topic)
        return await super().subscribe(topic, group, start, member)

    async def ack(self, topic: str, group: Group, positions: Mapping[int, int]) -> None:
        """Ack in one."""
        self._check(topic)
        await super().ack(topic, group, positions)

    async def positions(self, topic: str, name: str) -> Mapping[int, Mapping[int, int]]:
        """Tell how far a group is in one."""
        self._check(topic)
        return await super().positions(topic, name)

    async def end_positions(self, topic: str) -> Mapping[int, int]:
        """Tell where one ends."""
        self._check(topic)
        return await super().end_positions(topic)

    async def locate(self, topic: str, start: Edge | AtTime) -> Mapping[int, int]:
        """Tell where a start is in one."""
        self._check(topic)
        return await super().locate(topic, start)

    async def provision(self, stream: StreamSettings) -> Address:
        """Make one."""
        self._check_namespace(stream)
        return await super().provision(stream)

    async def deprovision(self, stream: StreamSettings) -> None:
        """Remove one."""
        self._check_namespace(stream)
        await super().deprovision(stream)

    def _check(self, topic: str) -> None:
        stream = self.stream_of(topic)
        if stream is None or stream.namespace != self._namespace:
            self._refuse(f"topic {topic[:80]!r} is not of a stream of it")

    def _check_namespace(self, stream: StreamSettings) -> None:
        if stream.namespace != self._namespace:
            self._refuse(f'not "{stream.namespace}"')

    def _refuse(self, what: str) -> NoReturn:
        raise PermanentError(f'this gateway serves namespace "{self._namespace}": {what}')
