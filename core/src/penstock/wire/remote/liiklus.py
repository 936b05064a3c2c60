"""A gateway over riff's protocol: one message in a call."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import grpc

from penstock.plugin import (
    AtTime,
    Edge,
    Group,
    Message,
    PermanentError,
    Position,
    PublishResult,
    PubSub,
    Start,
    Subscription,
    TemporaryError,
    Unsupported,
)
from penstock.wire.liiklus_event import to_event
from penstock.wire.protocol import liiklus_pb2
from penstock.wire.protocol.liiklus_pb2_grpc import LiiklusServiceStub
from penstock.wire.remote.failure import CALL_SECONDS, failures
from penstock.wire.remote.liiklus_subscription import LiiklusSubscription

_CALLS_AT_ONCE: Final = 64
_RESETS = {
    Edge.EARLIEST: liiklus_pb2.SubscribeRequest.EARLIEST,
    Edge.LATEST: liiklus_pb2.SubscribeRequest.LATEST,
}


class LiiklusPubSub(PubSub):
    """The client of LiiklusService.

    Args:
        channel: To the gateway; it is not closed here.
        address: The gateway's, for the texts of errors.

    Raises:
        NotSpoken: Every call: the server does not have the service.
    """

    def __init__(self, channel: grpc.aio.Channel, address: str) -> None:
        self._stub = LiiklusServiceStub(channel)
        self._address = address

    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[PublishResult]:
        """Store messages: those of one key, as those of none, one after the other, different keys
        at the same time. Once one could not be stored for now, no other is begun.
        """
        by_key: dict[bytes | None, list[int]] = {}
        for index, message in enumerate(messages):
            by_key.setdefault(message.key, []).append(index)
        runs = iter(by_key.values())
        publishing = _Publishing(self, topic, messages)
        calls = min(_CALLS_AT_ONCE, len(by_key))
        await asyncio.gather(*(publishing.run(runs) for _ in range(calls)))
        return publishing.outcome()

    async def publish_one(self, topic: str, message: Message) -> Position:
        """Store one message.

        Raises:
            PermanentError: It is refused.
            TemporaryError: It is not known whether it was stored.
        """
        try:
            request = liiklus_pb2.PublishRequest(
                topic=topic, key=message.key or b"", liiklusEvent=to_event(message)
            )
        except UnicodeEncodeError as error:
            raise PermanentError(f"a message has text that is not Unicode: {error}") from error
        with failures(self._address):
            reply = await self._stub.Publish(request, timeout=CALL_SECONDS)
        return Position(reply.partition, reply.offset)

    async def subscribe(
        self,
        topic: str,
        group: Group,
        start: Start,
        member: str = "",  # noqa: ARG002 - riff's protocol has no name for a member
    ) -> Subscription:
        """Join a group.

        Raises:
            Unsupported: `start` is not an edge.
        """
        if not isinstance(start, Edge):
            raise Unsupported(
                f"gateway {self._address} speaks riff's protocol, in which a group starts at the "
                f"earliest or the latest record: {start} cannot be said"
            )
        request = liiklus_pb2.SubscribeRequest(
            topic=topic,
            group=group.name,
            group_version=group.version,
            auto_offset_reset=_RESETS[start],
        )
        return await LiiklusSubscription.join(
            self._stub,
            self._address,
            request,
            lambda positions, held: self._ack(topic, group, positions, held),
        )

    async def ack(self, topic: str, group: Group, positions: Mapping[int, int]) -> None:
        """Store how far a group is done, in a call for each partition.

        Raises:
            Unsupported: Nothing is done in one of them: riff's protocol cannot say that.
        """
        if any(offset < 0 for offset in positions.values()):
            raise Unsupported(
                f"gateway {self._address} speaks riff's protocol, in which a group cannot begin "
                "again at offset 0"
            )
        await self._ack(topic, group, positions, held={})

    async def _ack(
        self,
        topic: str,
        group: Group,
        positions: Mapping[int, int],
        held: Mapping[int, liiklus_pb2.Assignment],
    ) -> None:
        """Store positions, of partitions that are held as the member that holds them: not every
        gateway takes acks from others.
        """
        requests = (
            liiklus_pb2.AckRequest(
                assignment=held.get(partition),
                topic=topic,
                group=group.name,
                group_version=group.version,
                partition=partition,
                offset=offset,
            )
            for partition, offset in positions.items()
        )
        with failures(self._address):
            await asyncio.gather(
                *(self._stub.Ack(request, timeout=CALL_SECONDS) for request in requests)
            )

    async def positions(self, topic: str, name: str) -> Mapping[int, Mapping[int, int]]:
        """How far a group without a version has acked: riff's protocol does not tell which
        versions there are.
        """
        request = liiklus_pb2.GetOffsetsRequest(topic=topic, group=name)
        with failures(self._address):
            reply = await self._stub.GetOffsets(request, timeout=CALL_SECONDS)
        return {0: dict(reply.offsets)} if reply.offsets else {}

    async def end_positions(self, topic: str) -> Mapping[int, int]:
        """The offset of the last record, by partition."""
        request = liiklus_pb2.GetEndOffsetsRequest(topic=topic)
        with failures(self._address):
            reply = await self._stub.GetEndOffsets(request, timeout=CALL_SECONDS)
        return dict(reply.offsets)

    async def locate(self, topic: str, start: Edge | AtTime) -> Mapping[int, int]:
        """As `PubSub.locate`.

        Raises:
            Unsupported: riff's protocol has no call for it.
        """
        raise Unsupported(
            f"gateway {self._address} speaks riff's protocol, in which nobody can ask where "
            f"{start} is in topic {topic}"
        )


class _Publishing:
    """A batch on its way, message by message."""

    def __init__(self, pubsub: LiiklusPubSub, topic: str, messages: Sequence[Message]) -> None:
        self._pubsub = pubsub
        self._topic = topic
        self._messages = messages
        self._results: dict[int, PublishResult] = {}
        self._failure: TemporaryError | None = None

    async def run(self, runs: Iterator[Sequence[int]]) -> None:
        """Publish run after run, each a list of messages by their place in the batch."""
        for run in runs:
            for index in run:
                if self._failure:
                    return
                try:
                    message = self._messages[index]
                    self._results[index] = await self._pubsub.publish_one(self._topic, message)
                except PermanentError as error:
                    self._results[index] = error
                except TemporaryError as error:
                    self._failure = error

    def outcome(self) -> Sequence[PublishResult]:
        """A result for each message.

        Raises:
            TemporaryError: None was stored for sure.
        """
        if self._failure and not self._results:
            raise self._failure
        untried = self._failure or TemporaryError("not tried")
        return [self._results.get(index, untried) for index in range(len(self._messages))]
