"""A gateway that shows what it publishes in the traces of sampled messages."""

from collections.abc import Sequence
from functools import partial

from opentelemetry.trace import Tracer

from penstock.observability.spans import trace_publish
from penstock.plugin import Gateway, Message, PublishResult
from penstock.server.forwarding_gateway import ForwardingGateway


class TracedGateway(ForwardingGateway):
    """Makes a span of each publish that has a sampled message in it.

    Args:
        inner: The gateway.
        name: Its name.
        tracer: What makes spans.
    """

    def __init__(self, inner: Gateway, name: str, tracer: Tracer) -> None:
        super().__init__(inner)
        self._name = name
        self._tracer = tracer

    async def publish(self, topic: str, messages: Sequence[Message]) -> Sequence[PublishResult]:
        """Publish, and show it."""
        publish = partial(super().publish, topic, messages)
        return await trace_publish(self._tracer, self._name, topic, messages, publish)
