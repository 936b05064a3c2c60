"""What is printed for a foreign resource: a document, and comments where its fields stand."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from penstock.name import MAX_LENGTH
from penstock.resources.models import API_VERSION
from penstock.resources.source import NOWHERE, FieldPath, Source

PLACEHOLDER = "change-me"
"""Stands where something is needed that no file says; a warning tells of each."""


@dataclass(slots=True)
class Entry:
    """A resource of penstock; without a document it is a remark on something that becomes none.

    Attributes:
        document: As it is written in YAML.
        heading: Comments above the document.
        comments: Each with the field above which it stands; where there is no such field, it
            stands at the end of the nearest field around it.
        source: The place of what it is from.
    """

    document: dict[str, Any] = field(default_factory=dict)
    heading: list[str] = field(default_factory=list)
    comments: list[tuple[FieldPath, str]] = field(default_factory=list)
    source: Source = NOWHERE

    def comment(self, path: FieldPath, text: str) -> None:
        """Say something of a field."""
        self.comments.append((path, text))

    @property
    def key(self) -> tuple[str, str, str]:
        """Kind, namespace and name: no two entries may have the same."""
        metadata = self.document["metadata"]
        return self.document["kind"], metadata.get("namespace", ""), metadata["name"]


def resource(
    kind: str,
    name: str,
    namespace: str,
    spec: Mapping[str, Any],
    labels: Mapping[str, str] | None = None,
) -> Entry:
    """An entry with a resource.

    Args:
        kind: Its kind.
        name: Its name; one that is no name in Kubernetes is made one, and a comment says so.
        namespace: Its namespace; empty: none is given.
        spec: Its spec.
        labels: Its labels, if any.
    """
    given = {"name": as_name(name), "namespace": namespace, "labels": dict(labels or {})}
    metadata = {field: value for field, value in given.items() if value}
    entry = Entry({"apiVersion": API_VERSION, "kind": kind, "metadata": metadata})
    if spec:
        entry.document["spec"] = dict(spec)
    if metadata["name"] != name:
        entry.comment(("metadata", "name"), f'it was "{name}", which is no name of a {kind}')
    return entry


def as_name(text: str) -> str:
    """The name that is most like a text."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower())[:MAX_LENGTH].strip("-") or "unnamed"
