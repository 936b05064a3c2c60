"""What the documents of a manifest declare, each on its own."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from penstock.plugin import Plugins
from penstock.resources.document import Document
from penstock.resources.kinds import identify, resource_models
from penstock.resources.kubernetes_secret import Secret, read_secret
from penstock.resources.models import DEFAULT_NAMESPACE, GROUP, Resource
from penstock.resources.problem import Problem
from penstock.resources.sentence import shown
from penstock.resources.source import Source
from penstock.resources.validation import validate


@dataclass(frozen=True, slots=True)
class Declaration:
    """That a resource of this kind and name is declared, whether it is sound or not.

    Attributes:
        kind: Its kind, or what that seems to be; empty when it has none.
        namespace, name: As declared; a name that is missing is empty.
        source: Where.
        resource: The resource, where one could be made of what is there.
    """

    kind: str
    namespace: str
    name: str
    source: Source
    resource: Resource | Secret | None = None

    @property
    def is_gateway(self) -> bool:
        """Whether streams can name it as their gateway."""
        return self.kind.endswith("Gateway")

    @property
    def title(self) -> str:
        """How messages call it."""
        return " ".join(filter(None, [self.kind, f'"{self.name}"' if self.name else ""]))


def declared(document: Document, plugins: Plugins) -> Iterator[Declaration | Problem]:
    """What a document declares, and what is wrong with it; the items of a List one by one."""
    value = document.value
    if not isinstance(value, dict):
        message = "expected a resource with apiVersion, kind, metadata and spec"
        yield Problem(document.source, f"{message}, got {shown(value)}")
    elif value.get("kind") == "List" and isinstance(value.get("items"), list):
        for index, item in enumerate(value["items"]):
            source = document.source.at(("items", index))
            yield from declared(Document(item, source), plugins)
    else:
        yield from _declared(value, document.source, plugins)


def _declared(
    value: dict[str, Any], source: Source, plugins: Plugins
) -> Iterator[Declaration | Problem]:
    identified = identify(value, plugins)
    metadata = value.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    name = str(metadata.get("name") or "")
    namespace = str(metadata.get("namespace") or DEFAULT_NAMESPACE)
    title = Declaration(str(value.get("kind") or ""), namespace, name, source).title
    document = Document(value, source)
    resource: Resource | Secret | None = None
    problems: list[Problem] = []
    if identified.message:
        at = source.at((identified.field,))
        problems = [Problem(at, identified.message, title, identified.field)]
    elif not identified.kind:
        message = f"ignored here: penstock reads the kinds of {GROUP}"
        yield Problem(source, message, title, severity="warning")
        return
    elif identified.kind == Secret.kind:
        resource, problems = read_secret(document, namespace, name, title)
    else:
        resource, problems = validate(document, resource_models(plugins)[identified.kind], title)
    yield from problems
    yield Declaration(identified.kind, namespace, name, source, resource)
