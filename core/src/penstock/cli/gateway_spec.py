"""The spec of a gateway as a person gives it on the command line."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from penstock.plugin import GatewayKind, UsageError
from penstock.resources.document import Document, MalformedDocument, read_documents
from penstock.resources.models import API_VERSION, ConcreteGateway, concrete_gateway
from penstock.resources.source import STANDARD_INPUT, Source
from penstock.resources.validation import validate

COMMAND_LINE = Path("command line")


def read_spec(kind: GatewayKind, file: Path | None, settings: Sequence[str]) -> BaseModel:
    """An instance of the kind's model.

    Args:
        kind: What the spec is for.
        file: YAML of the whole of it; `-` is standard input.
        settings: `field=value`, each laid over it.

    Raises:
        UsageError: Something of it is wrong; the text has a line for each problem.
    """
    spec = _read(file) if file else {}
    for setting in settings:
        _lay(spec, setting)
    manifest = {
        "apiVersion": API_VERSION,
        "kind": kind.name,
        "metadata": {"name": kind.type},
        "spec": spec,
    }
    source = Source(file or COMMAND_LINE)
    resource, problems = validate(Document(manifest, source), concrete_gateway(kind), kind.name)
    if problems or not isinstance(resource, ConcreteGateway):
        raise UsageError("\n".join(map(str, problems)))
    return resource.spec


def _read(file: Path) -> dict[str, Any]:
    text = sys.stdin.read() if file == STANDARD_INPUT else file.read_text()
    fields: dict[str, Any] = {}
    for document in read_documents(file, text):
        if isinstance(document, MalformedDocument):
            raise UsageError(f"{file}:{document.line}: {document}")
        if fields or not isinstance(document.value, dict):
            raise UsageError(f"{document.source}: expected one mapping, the fields of the spec")
        fields = document.value
    return fields


def _lay(spec: dict[str, Any], setting: str) -> None:
    name, equals, text = setting.partition("=")
    if not equals or not all(parts := name.split(".")):
        raise UsageError(f'--set: "{setting}" is not FIELD=VALUE, as in partitions=3')
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise UsageError(f'--set: "{text}" is not YAML; a text with signs needs quotes') from error
    *parents, field = parts
    for parent in parents:
        spec = spec.setdefault(parent, {})
        if not isinstance(spec, dict):
            raise UsageError(f'--set: "{setting}": {parent} is no field with fields in it')
    spec[field] = value
