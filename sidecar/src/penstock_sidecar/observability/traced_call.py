"""A call of the function that goes on with the traces of its inputs."""

from collections.abc import Mapping, Sequence
from time import time_ns
from typing import Final, NamedTuple

from opentelemetry.trace import Span, SpanContext, SpanKind, Tracer
from opentelemetry.util.types import AttributeValue

from penstock.observability.spans import (
    LINKS,
    TRACEPARENT,
    fail_span,
    find_sampled,
    headers_of,
    start_span,
)
from penstock.plugin import Message, PenstockError, TemporaryError
from penstock_sidecar.engine.commands import Part
from penstock_sidecar.function import FunctionCall, Outputs

WAITING: Final = 5000
"""So many sampled inputs, of which the function has said nothing yet, are remembered."""


class _Input(NamedTuple):
    """A sampled input that the function has; the time is in nanoseconds since the epoch."""

    topic: str
    origin: SpanContext
    since: int


class _Open(NamedTuple):
    """A span that outputs are made in, and the headers that say so."""

    span: Span
    headers: Mapping[str, str]


class TracedCall(FunctionCall):
    """Makes spans of the sampled inputs of a call, and puts them into the headers of its outputs.

    Where the function's host tells which input an output came from, each sampled input has a span
    of its own: from when it is handed over until it is done. Elsewhere the call has one, from its
    first sampled input until its end, that is linked to all of them.

    Args:
        inner: The call.
        tracer: What makes spans.
        topics: Of each input.
        attributes: Of each span.
    """

    def __init__(
        self,
        inner: FunctionCall,
        tracer: Tracer,
        topics: Sequence[str],
        attributes: Mapping[str, AttributeValue],
    ) -> None:
        self._inner = inner
        self._tracer = tracer
        self._topics = topics
        self._attributes = attributes
        self._fed = 0
        self._tells_inputs = False
        # By the number of the input within the call, in ascending order.
        self._waiting: dict[int, _Input] = {}
        self._answered: dict[int, _Open] = {}
        self._call: _Open | None = None
        self._links = 0
        # Headers travel from an input to its outputs: such a trace is not the function's own.
        self._inherited: set[str] = set()

    @property
    def reports(self) -> bool | None:
        """Pass it on."""
        return self._inner.reports

    async def write(self, parts: Sequence[Part]) -> bool:
        """Note the sampled messages."""
        now = time_ns()
        for part in parts:
            for place, origin in find_sampled(part.messages):
                self._note(self._fed + place, _Input(self._topics[part.input], origin, now))
                if len(self._inherited) < WAITING:
                    self._inherited.add(part.messages[place].headers[TRACEPARENT])
            self._fed += len(part.messages)
        return await self._inner.write(parts)

    async def finish(self) -> None:
        """Pass it on."""
        await self._inner.finish()

    async def read(self) -> Outputs | None:
        """Put traces into outputs, and end the spans of what is done."""
        try:
            outputs = await self._inner.read()
        except PenstockError as error:
            self._end(error)
            raise
        if outputs is None:
            self._end(None)
        elif outputs.inputs or outputs.inputs_done:
            self._tells_inputs = True
            if self._waiting or self._answered:
                return self._by_input(outputs)
        elif outputs.messages and (self._waiting or self._call):
            return self._by_call(outputs)
        return outputs

    def cancel(self) -> None:
        """End every span."""
        self._end(TemporaryError("the call was given up"))
        self._inner.cancel()

    def _note(self, number: int, one: _Input) -> None:
        if self._call:
            self._link(self._call.span, one)
        elif len(self._waiting) < WAITING:
            self._waiting[number] = one

    def _link(self, span: Span, one: _Input) -> None:
        if self._links < LINKS:
            self._links += 1
            span.add_link(one.origin)

    def _by_input(self, outputs: Outputs) -> Outputs:
        messages = list(outputs.messages)
        for place, number in enumerate(outputs.inputs):
            if number in self._waiting:
                self._answered[number] = self._open([self._waiting.pop(number)])
            if number in self._answered:
                messages[place] = self._traced(messages[place], self._answered[number].headers)
        self._end_inputs(outputs.inputs_done)
        return outputs._replace(messages=messages)

    def _by_call(self, outputs: Outputs) -> Outputs:
        headers = self._begin_call().headers
        return outputs._replace(messages=[self._traced(one, headers) for one in outputs.messages])

    def _traced(self, message: Message, headers: Mapping[str, str]) -> Message:
        """The message with these headers, unless the function gave it a trace of its own."""
        own = message.headers.get(TRACEPARENT)
        if own is not None and own not in self._inherited:
            return message
        return message._replace(headers={**message.headers, **headers})

    def _begin_call(self) -> _Open:
        if self._call is None:
            self._call = self._open(list(self._waiting.values()))
            self._links = len(self._waiting)
            self._waiting.clear()
        return self._call

    def _open(self, inputs: Sequence[_Input]) -> _Open:
        span = start_span(
            self._tracer,
            "process",
            inputs[0].topic,
            kind=SpanKind.CONSUMER,
            origins=[one.origin for one in inputs],
            attributes=self._attributes,
            start_time=inputs[0].since,
        )
        return _Open(span, headers_of(span))

    def _end_inputs(self, done: int, error: PenstockError | None = None) -> None:
        """End the spans of the first so many inputs; those without outputs have one as well."""
        for number in [number for number in self._waiting if number < done]:
            self._answered[number] = self._open([self._waiting.pop(number)])
        for number in [number for number in self._answered if number < done]:
            _end(self._answered.pop(number).span, error)

    def _end(self, error: PenstockError | None) -> None:
        """End every span; the call is over."""
        if self._tells_inputs:
            self._end_inputs(self._fed, error)
        elif self._waiting or self._call:
            call, self._call = self._begin_call(), None
            call.span.set_attribute("messaging.batch.message_count", self._fed)
            _end(call.span, error)


def _end(span: Span, error: PenstockError | None) -> None:
    if error is not None:
        fail_span(span, error)
    span.end()
