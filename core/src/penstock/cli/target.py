"""Where the stream of a command is: in the running `penstock run`, or behind a given gateway."""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any, NamedTuple

import click

from penstock.local.state import Run, find_run, state_folder
from penstock.plugin import NotReady, UsageError
from penstock.resources.suggestion import did_you_mean, listing

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_ADDRESS = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\s:/]+):(?P<port>[0-9]{1,5})")

_stream = click.argument("stream", required=False)
_namespace = click.option("-n", "--namespace", default="default", help="Namespace of the stream.")
_gateway = click.option(
    "--gateway",
    metavar="HOST:PORT",
    help="Any gateway, in place of what runs here. The topic is then NAMESPACE_STREAM; where the "
    "gateway's topics have a prefix, name the whole of it with --topic.",
)
_topic = click.option(
    "--topic", metavar="TOPIC", help="With --gateway: the topic as it is, in place of STREAM."
)


class Target(NamedTuple):
    """Where to publish or subscribe.

    Attributes:
        name: What messages call it.
        gateway: `host:port`.
        topic: The topic there.
        content_type: What the stream declares; empty where that is not known.
        namespace: The stream's; empty where only its topic was given.
        given: Whether the gateway was given, and is not that of what runs here.
    """

    name: str
    gateway: str
    topic: str
    content_type: str
    namespace: str
    given: bool

    def beside(self, stream: str) -> "Target":
        """Another stream, found as this one was: one of the same namespace, or by its topic.

        Raises:
            UsageError: There is no such stream.
            NotReady: Nothing is running here.
        """
        if not self.given:
            return find_target(stream, self.namespace, None, None)
        # A topic is given as such with --topic, and by a gateway that knows no names of streams.
        if self.namespace and _LABEL.fullmatch(stream):
            return find_target(stream, self.namespace, self.gateway, None)
        found = find_target(None, "", self.gateway, stream)
        return found._replace(namespace=self.namespace)


def target_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command an argument and options, and pass it what they name as `target`."""

    @wraps(command)
    def with_target(
        *,
        stream: str | None,
        namespace: str,
        gateway: str | None,
        topic: str | None,
        **others: Any,
    ) -> None:
        command(target=find_target(stream, namespace, gateway, topic), **others)

    return _stream(_namespace(_gateway(_topic(with_target))))


def find_target(
    stream: str | None, namespace: str, gateway: str | None, topic: str | None
) -> Target:
    """Find the stream that a command was given.

    Raises:
        UsageError: The options do not fit together, or there is no such stream.
        NotReady: Nothing is running here.
    """
    if gateway is None:
        if topic is not None:
            raise UsageError("--topic goes with --gateway HOST:PORT")
        return _running(_required(stream), namespace)
    _check_address(gateway)
    if topic is None:
        stream = _required(stream)
        for kind, label in (("stream", stream), ("namespace", namespace)):
            if not _LABEL.fullmatch(label):
                raise UsageError(
                    f"{label!r} is not a name of a {kind}: expected lower-case letters, digits "
                    "and '-'; a topic by its own name is given with --topic"
                )
        topic = f"{namespace}_{stream}"
    elif stream is not None:
        raise UsageError("--topic stands in place of STREAM: give one of them")
    else:
        namespace = ""
    name = f'topic "{topic}" of {gateway}'
    return Target(name, gateway, topic, content_type="", namespace=namespace, given=True)


def _required(stream: str | None) -> str:
    if not stream:
        raise UsageError("which stream? Give its name: STREAM")
    return stream


def _check_address(gateway: str) -> None:
    match = _ADDRESS.fullmatch(gateway)
    if match is None or not 0 < int(match["port"]) < 65536:
        raise UsageError(f"--gateway: {gateway!r} is not HOST:PORT, as localhost:6565")


def _running(stream: str, namespace: str) -> Target:
    folder = state_folder()
    run = find_run(folder)
    if run is None:
        raise NotReady(
            f"nothing is running here (by {folder}): start it with penstock run FILE, "
            "or name a gateway with --gateway HOST:PORT"
        )
    found = run.stream(namespace, stream)
    if found is None:
        raise _unknown(run, namespace, stream)
    return Target(
        f'stream "{stream}"',
        found.gateway,
        found.topic,
        found.content_type,
        namespace=namespace,
        given=False,
    )


def _unknown(run: Run, namespace: str, stream: str) -> UsageError | NotReady:
    here = [one.name for one in run.streams if one.namespace == namespace]
    if not run.ready:
        return NotReady(
            f'penstock run (pid {run.pid}) is not ready, and has no stream "{stream}" as yet'
            f"{did_you_mean(stream, here)}; what it waits for is in its output"
        )
    if not run.streams:
        return UsageError(f"penstock run (pid {run.pid}) has no streams: none is in its manifests")
    if not here:
        namespaces = listing({one.namespace for one in run.streams})
        return UsageError(
            f'there is no stream in namespace "{namespace}" of what is running; choose one with '
            f"-n; there are {namespaces}"
        )
    return UsageError(
        f'there is no stream "{stream}" in namespace "{namespace}" of what is running'
        f"{did_you_mean(stream, here)}; there are {listing(here)}"
    )
