"""What the two processes of a processor are told: its function's and its sidecar's.

Pure, so that the local runtime makes processes of it and a controller makes pods.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from penstock.resources.models import Processor

_VARIABLE = re.compile(r"\$(?:(\$)|\((?P<name>[^()]+)\))")


@dataclass(frozen=True, slots=True)
class Connection:
    """How a sidecar may reach a messaging system itself: a gateway's kind and its spec."""

    kind: str
    spec: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StreamBinding:
    """Where a stream is found.

    Attributes:
        gateway: `host:port` that speaks the gateway protocol.
        topic: The stream's topic there.
        content_type: What the stream's messages are.
        connection: The way past the gateway's server, for gateways that have one.
    """

    gateway: str
    topic: str
    content_type: str
    connection: Connection | None = None

    def files(self) -> Mapping[str, str]:
        """The binding as files: their paths and what is in them."""
        files = {
            "metadata/contentType": self.content_type,
            "secret/gateway": self.gateway,
            "secret/topic": self.topic,
        }
        if self.connection:
            content = {"kind": self.connection.kind, "spec": dict(self.connection.spec)}
            files["secret/connection"] = json.dumps(content)
        return files


def binding_files(processor: Processor, streams: Mapping[str, StreamBinding]) -> Mapping[str, str]:
    """What is in a sidecar's folder of bindings, by path.

    Args:
        processor: The processor.
        streams: Those of its namespace, by name; at least the ones that it needs.
    """
    return {
        f"{folder}/{path}": content
        for folder, stream in binding_folders(processor)
        for path, content in {"metadata/stream": stream, **streams[stream].files()}.items()
    }


def binding_folders(processor: Processor) -> Iterator[tuple[str, str]]:
    """Each folder of a sidecar's bindings, and the stream whose binding is in it."""
    for index, given in enumerate(processor.spec.inputs):
        yield f"input_{index:03}", given.stream
    for index, output in enumerate(processor.spec.outputs):
        yield f"output_{index:03}", output.stream
    if stream := processor.spec.delivery.dead_letter_stream:
        yield "dead_letter_000", stream


def sidecar_environment(processor: Processor, *, function: str, bindings: str) -> Mapping[str, str]:
    """The variables of a sidecar.

    Args:
        processor: The processor.
        function: `host:port` of its function.
        bindings: The folder with the files of `binding_files`.
    """
    inputs = processor.spec.inputs
    return {
        "FUNCTION": function,
        "GROUP": processor.metadata.name,
        "INPUT_NAMES": ",".join(one.alias for one in inputs),
        "INPUT_START_OFFSETS": ",".join(one.start_offset.value for one in inputs),
        "OUTPUT_NAMES": ",".join(one.alias for one in processor.spec.outputs),
        "CNB_BINDINGS": bindings,
        "PENSTOCK_NAMESPACE": processor.metadata.namespace,
        "PENSTOCK_WINDOW": processor.spec.window.model_dump_json(exclude_none=True),
        "PENSTOCK_DELIVERY": processor.spec.delivery.model_dump_json(exclude_none=True),
    }


def function_environment(processor: Processor, *, port: int) -> Mapping[str, str]:
    """The variables of a function: those of its container that have a value, and its port."""
    container = processor.spec.function_container
    variables: dict[str, str] = {}
    for one in container.env if container else ():
        if one.value_from is None:
            variables[one.name] = expand(one.value, variables)
    return variables | {"GRPC_PORT": str(port)}


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Put variables in place of `$(NAME)`, as Kubernetes does in commands and environments.

    `$$` is a dollar; a name that is not known stays as it stands.
    """
    return _VARIABLE.sub(
        lambda match: "$" if match[1] else variables.get(match["name"], match[0]), text
    )


def function_arguments(processor: Processor, variables: Mapping[str, str]) -> Sequence[str]:
    """Program and arguments of a function's container; none: the image knows them."""
    container = processor.spec.function_container
    if container is None or not container.command:
        return ()
    return [expand(part, variables) for part in (*container.command, *container.args)]
