"""Spans of messages, by the messaging conventions of OpenTelemetry.

A message that carries no trace costs one look at its headers.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, NamedTuple

from opentelemetry.context import Context
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    Tracer,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from penstock.plugin import Message, Position, PublishResult

TRACEPARENT: Final = "traceparent"
LINKS: Final = 128
"""To so many messages a span is linked at most, which is also what OpenTelemetry keeps."""

_PROPAGATOR: Final = TraceContextTextMapPropagator()
_NOWHERE: Final = Context()


class Sampled(NamedTuple):
    """A message that is part of a sampled trace: its place in its batch, and where it is from."""

    place: int
    origin: SpanContext


def find_sampled(messages: Sequence[Message]) -> Sequence[Sampled]:
    """The messages of a batch that are part of a sampled trace."""
    return [
        Sampled(place, origin)
        for place, message in enumerate(messages)
        if TRACEPARENT in message.headers and (origin := _origin(message.headers))
    ]


def _origin(headers: Mapping[str, str]) -> SpanContext | None:
    origin = get_current_span(_PROPAGATOR.extract(headers, _NOWHERE)).get_span_context()
    return origin if origin.is_valid and origin.trace_flags.sampled else None


def start_span(
    tracer: Tracer,
    operation: str,
    topic: str,
    *,
    kind: SpanKind,
    origins: Sequence[SpanContext],
    attributes: Mapping[str, AttributeValue],
    start_time: int | None = None,
) -> Span:
    """Begin a span that goes on with a trace.

    Args:
        tracer: What makes it.
        operation: `send` or `process`.
        topic: Of the messages.
        kind: As the conventions have it for the operation.
        origins: Where the messages are from: at least one. The first is the parent; with
            several, the span is linked to each.
        attributes: Beside those of the operation and the topic.
        start_time: In nanoseconds since the Unix epoch; now.
    """
    different = list({(one.trace_id, one.span_id): one for one in origins}.values())
    return tracer.start_span(
        f"{operation} {topic}",
        context=set_span_in_context(NonRecordingSpan(different[0]), _NOWHERE),
        kind=kind,
        attributes={
            "messaging.operation.name": operation,
            "messaging.operation.type": operation,
            "messaging.destination.name": topic,
            **attributes,
        },
        links=[Link(one) for one in different[:LINKS]] if len(different) > 1 else (),
        start_time=start_time,
    )


def headers_of(span: Span) -> Mapping[str, str]:
    """The headers by which a message carries a span's trace on."""
    headers: dict[str, str] = {}
    _PROPAGATOR.inject(headers, set_span_in_context(span, _NOWHERE))
    return headers


def fail_span(span: Span, error: BaseException) -> None:
    """Note that what a span stands for failed."""
    span.set_attribute("error.type", type(error).__name__)
    span.set_status(Status(StatusCode.ERROR, str(error)))


async def trace_publish(
    tracer: Tracer,
    system: str,
    topic: str,
    messages: Sequence[Message],
    publish: Callable[[], Awaitable[Sequence[PublishResult]]],
) -> Sequence[PublishResult]:
    """Publish a batch within a span, if any message of it is sampled.

    Args:
        tracer: What makes the span.
        system: The messaging system, in a word.
        topic: Where to.
        messages: The batch; the messages stay as they are.
        publish: Publishes it.
    """
    sampled = find_sampled(messages)
    if not sampled:
        return await publish()
    span = start_span(
        tracer,
        "send",
        topic,
        # The messages were made by others: this only hands them over.
        kind=SpanKind.CLIENT,
        origins=[one.origin for one in sampled],
        attributes={"messaging.system": system, "messaging.batch.message_count": len(messages)},
    )
    try:
        results = await publish()
        for failed in [one for one in results if not isinstance(one, Position)][:1]:
            fail_span(span, failed)
    except Exception as error:
        fail_span(span, error)
        raise
    else:
        return results
    finally:
        span.end()
