"""A gateway that does for its callers what they may do, and nothing else."""

from collections.abc import Mapping, Sequence

from penstock.observability.forwarding import ForwardingSubscription
from penstock.plugin import (
    READ_BYTES,
    Address,
    AtTime,
    Edge,
    Gateway,
    Group,
    Message,
    PermanentError,
    PublishResult,
    Record,
    Start,
    StreamName,
    StreamSettings,
    Subscription,
    SubscriptionEvent,
)
from penstock.server.access.access import Access, Verb
from penstock.server.access.caller import Caller, calling
from penstock.server.forwarding_gateway import ForwardingGateway


class GuardedGateway(ForwardingGateway):
    """Asks for the right before it passes a call on.

    Args:
        inner: The gateway.
        access: Who decides.
    """

    def __init__(self, inner: Gateway, access: Access) -> None:
        super().__init__(inner)
        self._access = access

    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[PublishResult]:
        """Publish, for who may."""
        await self._require("publish", topic)
        return await super().publish(topic, messages)

    async def subscribe(
        self, topic: str, group: Group, start: Start, member: str = ""
    ) -> Subscription:
        """Subscribe, for who may and for as long as that is so."""
        stream = await self._require("subscribe", topic)
        subscription = await super().subscribe(topic, group, start, member)
        return _GuardedSubscription(subscription, self._access, calling.get(), stream)

    async def ack(self, topic: str, group: Group, positions: Mapping[int, int]) -> None:
        """Ack, for who may subscribe."""
        await self._require("subscribe", topic)
        await super().ack(topic, group, positions)

    async def positions(self, topic: str, name: str) -> Mapping[int, Mapping[int, int]]:
        """Tell who may subscribe."""
        await self._require("subscribe", topic)
        return await super().positions(topic, name)

    async def end_positions(self, topic: str) -> Mapping[int, int]:
        """Tell who may subscribe."""
        await self._require("subscribe", topic)
        return await super().end_positions(topic)

    async def locate(self, topic: str, start: Edge | AtTime) -> Mapping[int, int]:
        """Tell who may subscribe."""
        await self._require("subscribe", topic)
        return await super().locate(topic, start)

    async def provision(self, stream: StreamSettings) -> Address:
        """Make a stream, for who may."""
        await self._access.require("provision", StreamName(stream.namespace, stream.name))
        return await super().provision(stream)

    async def deprovision(self, stream: StreamSettings) -> None:
        """Remove one, for who may make it."""
        await self._access.require("provision", StreamName(stream.namespace, stream.name))
        await super().deprovision(stream)

    async def _require(self, verb: Verb, topic: str) -> StreamName:
        stream = self.stream_of(topic)
        if stream is None:
            raise PermanentError(
                f"topic {topic[:80]!r} is not of a stream: nobody can be given rights on it"
            )
        await self._access.require(verb, stream)
        return stream


class _GuardedSubscription(ForwardingSubscription):
    """Asks again before records are handed out: a subscription outlives rights.

    What was read when the answer was no is kept for the next read: a gateway returns a record
    once.
    """

    def __init__(
        self, inner: Subscription, access: Access, caller: Caller, stream: StreamName
    ) -> None:
        super().__init__(inner)
        self._access = access
        self._caller = caller
        self._stream = stream
        self._withheld: dict[int, Sequence[Record]] = {}

    async def next_event(self) -> SubscriptionEvent:
        event = await super().next_event()
        for partition in event.partitions:
            self._withheld.pop(partition, None)
        return event

    async def read(
        self, partition: int, max_records: int, max_bytes: int = READ_BYTES
    ) -> Sequence[Record]:
        if partition not in self._withheld:
            self._withheld[partition] = await super().read(partition, max_records, max_bytes)
        await self._access.require("subscribe", self._stream, self._caller)
        # None where the partition was revoked meanwhile: it is another's by now.
        records = self._withheld.pop(partition, ())
        if len(records) > max_records:
            self._withheld[partition] = records[max_records:]
        return records[:max_records]
