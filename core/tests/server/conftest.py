"""A gateway server on free ports, and a client of riff that is made of generated stubs alone."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping

import grpc
import pytest

from penstock.plugin import Gateway, StreamSettings
from penstock.server import GatewayServer
from penstock.wire.channel import open_channel
from penstock.wire.protocol.liiklus_pb2 import (
    AckRequest,
    Assignment,
    GetEndOffsetsRequest,
    GetOffsetsRequest,
    LiiklusEvent,
    PublishReply,
    PublishRequest,
    ReceiveReply,
    ReceiveRequest,
    SubscribeReply,
    SubscribeRequest,
)
from penstock.wire.protocol.liiklus_pb2_grpc import LiiklusServiceStub
from penstock_inmemory import InMemoryGateway

PATIENCE = 20.0  # seconds for what happens at once where it is right

Subscribing = grpc.aio.UnaryStreamCall[SubscribeRequest, SubscribeReply]
Receiving = grpc.aio.UnaryStreamCall[ReceiveRequest, ReceiveReply]


class RiffClient:
    """Speaks riff's protocol over one channel; waits for nothing longer than `PATIENCE`."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.stub = LiiklusServiceStub(channel)
        # A call that nobody holds is cancelled.
        self._open: list[grpc.aio.RpcContext] = []

    async def refused(self, call: Awaitable[object]) -> tuple[grpc.StatusCode, str]:
        """The status and the text with which a call fails."""
        async with asyncio.timeout(PATIENCE):
            with pytest.raises(grpc.aio.AioRpcError) as failure:
                await call
        return failure.value.code(), failure.value.details() or ""

    async def publish(
        self,
        topic: str,
        data: bytes = b"",
        content_type: str = "",
        key: bytes = b"",
        extensions: Mapping[str, str] | None = None,
    ) -> PublishReply:
        event = LiiklusEvent(data=data, data_content_type=content_type, extensions=extensions)
        return await self.stub.Publish(PublishRequest(topic=topic, key=key, liiklusEvent=event))

    async def subscribe(
        self,
        topic: str,
        group: str = "readers",
        reset: SubscribeRequest.AutoOffsetReset.ValueType = SubscribeRequest.EARLIEST,
        version: int = 0,
    ) -> Subscribing:
        """Open a Subscribe, and wait until the server has settled where it starts."""
        call = self.stub.Subscribe(
            SubscribeRequest(
                topic=topic, group=group, auto_offset_reset=reset, group_version=version
            )
        )
        self._open.append(call)
        async with asyncio.timeout(PATIENCE):
            await call.initial_metadata()
        return call

    async def assignments(self, call: Subscribing, count: int = 1) -> list[Assignment]:
        """The next replies of a Subscribe."""
        async with asyncio.timeout(PATIENCE):
            replies = [await call.read() for _ in range(count)]
        return [reply.assignment for reply in replies if isinstance(reply, SubscribeReply)]

    def receive(
        self,
        assignment: Assignment,
        format: ReceiveRequest.ContentFormat.ValueType = ReceiveRequest.LIIKLUS_EVENT,  # noqa: A002
        last_known_offset: int = 0,
    ) -> Receiving:
        call = self.stub.Receive(
            ReceiveRequest(
                assignment=assignment, format=format, last_known_offset=last_known_offset
            )
        )
        self._open.append(call)
        return call

    async def records(self, call: Receiving, count: int) -> list[ReceiveReply.LiiklusEventRecord]:
        """The next records of a Receive."""
        async with asyncio.timeout(PATIENCE):
            replies = [await call.read() for _ in range(count)]
        return [reply.liiklus_event_record for reply in replies if isinstance(reply, ReceiveReply)]

    async def rest(self, call: Receiving) -> list[ReceiveReply]:
        """What a Receive still gives until it ends, which it must do well."""
        replies: list[ReceiveReply] = []
        async with asyncio.timeout(PATIENCE):
            while isinstance(reply := await call.read(), ReceiveReply):
                replies.append(reply)
            assert await call.code() == grpc.StatusCode.OK
        return replies

    async def read(
        self, topic: str, count: int, group: str = "readers", version: int = 0
    ) -> list[ReceiveReply.LiiklusEventRecord]:
        """Records of a topic of one partition, for a member that leaves again."""
        subscribing = await self.subscribe(topic, group, version=version)
        [assignment] = await self.assignments(subscribing)
        records = await self.records(self.receive(assignment), count)
        subscribing.cancel()
        return records

    async def ack(
        self, topic: str, offset: int, group: str = "readers", version: int = 0, partition: int = 0
    ) -> None:
        await self.stub.Ack(
            AckRequest(
                topic=topic,
                group=group,
                group_version=version,
                partition=partition,
                offset=offset,
            )
        )

    async def offsets(
        self, topic: str, group: str = "readers", version: int = 0
    ) -> Mapping[int, int]:
        request = GetOffsetsRequest(topic=topic, group=group, group_version=version)
        return (await self.stub.GetOffsets(request)).offsets

    async def end_offsets(self, topic: str) -> Mapping[int, int]:
        return (await self.stub.GetEndOffsets(GetEndOffsetsRequest(topic=topic))).offsets


@pytest.fixture
def gateway() -> Gateway:
    """What is served; a test file that needs another one has a fixture of this name."""
    return InMemoryGateway()


@pytest.fixture
async def server(gateway: Gateway) -> AsyncIterator[GatewayServer]:
    async with GatewayServer(gateway, port=0, provisioner_port=0, check_interval=0.05) as server:
        yield server
        await server.stop(grace=0.1)


@pytest.fixture
async def channel(server: GatewayServer) -> AsyncIterator[grpc.aio.Channel]:
    async with open_channel(server.address) as channel:
        yield channel


@pytest.fixture
def riff(channel: grpc.aio.Channel) -> RiffClient:
    return RiffClient(channel)


@pytest.fixture
async def two_partitions(server: GatewayServer) -> str:
    """A topic with so many."""
    return (await server.provision(StreamSettings("default", "pair", partitions=2))).topic
