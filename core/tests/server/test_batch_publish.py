"""The batch protocol's single calls: publish, ack, positions."""

from collections.abc import Awaitable, Mapping, Sequence
from typing import TYPE_CHECKING

import grpc
import pytest

from penstock.plugin import (
    Group,
    Message,
    PermanentError,
    PublishResult,
    TemporaryError,
    Unsupported,
)
from penstock.server import GatewayServer
from penstock.wire.channel import MAX_MESSAGE_BYTES
from penstock.wire.columns import pack_messages
from penstock.wire.protocol import gateway_pb2
from penstock.wire.protocol.columns_pb2 import MessageColumns
from penstock.wire.protocol.gateway_pb2 import AckRequest, GetPositionsRequest, PublishRequest
from penstock.wire.protocol.gateway_pb2_grpc import BatchGatewayStub
from penstock_inmemory import InMemoryGateway

if TYPE_CHECKING:
    from penstock.wire.protocol.gateway_pb2_grpc import BatchGatewayAsyncStub

JSON = "application/json"
Status = grpc.StatusCode


class Fussy(InMemoryGateway):
    """Refuses some payloads, and fails where it is told to.

    Attributes:
        refusals: Why a payload is refused.
        failure: What every call raises.
        batches: How many messages it was given at a time.
    """

    def __init__(self) -> None:
        super().__init__()
        self.refusals: dict[bytes, PermanentError | TemporaryError] = {}
        self.failure: Exception | None = None
        self.batches: list[int] = []

    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[PublishResult]:
        self.batches.append(len(messages))
        if self.failure:
            raise self.failure
        fitting = [one for one in messages if one.payload not in self.refusals]
        stored = iter(await super().publish(topic, fitting))
        return [self.refusals.get(one.payload) or next(stored) for one in messages]

    async def ack(self, topic: str, group: Group, positions: Mapping[int, int]) -> None:
        if self.failure:
            raise self.failure
        await super().ack(topic, group, positions)


@pytest.fixture
def gateway() -> Fussy:
    return Fussy()


@pytest.fixture
def stub(channel: grpc.aio.Channel) -> "BatchGatewayAsyncStub":
    return BatchGatewayStub(channel)


def numbers(*payloads: bytes, content_type: str = "") -> PublishRequest:
    messages = [Message(payload, content_type) for payload in payloads]
    return PublishRequest(topic="numbers", messages=pack_messages(messages))


async def refused(call: Awaitable[object]) -> tuple[grpc.StatusCode, str]:
    """The status and the text with which a call fails."""
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await call
    return failure.value.code(), failure.value.details() or ""


async def test_a_batch_is_stored_at_once_and_answered_in_its_order(
    stub: "BatchGatewayAsyncStub", gateway: Fussy
) -> None:
    reply = await stub.Publish(numbers(b"1", b"2", b"3"))
    assert (list(reply.partition), list(reply.offset)) == ([0, 0, 0], [0, 1, 2])
    assert not reply.refused
    assert gateway.batches == [3]


async def test_an_empty_batch_is_answered_without_asking_the_gateway(
    stub: "BatchGatewayAsyncStub", gateway: Fussy
) -> None:
    assert await stub.Publish(PublishRequest(topic="numbers")) == gateway_pb2.PublishReply()
    assert not gateway.batches


async def test_messages_of_other_content_types_are_named_and_the_rest_is_stored(
    stub: "BatchGatewayAsyncStub", server: GatewayServer, gateway: Fussy
) -> None:
    server.catalog.declare("numbers", JSON)
    types = [JSON, "text/plain", f"{JSON}; charset=utf-8", "", "text/plain", JSON]
    columns = MessageColumns(payload=[b"1", b"2", b"3", b"4", b"5", b"6"], content_type=types)
    reply = await stub.Publish(PublishRequest(topic="numbers", messages=columns))
    assert list(reply.offset) == [0, 0, 1, 0, 0, 2]
    assert [(one.index, one.reason, one.temporary) for one in reply.refused] == [
        (1, "expected application/json got text/plain", False),
        (3, "expected application/json got no content type", False),
        (4, "expected application/json got text/plain", False),
    ]
    assert gateway.batches == [3]


@pytest.mark.parametrize(
    "content_type", ["text/plain", ""], ids=["one for all", "the default for all"]
)
async def test_a_batch_of_which_nothing_fits_is_refused_message_by_message(
    stub: "BatchGatewayAsyncStub", server: GatewayServer, gateway: Fussy, content_type: str
) -> None:
    server.catalog.declare("numbers", JSON)
    reply = await stub.Publish(numbers(b"1", b"2", content_type=content_type))
    assert [one.index for one in reply.refused] == [0, 1]
    assert not gateway.batches


async def test_what_the_gateway_refuses_is_named_beside_what_does_not_fit(
    stub: "BatchGatewayAsyncStub", server: GatewayServer, gateway: Fussy
) -> None:
    server.catalog.declare("numbers", JSON)
    gateway.refusals = {b"2": PermanentError("odd"), b"3": TemporaryError("full")}
    columns = MessageColumns(
        payload=[b"1", b"2", b"3", b"4"], content_type=["text/plain", JSON, JSON, JSON]
    )
    reply = await stub.Publish(PublishRequest(topic="numbers", messages=columns))
    assert [(one.index, one.reason, one.temporary) for one in reply.refused] == [
        (0, "expected application/json got text/plain", False),
        (1, "odd", False),
        (2, "full", True),
    ]
    assert list(reply.offset) == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("request_", "reason"),
    [
        (PublishRequest(), "the topic is empty"),
        (PublishRequest(topic="no topic"), "'no topic' is not a topic"),
        (
            PublishRequest(
                topic="numbers", messages=MessageColumns(payload=[b""] * 3, id=["1"] * 2)
            ),
            "messages: column id has 2 entries for 3 payloads: expected 0, 1 or 3",
        ),
    ],
)
async def test_a_request_that_makes_no_sense_is_refused_and_the_next_is_answered(
    stub: "BatchGatewayAsyncStub", request_: PublishRequest, reason: str
) -> None:
    code, text = await refused(stub.Publish(request_))
    assert code is Status.INVALID_ARGUMENT
    assert reason in text
    assert (await stub.Publish(numbers(b"1"))).offset == [0]


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (TemporaryError("the broker is away"), (Status.UNAVAILABLE, "the broker is away")),
        (PermanentError("no such topic"), (Status.INVALID_ARGUMENT, "no such topic")),
        (Unsupported("not here"), (Status.FAILED_PRECONDITION, "not here")),
    ],
)
async def test_what_the_gateway_raises_is_the_status_of_the_call(
    stub: "BatchGatewayAsyncStub",
    gateway: Fussy,
    failure: Exception,
    expected: tuple[grpc.StatusCode, str],
) -> None:
    gateway.failure = failure
    assert await refused(stub.Publish(numbers(b"1"))) == expected
    assert await refused(stub.Ack(ack({0: 1}))) == expected


async def test_a_message_that_is_too_large_is_refused_and_the_server_lives(
    stub: "BatchGatewayAsyncStub",
) -> None:
    code, text = await refused(stub.Publish(numbers(bytes(MAX_MESSAGE_BYTES))))
    assert code is Status.RESOURCE_EXHAUSTED
    assert str(MAX_MESSAGE_BYTES) in text
    await stub.Publish(numbers(b"1"))


def ack(positions: Mapping[int, int], group: str = "readers", version: int = 0) -> AckRequest:
    return AckRequest(
        topic="numbers",
        group=gateway_pb2.Group(name=group, version=version),
        positions=positions,
    )


async def test_positions_are_those_of_each_version(stub: "BatchGatewayAsyncStub") -> None:
    await stub.Ack(ack({0: 5, 1: 7}))
    await stub.Ack(ack({0: 3}, version=2))
    await stub.Ack(ack({1: 4}, "readers-v3"))
    reply = await stub.GetPositions(GetPositionsRequest(topic="numbers", group_name="readers"))
    assert {version: dict(acked.offsets) for version, acked in reply.versions.items()} == {
        0: {0: 5, 1: 7},
        2: {0: 3},
        3: {1: 4},
    }


async def test_an_ack_replaces_a_higher_one(stub: "BatchGatewayAsyncStub") -> None:
    for offset in (10, 200, 100):
        await stub.Ack(ack({0: offset}))
    reply = await stub.GetPositions(GetPositionsRequest(topic="numbers", group_name="readers"))
    assert dict(reply.versions[0].offsets) == {0: 100}


async def test_nobodys_positions_are_empty(stub: "BatchGatewayAsyncStub") -> None:
    reply = await stub.GetPositions(GetPositionsRequest(topic="numbers", group_name="nobody"))
    assert not reply.versions


async def test_an_ack_needs_a_topic_and_a_group(stub: "BatchGatewayAsyncStub") -> None:
    assert await refused(stub.Ack(AckRequest(group=gateway_pb2.Group(name="readers")))) == (
        Status.INVALID_ARGUMENT,
        "the topic is empty: name the one to use",
    )
    assert await refused(stub.Ack(ack({0: 1}, ""))) == (
        Status.INVALID_ARGUMENT,
        "the group is empty: name the one to read or ack for",
    )
