"""Where in a file a resource, or a field of it, was declared."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

FieldPath = tuple[str | int, ...]
"""The way to a field from a resource's root: names of fields and places in lists, from 0."""

STANDARD_INPUT = Path("-")


@dataclass(frozen=True, slots=True)
class Source:
    """A place in a file.

    Attributes:
        file: The file, as the person named it; `-` is standard input.
        line: From 1; 0 is the file as a whole.
        lines: The line of each field that the document has, by its path in the document.
        base: Where in the document the resource begins, for one that is an item of a List.
    """

    file: Path
    line: int = 0
    lines: Mapping[FieldPath, int] = field(default_factory=dict, repr=False, compare=False)
    base: FieldPath = field(default=(), repr=False, compare=False)

    def at(self, path: FieldPath) -> "Source":
        """The place of a field; of the nearest one around it when it is not there."""
        whole = (*self.base, *path)
        while whole and whole not in self.lines:
            whole = whole[:-1]
        line = self.lines.get(whole, self.line)
        return Source(self.file, line, self.lines, (*self.base, *path))

    def with_alias(self, path: FieldPath, name: str) -> "Source":
        """The same source, in which a field is found under another name as well."""
        old = (*self.base, *path)
        new = (*old[:-1], name)
        found = {
            (*new, *field[len(old) :]): line
            for field, line in self.lines.items()
            if field[: len(old)] == old
        }
        return Source(self.file, self.line, {**self.lines, **found}, self.base)

    def __str__(self) -> str:
        name = "standard input" if self.file == STANDARD_INPUT else str(self.file)
        return f"{name}:{self.line}" if self.line else name


NOWHERE = Source(Path("<not from a file>"))
"""Of a resource that was made in code or read from a cluster."""


def format_path(path: FieldPath) -> str:
    """A path as people write it: `spec.inputs[0].stream`, `spec.config["retention.ms"]`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part.replace("_", "").replace("-", "").isalnum():
            text += f".{part}" if text else part
        else:
            text += f'["{part}"]'
    return text
