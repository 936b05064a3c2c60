"""What is wrong in a manifest, and where, in one line for a person."""

from dataclasses import dataclass
from typing import Literal

from penstock.resources.models import Resource
from penstock.resources.source import FieldPath, Source, format_path

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        source: The file and the line.
        message: What is wrong, what is allowed and what to do.
        resource: What it is about, such as `Processor "averager"`; empty for a whole document.
        field: The field, such as `spec.inputs[0].stream`; empty for a whole resource.
        severity: With an error the manifests cannot be used.
    """

    source: Source
    message: str
    resource: str = ""
    field: str = ""
    severity: Severity = "error"

    @classmethod
    def about(
        cls, resource: Resource, path: FieldPath, message: str, severity: Severity = "error"
    ) -> "Problem":
        """A problem of a field of a resource, or with an empty path of the whole."""
        field = format_path(path)
        return cls(resource.source.at(path), message, resource.title, field, severity)

    def __str__(self) -> str:
        mark = "warning" if self.severity == "warning" else ""
        parts = (str(self.source), mark, self.resource, self.field, self.message)
        return _one_line(": ".join(part for part in parts if part))


def _one_line(text: str) -> str:
    """What a manifest has of line breaks and control characters does not reach a terminal."""
    if text.isprintable():
        return text
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode() for one in text
    )
