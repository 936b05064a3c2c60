"""Spans of a sidecar: from the messages that it reads to those that it publishes."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from penstock.plugin import Message

if TYPE_CHECKING:
    from sidecar.tests.observability.conftest import Watched

Item = tuple[int, Message]
TRACE = "0af7651916cd43dd8448eb211c80319c"


class Served(Protocol):
    address: str


class Functions(Protocol):
    async def streams(
        self, function: Callable[[AsyncIterator[Item]], Any], port: int = 0
    ) -> Served: ...
    async def one_value(
        self, function: Callable[[Item], Sequence[Item]], port: int = 0
    ) -> Served: ...
    async def riff(
        self, function: Callable[[AsyncIterator[Item]], Any], port: int = 0
    ) -> Served: ...


def parent_of(number: int, flags: str = "01") -> str:
    """The header of a message that was made in a span of this number."""
    return f"00-{TRACE}-{number:016x}-{flags}"


def twice(item: Item) -> Sequence[Item]:
    """Two outputs without headers; none for an empty message."""
    payload = item[1].payload
    return [(0, Message(payload, "text/plain"))] * (2 if payload else 0)


async def gather(items: AsyncIterator[Item]) -> AsyncIterator[Item]:
    """All of a window in one output."""
    payloads = [item[1].payload async for item in items]
    yield 0, Message(b"".join(payloads), "text/plain")


def named(exporter: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    """The spans of a name, in the order in which they began."""
    spans = [span for span in exporter.get_finished_spans() if span.name == name]
    return sorted(spans, key=lambda span: span.start_time or 0)


def parent(span: ReadableSpan) -> int:
    assert span.parent
    assert f"{span.parent.trace_id:032x}" == TRACE
    return span.parent.span_id


def carried(message: Message) -> int | None:
    """The span that a message says that it was made in."""
    header = message.headers.get("traceparent")
    if header is None:
        return None
    _, trace, span, flags = header.split("-")
    assert (trace, flags) == (TRACE, "01")
    return int(span, 16)


def id_of(span: ReadableSpan) -> int:
    return int(span.context.span_id)


async def test_each_sampled_input_of_a_function_of_one_value_has_a_span_of_its_own(
    watched: "Watched", functions: Functions, exporter: InMemorySpanExporter
) -> None:
    await watched.publish("a")
    await watched.publish("b", traceparent=parent_of(1), tracestate="vendor=1")
    await watched.publish("c", traceparent=parent_of(2, "00"))
    await watched.publish("d", traceparent=parent_of(3))
    watched.start((await functions.one_value(twice)).address)
    outputs = await watched.outputs(8)
    await watched.until_acked(3)
    await watched.stop()
    b, d = named(exporter, "process in")
    assert [parent(b), parent(d)] == [1, 3]
    assert [carried(one) for one in outputs] == [
        *[None, None],
        *[id_of(b), id_of(b)],
        *[None, None],
        *[id_of(d), id_of(d)],
    ]
    assert outputs[2].headers["tracestate"] == "vendor=1"
    assert (b.kind, b.status.status_code) == (SpanKind.CONSUMER, StatusCode.UNSET)
    assert b.attributes == {
        "messaging.system": "penstock",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": "in",
        "messaging.consumer.group.name": "g",
    }
    # They were published in one batch, to which both traces lead.
    sent = named(exporter, "send out")
    assert {parent(span) for span in sent} <= {id_of(b), id_of(d)}
    assert {link.context.span_id for span in sent for link in span.links} <= {id_of(b), id_of(d)}


async def test_a_sampled_input_without_outputs_has_a_span_too(
    watched: "Watched", functions: Functions, exporter: InMemorySpanExporter
) -> None:
    await watched.publish("", traceparent=parent_of(1))
    watched.start((await functions.one_value(twice)).address, PENSTOCK_WINDOW='{"size": "1h"}')
    await watched.until_acked(0)
    # It is over as soon as the input is done, and not with the window.
    [span] = named(exporter, "process in")
    assert parent(span) == 1
    await watched.stop()
    assert named(exporter, "send out") == []


@pytest.mark.parametrize("protocol", ["batch", "riff"])
async def test_a_call_of_a_function_of_streams_has_one_that_is_linked_to_its_inputs(
    watched: "Watched", functions: Functions, exporter: InMemorySpanExporter, protocol: str
) -> None:
    host = await (functions.streams if protocol == "batch" else functions.riff)(gather)
    for number in range(1, 4):
        await watched.publish("x", traceparent=parent_of(number))
        await watched.publish("y")
    watched.start(
        host.address, PENSTOCK_WINDOW='{"type": "Count", "count": 6}', PENSTOCK_PROTOCOL=protocol
    )
    [output] = await watched.outputs(1)
    await watched.until_acked(5)
    await watched.stop()
    [span] = named(exporter, "process in")
    assert parent(span) == 1
    assert [link.context.span_id for link in span.links] == [1, 2, 3]
    assert span.attributes
    assert span.attributes["messaging.batch.message_count"] == 6
    assert carried(output) == id_of(span)
    [sent] = named(exporter, "send out")
    assert parent(sent) == id_of(span)


async def test_an_input_that_comes_after_outputs_is_linked_as_well(
    watched: "Watched", functions: Functions, exporter: InMemorySpanExporter
) -> None:
    async def each(items: AsyncIterator[Item]) -> AsyncIterator[Item]:
        async for item in items:
            yield 0, Message(item[1].payload, "text/plain")

    watched.start(
        (await functions.streams(each)).address, PENSTOCK_WINDOW='{"type": "Count", "count": 3}'
    )
    await watched.publish("a")
    await watched.outputs(1)
    for count, number in ((2, 1), (3, 2)):
        await watched.publish("b", traceparent=parent_of(number))
        outputs = await watched.outputs(count)
    await watched.until_acked(2)
    await watched.stop()
    [span] = named(exporter, "process in")
    assert parent(span) == 1
    assert [link.context.span_id for link in span.links] == [2]
    assert [carried(one) for one in outputs] == [None, id_of(span), id_of(span)]


async def test_a_function_that_sets_a_trace_of_its_own_is_left_alone(
    watched: "Watched", functions: Functions, exporter: InMemorySpanExporter
) -> None:
    own = parent_of(99)

    def set_own(item: Item) -> Sequence[Item]:
        return [(0, Message(b"own", "text/plain", headers={"traceparent": own})), *twice(item)]

    await watched.publish("a", traceparent=parent_of(1))
    watched.start((await functions.one_value(set_own)).address)
    outputs = await watched.outputs(3)
    await watched.until_acked(0)
    await watched.stop()
    [span] = named(exporter, "process in")
    assert [carried(one) for one in outputs] == [99, id_of(span), id_of(span)]


@pytest.mark.parametrize("protocol", ["batch", "riff"])
async def test_a_trace_that_travelled_with_the_headers_is_not_the_functions_own(
    watched: "Watched", functions: Functions, exporter: InMemorySpanExporter, protocol: str
) -> None:
    async def each(items: AsyncIterator[Item]) -> AsyncIterator[Item]:
        async for item in items:
            yield 0, item[1]

    host = await (
        functions.one_value(lambda item: [(0, item[1])])
        if protocol == "batch"
        else functions.riff(each)
    )
    await watched.publish("a", traceparent=parent_of(1), other="kept")
    watched.start(host.address, PENSTOCK_PROTOCOL=protocol)
    [output] = await watched.outputs(1)
    await watched.until_acked(0)
    await watched.stop()
    [span] = named(exporter, "process in")
    assert carried(output) == id_of(span) != 1
    assert output.headers["other"] == "kept"


async def test_a_failure_is_shown(
    watched: "Watched", functions: Functions, exporter: InMemorySpanExporter
) -> None:
    def fail(_: Item) -> Sequence[Item]:
        raise ValueError("no good")

    await watched.publish("a", traceparent=parent_of(1))
    watched.start(
        (await functions.one_value(fail)).address, PENSTOCK_DELIVERY='{"maxDeliveries": 1}'
    )
    await watched.until_failed()
    await watched.stop()
    [span] = named(exporter, "process in")
    assert parent(span) == 1
    assert span.status.status_code is StatusCode.ERROR
    assert "no good" in (span.status.description or "")
    assert span.attributes
    assert span.attributes["error.type"] == "FunctionFailed"


async def test_a_call_that_is_given_up_is_shown_as_such(
    watched: "Watched", functions: Functions, exporter: InMemorySpanExporter
) -> None:
    called = asyncio.Event()

    async def hang(items: AsyncIterator[Item]) -> AsyncIterator[Item]:
        async for item in items:
            called.set()
            await asyncio.Event().wait()
            yield item

    await watched.publish("a", traceparent=parent_of(1))
    watched.start((await functions.streams(hang)).address, PENSTOCK_GRACE_SECONDS="0")
    async with asyncio.timeout(10):
        await called.wait()
    await watched.stop()
    [span] = named(exporter, "process in")
    assert span.status.description == "the call was given up"


async def test_without_a_sampled_message_there_is_no_span_and_nothing_is_changed(
    watched: "Watched", functions: Functions, exporter: InMemorySpanExporter
) -> None:
    def same(item: Item) -> Sequence[Item]:
        return [(0, item[1])]

    await watched.publish("a", traceparent=parent_of(1, "00"))
    await watched.publish("b")
    watched.start((await functions.one_value(same)).address)
    outputs = await watched.outputs(2)
    await watched.until_acked(1)
    await watched.stop()
    assert exporter.get_finished_spans() == ()
    assert [dict(one.headers) for one in outputs] == [{"traceparent": parent_of(1, "00")}, {}]
