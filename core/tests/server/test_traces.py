"""Spans of a gateway server: a sampled message's trace goes on, and no other is begun."""

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanContext, SpanKind, StatusCode

from penstock.plugin import (
    Edge,
    Group,
    Message,
    NotReady,
    PermanentError,
    PublishResult,
    TemporaryError,
)
from penstock.server import GatewayServer
from penstock.wire.remote import RemotePubSub
from penstock_inmemory import InMemoryGateway

if TYPE_CHECKING:
    from core.tests.server.conftest import RiffClient

TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"


def traced(span: str = SPAN, flags: str = "01", payload: bytes = b"x") -> Message:
    headers = {"traceparent": f"00-{TRACE}-{span}-{flags}", "tracestate": "vendor=1"}
    return Message(payload, headers=headers)


class Fussy(InMemoryGateway):
    """Refuses some payloads, and fails where it is told to."""

    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[PublishResult]:
        if topic == "away":
            raise NotReady("the broker is away")
        results = await super().publish(topic, messages)
        bad = PermanentError("this is bad")
        pairs = zip(messages, results, strict=True)
        return [bad if message.payload == b"bad" else result for message, result in pairs]


@pytest.fixture
def gateway() -> InMemoryGateway:
    return Fussy()


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
async def server(
    gateway: InMemoryGateway, exporter: InMemorySpanExporter
) -> AsyncIterator[GatewayServer]:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("test")
    async with GatewayServer(gateway, port=0, provisioner_port=0, tracer=tracer) as server:
        yield server
        await server.stop(grace=0.1)
    provider.shutdown()


@pytest.fixture
async def remote(server: GatewayServer) -> AsyncIterator[RemotePubSub]:
    async with RemotePubSub(server.address) as remote:
        yield remote


def parent(span: ReadableSpan) -> tuple[str, str]:
    assert span.parent
    return f"{span.parent.trace_id:032x}", f"{span.parent.span_id:016x}"


def origins(span: ReadableSpan) -> list[str]:
    """The spans that it is linked to."""
    contexts: list[SpanContext] = [link.context for link in span.links]
    return [f"{context.span_id:016x}" for context in contexts]


async def test_a_sampled_message_shows_where_it_was_published(
    riff: "RiffClient", exporter: InMemorySpanExporter
) -> None:
    await riff.publish("letters", b"x", extensions=traced().headers)
    [span] = exporter.get_finished_spans()
    assert (span.name, span.kind) == ("send letters", SpanKind.CLIENT)
    assert parent(span) == (TRACE, SPAN)
    assert span.attributes == {
        "messaging.system": "gateway",
        "messaging.operation.name": "send",
        "messaging.operation.type": "send",
        "messaging.destination.name": "letters",
        "messaging.batch.message_count": 1,
    }
    assert span.context.trace_state.get("vendor") == "1"
    assert not span.links


async def test_a_batch_has_one_span_that_is_linked_to_its_sampled_messages(
    remote: RemotePubSub, exporter: InMemorySpanExporter
) -> None:
    others = ["c000000000000001", "c000000000000002"]
    batch = [Message(b"x"), traced(), traced("d000000000000001", "00"), *map(traced, others)]
    await remote.publish("letters", [*batch, traced()])
    [span] = exporter.get_finished_spans()
    assert parent(span) == (TRACE, SPAN)
    assert origins(span) == [SPAN, *others]
    assert span.attributes
    assert span.attributes["messaging.batch.message_count"] == 6


@pytest.mark.parametrize(
    "message",
    [
        Message(b"x"),
        traced(flags="00"),
        Message(b"x", headers={"traceparent": "nonsense"}),
        Message(b"x", headers={"traceparent": ""}),
        Message(b"x", headers={"traceparent": f"00-{'0' * 32}-{SPAN}-01"}),
    ],
    ids=["none", "not sampled", "nonsense", "empty", "invalid"],
)
async def test_no_trace_is_begun_here(
    remote: RemotePubSub, exporter: InMemorySpanExporter, message: Message
) -> None:
    await remote.publish("letters", [message] * 3)
    assert exporter.get_finished_spans() == ()


async def test_a_message_arrives_as_it_was_published(remote: RemotePubSub) -> None:
    message = traced()
    await remote.publish("letters", [message])
    async with await remote.subscribe("letters", Group("g"), Edge.EARLIEST) as member:
        await member.next_event()
        [record] = await member.read(0, 1)
    assert record.message == message


async def test_a_message_that_is_refused_fails_its_span(
    remote: RemotePubSub, exporter: InMemorySpanExporter
) -> None:
    await remote.publish("letters", [traced(), traced(payload=b"bad")])
    with pytest.raises(TemporaryError, match="away"):
        await remote.publish("away", [traced()])
    refused, failed = exporter.get_finished_spans()
    assert (refused.status.status_code, refused.status.description) == (
        StatusCode.ERROR,
        "this is bad",
    )
    assert (failed.status.status_code, failed.status.description) == (
        StatusCode.ERROR,
        "the broker is away",
    )
    assert failed.attributes
    assert failed.attributes["error.type"] == "NotReady"
