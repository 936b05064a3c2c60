"""Resources of other systems, as their files declare them."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from penstock.adoption.entry import Entry
from penstock.adoption.fields import Fields
from penstock.resources.document import Document, MalformedDocument, read_documents
from penstock.resources.files import Text
from penstock.resources.models import DEFAULT_NAMESPACE
from penstock.resources.problem import Problem, Severity
from penstock.resources.sentence import shown
from penstock.resources.source import Source

_OF_THE_CLUSTER = (
    "clusterName",
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "finalizers",
    "generateName",
    "generation",
    "managedFields",
    "resourceVersion",
    "selfLink",
    "uid",
)
_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


@dataclass(frozen=True, slots=True)
class Foreign:
    """A resource of another system.

    Attributes:
        group, kind, name: Of its apiVersion, kind and metadata.
        namespace: As given; empty where it is not.
        fields: All its fields; what the cluster wrote counts as dealt with.
        source: Where it is declared.
    """

    group: str
    kind: str
    name: str
    namespace: str
    fields: Fields
    source: Source

    @property
    def title(self) -> str:
        """How messages call it."""
        return f'{self.kind} "{self.name}"'

    @property
    def spec(self) -> Fields:
        """Its spec."""
        return self.fields.fields("spec")

    @property
    def home(self) -> str:
        """The namespace in which it is."""
        return self.namespace or DEFAULT_NAMESPACE

    def labels(self, *foreign: str) -> dict[str, str]:
        """Its labels, but for those that only its own system reads.

        Args:
            foreign: What the names of those begin with.
        """
        labels = self.fields.fields("metadata").scalars("labels")
        return {name: value for name, value in labels.items() if not name.startswith(foreign)}

    def label(self, name: str) -> str:
        """The value of a label; empty where there is none."""
        return self.fields.fields("metadata").scalars("labels").get(name, "")

    def annotation(self, name: str) -> str:
        """The value of an annotation; empty where there is none."""
        return self.fields.fields("metadata").fields("annotations").scalar(name)

    def explain(self, entry: Entry) -> Entry:
        """Say above an entry where it is from, and in it which fields have no equal."""
        entry.heading.insert(0, f"from {self.title}, {self.source}")
        for rest in self.fields.rest():
            entry.comment(rest.path, f"no equal: {rest.text}")
        return entry

    def remark(self, text: str) -> Entry:
        """An entry without a document, for what becomes none."""
        return Entry(heading=[f"{self.title}, {self.source}: {text}"])


def read_foreign(texts: Iterable[Text | Problem], problems: list[Problem]) -> Iterator[Foreign]:
    """The resources of some files; the items of a List one by one.

    Args:
        texts: The files, or why one cannot be read.
        problems: Where problems are noted.
    """
    for text in texts:
        if isinstance(text, Problem):
            problems.append(text)
            continue
        for document in read_documents(text.file, text.text):
            if isinstance(document, MalformedDocument):
                problems.append(Problem(Source(text.file, document.line), str(document)))
            else:
                yield from _resources(document, problems)


def _resources(document: Document, problems: list[Problem]) -> Iterator[Foreign]:
    value, source = document.value, document.source
    if not isinstance(value, dict):
        message = "expected a resource with apiVersion, kind and metadata"
        problems.append(Problem(source, f"{message}, got {shown(value)}"))
    elif str(value.get("kind")).endswith("List") and isinstance(value.get("items"), list):
        for index, item in enumerate(value["items"]):
            yield from _resources(Document(item, source.at(("items", index))), problems)
    else:
        yield from _resource(value, source, problems)


def _resource(value: dict[str, Any], source: Source, problems: list[Problem]) -> Iterator[Foreign]:
    kind = value.get("kind")
    metadata = value.get("metadata")
    name = metadata.get("name") if isinstance(metadata, dict) else ""
    title = f'{kind} "{name}"' if name else str(kind or "")
    fields = Fields(value, source, problems, title)
    before = len(problems)
    for required in ("apiVersion", "kind"):
        fields.require(required, "what the document is")
    group = fields.text("apiVersion").rpartition("/")[0]
    fields.text("kind")
    inner = fields.fields("metadata")
    inner.require("name", "the resource's name")
    inner.pass_over(*_OF_THE_CLUSTER)
    inner.fields("annotations").pass_over(_APPLIED)
    fields.pass_over("status")
    found = Foreign(group, str(kind), inner.text("name"), inner.text("namespace"), fields, source)
    if len(problems) == before:
        yield found


def problem_of(resource: Foreign, message: str, severity: Severity = "warning") -> Problem:
    """Something that is to be known of a resource as a whole."""
    return Problem(resource.source, message, resource.title, severity=severity)
