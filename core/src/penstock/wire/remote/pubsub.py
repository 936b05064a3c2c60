"""A gateway by its address: penstock's protocol where it is spoken, riff's where it is not."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

import grpc

from penstock.plugin import (
    AtTime,
    Edge,
    Group,
    Message,
    NotReady,
    PublishResult,
    PubSub,
    Start,
    Subscription,
)
from penstock.wire.channel import open_channel
from penstock.wire.credentials import Credentials
from penstock.wire.remote.batch import BatchPubSub
from penstock.wire.remote.failure import NotSpoken
from penstock.wire.remote.liiklus import LiiklusPubSub

Answer = TypeVar("Answer")


class RemotePubSub(PubSub):
    """A gateway that somebody serves. Nothing is asked of it before the first call.

    A server that answers UNIMPLEMENTED speaks riff's protocol: one message in a call, no starts
    but the edges, no positions of versions, no grace. That is remembered for as long as the
    connection stands: another server may take the address.

    Args:
        address: `host:port`.
        heartbeat: Seconds between two signs of life of a subscription that says nothing else,
            and how long the server may take to answer one.
        batches: Whether to try penstock's protocol; else riff's is spoken from the start.
        credentials: For a gateway whose port is encrypted.
    """

    def __init__(
        self,
        address: str,
        *,
        heartbeat: float = 15.0,
        batches: bool = True,
        credentials: Credentials | None = None,
    ) -> None:
        self._address = address
        self._credentials = credentials
        self._heartbeat = heartbeat
        self._batches = batches
        self._channel: grpc.aio.Channel | None = None
        self._protocols: Sequence[PubSub] = ()
        self._spoken = 0

    async def open(self) -> None:
        """Make ready; the connection is made by the first call."""
        self._channel = open_channel(self._address, self._credentials)
        riff = LiiklusPubSub(self._channel, self._address)
        ours = BatchPubSub(self._channel, self._address, self._heartbeat)
        self._protocols = (ours, riff) if self._batches else (riff,)

    async def close(self) -> None:
        """Let go of the connection."""
        for protocol in self._protocols:
            await protocol.close()
        if self._channel:
            await self._channel.close()

    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[PublishResult]:
        """Store a batch of messages."""
        return await self._speak(lambda gateway: gateway.publish(topic, messages))

    async def subscribe(
        self, topic: str, group: Group, start: Start, member: str = ""
    ) -> Subscription:
        """Join a group."""
        return await self._speak(lambda gateway: gateway.subscribe(topic, group, start, member))

    async def ack(self, topic: str, group: Group, positions: Mapping[int, int]) -> None:
        """Store a group's positions."""
        await self._speak(lambda gateway: gateway.ack(topic, group, positions))

    async def positions(self, topic: str, name: str) -> Mapping[int, Mapping[int, int]]:
        """The last acked offsets, by version and partition."""
        return await self._speak(lambda gateway: gateway.positions(topic, name))

    async def end_positions(self, topic: str) -> Mapping[int, int]:
        """The offset of the last record, by partition."""
        return await self._speak(lambda gateway: gateway.end_positions(topic))

    async def locate(self, topic: str, start: Edge | AtTime) -> Mapping[int, int]:
        """The first offset that a start delivers, by partition."""
        return await self._speak(lambda gateway: gateway.locate(topic, start))

    async def _speak(self, call: Callable[[PubSub], Awaitable[Answer]]) -> Answer:
        assert self._channel, "open comes first"
        # A connection that was lost is not made again before somebody calls.
        if self._channel.get_state() is not grpc.ChannelConnectivity.READY:
            self._spoken = 0
        for spoken in range(self._spoken, len(self._protocols)):
            try:
                answer = await call(self._protocols[spoken])
            except NotSpoken:
                continue
            self._spoken = spoken
            return answer
        raise NotReady(
            f"what listens on {self._address} speaks neither penstock's gateway protocol nor "
            f"riff's: is it the address of a gateway?"
        )
