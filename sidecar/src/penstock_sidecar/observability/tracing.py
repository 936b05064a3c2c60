"""Shows a processor in the traces of sampled messages."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from opentelemetry.trace import Tracer

from penstock.observability.forwarding import ForwardingPubSub
from penstock.observability.spans import trace_publish
from penstock.plugin import Message, PublishResult, PubSub
from penstock_sidecar.function import FunctionCall
from penstock_sidecar.observability.observer import Observer
from penstock_sidecar.observability.traced_call import TracedCall
from penstock_sidecar.pump import Sink

SYSTEM: Final = "penstock"


class Tracing(Observer):
    """Makes spans.

    Args:
        tracer: What makes them.
        group: The consumer group.
        topics: Of each input.
    """

    def __init__(self, tracer: Tracer, group: str, topics: Sequence[str]) -> None:
        self._tracer = tracer
        self._topics = topics
        self._attributes = {"messaging.system": SYSTEM, "messaging.consumer.group.name": group}

    def call(self, call: FunctionCall) -> FunctionCall:
        """Go on with the traces of its inputs."""
        return TracedCall(call, self._tracer, self._topics, self._attributes)

    def sink(self, number: int, sink: Sink) -> Sink:  # noqa: ARG002 - as the others have it
        """Show what is published."""
        return replace(sink, pubsub=_TracedOutput(sink.pubsub, self._tracer))


class _TracedOutput(ForwardingPubSub):
    def __init__(self, inner: PubSub, tracer: Tracer) -> None:
        super().__init__(inner)
        self._tracer = tracer

    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[PublishResult]:
        """Publish within a span."""
        publish = partial(super().publish, topic, messages)
        return await trace_publish(self._tracer, SYSTEM, topic, messages, publish)
