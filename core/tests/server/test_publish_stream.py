"""PublishStream of the batch protocol: many publishes over one call, seen by a bare client and by
the one that sidecars use."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from typing import TYPE_CHECKING

import grpc
import pytest

from penstock.plugin import Message, NotReady, PermanentError, PublishResult, TemporaryError
from penstock.server import GatewayServer
from penstock.wire.columns import pack_messages
from penstock.wire.protocol.gateway_pb2 import NumberedPublish, NumberedReply, PublishRequest
from penstock.wire.protocol.gateway_pb2_grpc import BatchGatewayStub
from penstock.wire.remote import RemotePubSub, publish_stream
from penstock_inmemory import InMemoryGateway

if TYPE_CHECKING:
    from penstock.wire.protocol.gateway_pb2_grpc import BatchGatewayAsyncStub

PATIENCE = 20.0  # seconds


class Gated(InMemoryGateway):
    """Stores a payload that has a gate when that is opened, and refuses topics named `full`."""

    def __init__(self) -> None:
        super().__init__()
        self.gates: dict[bytes, asyncio.Event] = {}
        self.waiting = asyncio.Event()

    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[PublishResult]:
        if topic == "full":
            raise TemporaryError("no room")
        if gate := self.gates.get(messages[0].payload):
            self.waiting.set()
            await gate.wait()
        return await super().publish(topic, messages)


@pytest.fixture
def gateway() -> Gated:
    return Gated()


@pytest.fixture
def stub(channel: grpc.aio.Channel) -> "BatchGatewayAsyncStub":
    return BatchGatewayStub(channel)


@pytest.fixture
async def remote(server: GatewayServer) -> AsyncIterator[RemotePubSub]:
    """A client that has published before: what follows goes over its stream."""
    async with asyncio.timeout(PATIENCE), RemotePubSub(server.address) as remote:
        await remote.publish("numbers", [Message(b"0")])
        yield remote


def numbered(sequence: int, *payloads: bytes, topic: str = "numbers") -> NumberedPublish:
    columns = pack_messages([Message(payload) for payload in payloads])
    return NumberedPublish(sequence=sequence, request=PublishRequest(topic=topic, messages=columns))


async def answers(call: AsyncIterable[NumberedReply]) -> dict[int, NumberedReply]:
    async with asyncio.timeout(PATIENCE):
        return {answer.sequence: answer async for answer in call}


async def test_requests_are_carried_out_in_their_order_and_each_is_answered(
    stub: "BatchGatewayAsyncStub",
) -> None:
    replies = await answers(stub.PublishStream(iter([numbered(7, b"a", b"b"), numbered(8, b"c")])))
    assert list(replies[7].reply.offset) == [0, 1]
    assert list(replies[8].reply.offset) == [2]


async def test_a_request_that_fails_does_not_end_the_others(stub: "BatchGatewayAsyncStub") -> None:
    requests = [numbered(1, b"a", topic=""), numbered(2, b"b", topic="full"), numbered(3, b"c")]
    replies = await answers(stub.PublishStream(iter(requests)))
    assert "topic" in replies[1].failure.reason
    assert not replies[1].failure.temporary
    assert (replies[2].failure.reason, replies[2].failure.temporary) == ("no room", True)
    assert list(replies[3].reply.offset) == [0]


async def test_a_slow_request_does_not_hold_up_the_next(
    remote: RemotePubSub, gateway: Gated
) -> None:
    gateway.gates[b"slow"] = asyncio.Event()
    slow = asyncio.create_task(remote.publish("numbers", [Message(b"slow")]))
    await gateway.waiting.wait()
    [quick] = await remote.publish("numbers", [Message(b"quick")])
    gateway.gates[b"slow"].set()
    assert [quick, *await slow] == [(0, 1), (0, 2)]


async def test_a_client_is_told_of_its_own_failure_alone(remote: RemotePubSub) -> None:
    results = await asyncio.gather(
        remote.publish("full", [Message(b"1")]),
        remote.publish("", [Message(b"2")]),
        remote.publish("numbers", [Message(b"3")]),
        return_exceptions=True,
    )
    assert isinstance(results[0], TemporaryError)
    assert isinstance(results[1], PermanentError)
    assert results[2] == [(0, 1)]


async def test_a_publish_that_is_given_up_leaves_the_stream_in_use(
    remote: RemotePubSub, gateway: Gated
) -> None:
    gateway.gates[b"slow"] = asyncio.Event()
    slow = asyncio.create_task(remote.publish("numbers", [Message(b"slow")]))
    await gateway.waiting.wait()
    slow.cancel()
    assert await remote.publish("numbers", [Message(b"quick")]) == [(0, 1)]
    gateway.gates[b"slow"].set()


async def test_when_the_server_stops_in_the_middle_who_waits_is_told_to_publish_again(
    remote: RemotePubSub, server: GatewayServer, gateway: Gated
) -> None:
    gateway.gates[b"slow"] = asyncio.Event()
    slow = asyncio.create_task(remote.publish("numbers", [Message(b"slow")]))
    await gateway.waiting.wait()
    await server.stop(0)
    with pytest.raises(TemporaryError):
        await slow
    with pytest.raises(NotReady):
        await remote.publish("numbers", [Message(b"again")])


async def test_a_server_that_does_not_answer_is_not_waited_for_for_ever(
    remote: RemotePubSub, gateway: Gated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publish_stream, "CALL_SECONDS", 0.05)
    gateway.gates[b"slow"] = asyncio.Event()
    with pytest.raises(NotReady, match="has not answered"):
        await remote.publish("numbers", [Message(b"slow")])
    assert await remote.publish("numbers", [Message(b"quick")]) == [(0, 1)]
    gateway.gates[b"slow"].set()


async def test_a_client_that_is_gone_leaves_nothing_behind(
    stub: "BatchGatewayAsyncStub", gateway: Gated
) -> None:
    gateway.gates[b"slow"] = asyncio.Event()
    call = stub.PublishStream()
    await call.write(numbered(1, b"slow"))
    await gateway.waiting.wait()
    call.cancel()
    async with asyncio.timeout(PATIENCE):
        # A task tells nobody that it has ended.
        while any("PublishSession" in repr(one) for one in asyncio.all_tasks()):  # noqa: ASYNC110
            await asyncio.sleep(0)
