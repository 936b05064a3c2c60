"""Subscriptions: streams, and processors for the applications that are in the files."""

import json
from collections.abc import Iterator
from typing import Any

from penstock.adoption.dapr.components import KAFKA
from penstock.adoption.dapr.settings import Settings
from penstock.adoption.entry import PLACEHOLDER, Entry, as_name, resource
from penstock.adoption.foreign import Foreign
from penstock.adoption.function import IMAGE, ONE_BY_ONE, Function
from penstock.adoption.origin import Surroundings
from penstock.adoption.topic import stream_of_topic
from penstock.duration import format_duration

_APPLICATION = "dapr.io/app-id"
_OFFSETS = {"oldest": "earliest", "newest": "latest"}
_BULK_MESSAGES, _BULK_MILLISECONDS = 100, 1000
"""What Dapr takes where a subscription to many messages at once says no more."""


def subscription(found: Foreign, surroundings: Surroundings) -> Iterator[Entry]:
    """A Subscription of either version."""
    spec = found.spec
    spec.require("pubsubname", "the component that carries the topic")
    spec.require("topic", "the topic that is subscribed to")
    name, topic = spec.text("pubsubname"), spec.text("topic")
    if not name or not topic:
        return
    component = surroundings.find("Component", name, found.home)
    if component is None and surroundings.makes("Gateway", name, found.home):
        message = f'Component "{name}" is in no file: put the brokers in the place of {PLACEHOLDER}'
        surroundings.warn(found, message)
        address = {"bootstrapServers": f"{PLACEHOLDER}:9092"}
        gateway = resource("KafkaGateway", name, found.namespace, address)
        gateway.comment(("spec", "bootstrapServers"), message)
        yield gateway
    dead_topic = spec.text("deadLetterTopic")
    streams = [_stream(one, found, component, name) for one in filter(None, (topic, dead_topic))]
    streams[0].heading.append(f"the topic of {found.title}, {found.source}")
    if dead_topic:
        streams[1].heading.append(f"the dead letters of {found.title}, {found.source}")
    yield from streams
    names = [one.document["metadata"]["name"] for one in streams]
    yield from _processors(found, surroundings, component, names)


def _stream(topic: str, found: Foreign, component: Foreign | None, gateway: str) -> Entry:
    spec = {"gateway": {"name": as_name(gateway)}}
    if component is None or component.spec.text("type") == KAFKA:
        return stream_of_topic(topic, found.namespace, spec)
    return resource("Stream", topic, found.namespace, spec)


def _processors(
    found: Foreign, surroundings: Surroundings, component: Foreign | None, streams: list[str]
) -> Iterator[Entry]:
    """A processor for each application that subscribes, or why there is none.

    Args:
        found: The subscription.
        surroundings: What stands beside it.
        component: What carries the topic, where it is in the files.
        streams: What is read, and where dead letters go, if anywhere.
    """
    applications = found.fields.texts("scopes")
    routes = list(_routes(found))
    bulk = found.spec.fields("bulkSubscribe")
    window: dict[str, Any] = dict(ONE_BY_ONE)
    if bulk.flag("enabled"):
        milliseconds = bulk.number("maxAwaitDurationMs") or _BULK_MILLISECONDS
        window = {
            "type": "Tumbling",
            "size": format_duration(milliseconds / 1000),
            "maxMessages": bulk.number("maxMessagesCount") or _BULK_MESSAGES,
        }
    offset = Settings(component).text("initialOffset") if component else ""
    if not applications:
        message = "has no scopes: write a Processor for each application that subscribes"
        surroundings.warn(found, message)
        remark = found.remark(message)
        remark.heading += [*routes, *_rest(found)]
        yield remark
        return
    for application in applications:
        name = found.name if len(applications) == 1 else f"{found.name}-{application}"
        spec: dict[str, Any] = {
            "inputs": [{"stream": streams[0], "startOffset": _OFFSETS.get(offset, "latest")}]
        }
        function = _function(application, found, surroundings)
        spec |= {"template": function.template, "window": window}
        if streams[1:]:
            spec["delivery"] = {"deadLetter": {"stream": streams[1]}}
        entry = resource("Processor", name, found.namespace, spec)
        function.explain(entry)
        for one in routes:
            entry.comment(IMAGE, one)
        how = "for each message" if window == ONE_BY_ONE else "for many messages at once"
        entry.comment(("spec", "window"), f"the function is called {how}")
        yield found.explain(entry)


def _routes(found: Foreign) -> Iterator[str]:
    """Where the application was called, in words."""
    if route := found.spec.text("route"):
        yield f"it was called at {route}"
    routes = found.spec.fields("routes")
    for one in routes.each("rules"):
        condition, path = one.text("match"), one.text("path")
        yield f"it was called at {path} where {json.dumps(condition, ensure_ascii=False)}"
    if default := routes.text("default"):
        yield f"it was called at {default} for all others"


def _rest(found: Foreign) -> Iterator[str]:
    return (f"no equal: {one.text}" for one in found.fields.rest())


def _function(application: str, found: Foreign, surroundings: Surroundings) -> Function:
    for one in surroundings.of_kind("Deployment", found.home):
        template = one.spec.fields("template")
        annotations = template.fields("metadata").fields("annotations")
        if annotations.scalar(_APPLICATION) == application:
            containers = template.fields("spec").peek("containers")
            if function := Function.of(containers, f"{one.title}, {one.source}"):
                return function
    message = (
        f'no Deployment with {_APPLICATION} "{application}" is in the files: put its image in the '
        f"place of {PLACEHOLDER}"
    )
    surroundings.warn(found, message)
    return Function.unknown(message)
