"""Who is called for events: processors."""

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from penstock.adoption.entry import PLACEHOLDER, Entry, as_name, resource
from penstock.adoption.fields import Fields
from penstock.adoption.foreign import Foreign
from penstock.adoption.function import ONE_BY_ONE, Function
from penstock.adoption.knative.channels import CHANNELS, OWN_LABELS, carrier, missing, stream_name
from penstock.adoption.knative.delivery import deliver
from penstock.adoption.origin import Surroundings

_SERVING = "serving.knative.dev"


class Bindings(NamedTuple):
    """What a processor reads and writes.

    Attributes:
        gateway: The gateway of what it reads.
        inputs: What it reads.
        outputs: What it writes.
        source: The channel or broker that it reads; its delivery counts where there is no other.
    """

    gateway: str
    inputs: list[dict[str, Any]]
    outputs: Sequence[dict[str, Any]] = ()
    source: Foreign | None = None


class Destination(NamedTuple):
    """Where events are sent: an object, or a URI.

    Attributes:
        kind, name, home: The object and its namespace; empty where there is none.
        uri: The URI, or what is added to the object's.
    """

    kind: str
    name: str
    home: str
    uri: str

    @classmethod
    def of(cls, fields: Fields, found: Foreign) -> "Destination":
        """The destination that some fields of a resource name."""
        reference = fields.fields("ref")
        reference.pass_over("apiVersion")
        home = reference.text("namespace", found.home)
        kind, name = reference.text("kind"), reference.text("name")
        if home != found.home and kind in (*CHANNELS, "Broker"):
            message = f'references stay within their namespace, and this is "{home}"'
            reference.report("namespace", message, "warning")
        return cls(kind, name, home, fields.text("uri"))

    @property
    def stream(self) -> str:
        """The stream in its place; empty where it is no channel and no broker."""
        is_stream = self.kind in (*CHANNELS, "Broker")
        return stream_name(self.kind, self.name) if is_stream else ""

    def __str__(self) -> str:
        return f'{self.kind} "{self.name}"' if self.kind else self.uri or "nobody"


def subscription(found: Foreign, surroundings: Surroundings) -> Iterator[Entry]:
    """A Subscription: a processor, where there is a subscriber."""
    channel = found.spec.fields("channel")
    channel.require("name", "the channel that is subscribed to")
    channel.pass_over("apiVersion")
    kind, name = channel.text("kind", "Channel"), channel.text("name")
    reply = Destination.of(found.spec.fields("reply"), found)
    if not found.spec.peek("subscriber"):
        message = "is left out: it has no subscriber, and no function passes on what it is given"
        surroundings.warn(found, message)
        yield found.remark(message)
        return
    yield from missing(kind, name, found, surroundings)
    outputs = []
    if reply.stream:
        yield from missing(reply.kind, reply.name, found, surroundings)
        outputs = [{"stream": reply.stream}]
    bindings = Bindings(
        carrier(kind, name, found.home, surroundings),
        [{"stream": stream_name(kind, name)}],
        outputs,
        surroundings.find(kind, name, found.home),
    )
    yield from processor(found, surroundings, bindings, "subscriber")


def trigger(found: Foreign, surroundings: Surroundings) -> Iterator[Entry]:
    """A Trigger: a processor of all that the broker has."""
    spec = found.spec
    name = spec.text("broker") or spec.fields("brokerRef").text("name")
    if not name:
        spec.report("broker", "is missing, and required: the broker whose events it wants")
        return
    yield from missing("Broker", name, found, surroundings)
    wanted = spec.fields("filter").scalars("attributes")
    filters = spec.whole("filters")
    bindings = Bindings(
        carrier("Broker", name, found.home, surroundings),
        [{"stream": stream_name("Broker", name)}],
        source=surroundings.find("Broker", name, found.home),
    )
    for entry in processor(found, surroundings, bindings, "subscriber"):
        if entry.document.get("kind") == "Processor":
            if wanted or filters:
                words = ", ".join(f"{key} {value}" for key, value in wanted.items())
                message = "has a filter, and gets all events: the function has to leave out others"
                surroundings.warn(found, message)
                text = f"it {message}; wanted: {words or json.dumps(filters, ensure_ascii=False)}"
                entry.comment(("spec", "inputs"), text)
            text = "what it answered went back to the broker: give it an output for that"
            entry.comment(("spec", "outputs"), text)
        yield entry


def service(found: Foreign, _: Surroundings) -> Iterator[Entry]:
    """A Service of Knative Serving, which runs where it is subscribed."""
    found.spec.fields("template").fields("spec").pass_over("containers")
    entry = found.remark("its container runs in the processors whose subscriber it is")
    entry.heading.extend(f"no equal: {one.text}" for one in found.fields.rest())
    yield entry


def sink_binding(found: Foreign, surroundings: Surroundings) -> Iterator[Entry]:
    """A SinkBinding: who sends has to publish."""
    subject = found.spec.fields("subject")
    who = f"{subject.text('kind')} {subject.text('name')}".strip()
    stream = Destination.of(found.spec.fields("sink"), found).stream
    where = f'the stream "{stream}"' if stream else "a stream"
    message = f"is left out: no address is put into {who}: let it publish to {where}"
    surroundings.warn(found, message)
    entry = found.remark(message)
    subject.pass_over("apiVersion", "namespace")
    entry.heading.extend(f"no equal: {one.text}" for one in found.fields.rest())
    yield entry


def processor(
    found: Foreign,
    surroundings: Surroundings,
    bindings: Bindings,
    subscriber: str,
) -> Iterator[Entry]:
    """A processor, and the stream of its dead letters where there is none as yet.

    Args:
        found: What subscribes.
        surroundings: What stands beside it.
        bindings: What it reads and writes.
        subscriber: The field of the spec that says who is called.
    """
    delivery = found.spec.fields("delivery")
    if bindings.source and not found.spec.peek("delivery"):
        delivery = bindings.source.spec.fields("delivery")
    dead_letters = ""
    if delivery.peek("deadLetterSink"):
        sink = Destination.of(delivery.fields("deadLetterSink"), found)
        dead_letters = sink.stream
        if dead_letters:
            yield from missing(sink.kind, sink.name, found, surroundings)
        else:
            # Room for what is added, in 63 characters.
            dead_letters = as_name(f"{found.name[:50]}-dead-letters")
            yield _dead_letters(dead_letters, sink, found, bindings.gateway)
    spec: dict[str, Any] = {"inputs": bindings.inputs}
    if bindings.outputs:
        spec["outputs"] = list(bindings.outputs)
    function = _function(found.spec.fields(subscriber), found, surroundings)
    spec |= {"template": function.template, "window": ONE_BY_ONE}
    entry = resource("Processor", found.name, found.namespace, spec, found.labels(*OWN_LABELS))
    function.explain(entry)
    entry.comment(("spec", "window"), "the function is called for each event")
    deliver(delivery, entry, dead_letters)
    yield found.explain(entry)


def _dead_letters(name: str, sink: Destination, found: Foreign, gateway: str) -> Entry:
    spec = {"gateway": {"name": gateway}}
    entry = resource("Stream", name, found.namespace, spec)
    text = f"the dead letters of {found.title}, which went to {sink}: let a processor read them"
    entry.heading.append(text)
    return entry


def _function(subscriber: Fields, found: Foreign, surroundings: Surroundings) -> Function:
    called = Destination.of(subscriber, found)
    for one in surroundings.of_kind("Service", called.home):
        if (one.kind, one.name, one.group) == (called.kind, called.name, _SERVING):
            containers = one.spec.fields("template").fields("spec").peek("containers")
            if function := Function.of(containers, f"{one.title}, {one.source}"):
                return function
    message = f"the image of {called} is in no file: put it in the place of {PLACEHOLDER}"
    surroundings.warn(found, message)
    return Function.unknown(message)
