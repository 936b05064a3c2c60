"""Manifests of the tests: resources as mappings, written as YAML."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

API_VERSION = "streaming.projectriff.io/v1alpha1"
UPPER = "def upper(word: str) -> str:\n    return word.upper()\n"

Resource = Mapping[str, Any]
Spec = Mapping[str, Any]


def resource(kind: str, name: str, spec: Spec) -> Resource:
    """A resource of penstock's, in the default namespace."""
    return {
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": {"name": name},
        "spec": spec,
    }


def memory() -> Resource:
    """The gateway `memory`."""
    return resource("InMemoryGateway", "memory", {})


def kafka_gateway(name: str, bootstrap_servers: str, **fields: Any) -> Resource:
    """A gateway on Kafka; `fields` are more of its spec."""
    return resource("KafkaGateway", name, {"bootstrapServers": bootstrap_servers, **fields})


def stream(name: str, gateway: str, **fields: Any) -> Resource:
    """A stream of texts; `fields` are more of its spec."""
    spec = {"gateway": {"name": gateway}, "contentType": "text/plain", **fields}
    return resource("Stream", name, spec)


def upper(name: str, source: str, target: str) -> Resource:
    """A processor that writes each text of one stream in capitals to another."""
    container = {"command": ["penstock-invoker", "function:upper"]}
    spec = {
        "inputs": [{"stream": source, "startOffset": "earliest"}],
        "outputs": [{"stream": target}],
        "template": {"spec": {"containers": [container]}},
    }
    return resource("Processor", name, spec)


def secret(name: str, **values: str) -> Resource:
    """A Secret of Kubernetes with values by key; an underscore in a key stands for a dot."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name},
        "stringData": {key.replace("_", "."): value for key, value in values.items()},
    }


def write(folder: Path, *resources: Resource) -> Path:
    """Write `app.yaml`, and the function of `upper` beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "function.py").write_text(UPPER)
    file = folder / "app.yaml"
    # JSON is YAML too.
    file.write_text("\n---\n".join(json.dumps(one, indent=2) for one in resources) + "\n")
    return file
