"""From an object of the API server to the model of its kind."""

from dataclasses import dataclass
from typing import Any, TypeVar

from penstock.operator.desired import KubernetesObject
from penstock.resources.document import Document
from penstock.resources.models import Resource
from penstock.resources.source import NOWHERE
from penstock.resources.validation import validate

Model = TypeVar("Model", bound=Resource)

_READ = ("name", "namespace", "labels", "annotations")


@dataclass(frozen=True, slots=True)
class Refused:
    """Why no sound resource can be made of an object, in the words that a manifest's author gets.

    The API server refuses most of it; a plugin's own rules it does not know.
    """

    message: str


def read(value: KubernetesObject, model: type[Model]) -> Model | Refused:
    """Make the resource that an object is."""
    metadata: dict[str, Any] = {k: v for k, v in value["metadata"].items() if k in _READ}
    document = {k: v for k, v in value.items() if k != "status"} | {"metadata": metadata}
    resource, problems = validate(Document(document, NOWHERE), model, value["kind"])
    errors = [one for one in problems if one.severity == "error"]
    if isinstance(resource, model) and not errors:
        return resource
    return Refused("; ".join(": ".join(filter(None, [e.field, e.message])) for e in errors))
