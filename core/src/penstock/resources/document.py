"""The documents of a YAML text, with the line of each field.

They are read as Kubernetes reads them: a date and `12:30` are texts, `y` and `yes` are true, a
field that is given twice is an error, and names of fields are texts.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml
from yaml.constructor import SafeConstructor

from penstock.resources.source import FieldPath, Source

MAX_VALUES = 200_000
"""How many values one document may have; aliases of aliases can make billions of a few lines."""

_TAG = "tag:yaml.org,2002:"
_TEXTS = frozenset({f"{_TAG}str", f"{_TAG}timestamp", f"{_TAG}value"})
_NUMBERS = frozenset({f"{_TAG}int", f"{_TAG}float"})
_SCALARS = frozenset({f"{_TAG}bool", f"{_TAG}null", *_NUMBERS})
_LETTERS = {"y": True, "Y": True, "n": False, "N": False}
_MERGE = f"{_TAG}merge"
_SEPARATOR = re.compile(r"^---(?=\s|$)", re.MULTILINE)
_NOTHING = re.compile(r"(?:[ \t]*(?:#.*)?|%.*|\.\.\.[ \t]*|---[ \t]*(?:#.*)?)")
_SECRET = re.compile(r"""\bkind["']?\s*:\s*["']?Secret\b""")
_HINTS = {
    "mapping values are not allowed here": 'a text with ": " in it needs quotes',
    r"found character '\t' that cannot start any token": "indent with spaces, not with tabs",
}


@dataclass(frozen=True, slots=True)
class Document:
    """One document: what it says, and where."""

    value: Any
    source: Source


class MalformedDocument(ValueError):
    """A document that cannot be read.

    Args:
        message: What is wrong and what to do.
        line: From 1, where it was noticed.
    """

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def read_documents(file: Path, text: str) -> Iterator[Document | MalformedDocument]:
    """Read each document on its own, so that a bad one does not hide the others.

    Args:
        file: Whose text it is.
        text: The documents, apart by lines that begin with `---`.
    """
    starts = [0, *(match.start() for match in _SEPARATOR.finditer(text)), len(text)]
    line = 1
    for start, end in pairwise(starts):
        chunk = text[start:end]
        if not all(_NOTHING.fullmatch(one) for one in chunk.splitlines()):
            try:
                yield _Reader(file, line).read(chunk)
            except MalformedDocument as malformed:
                # The message may quote what stands there.
                yield _hidden(malformed) if _SECRET.search(chunk) else malformed
        line += chunk.count("\n")


def _hidden(malformed: MalformedDocument) -> MalformedDocument:
    message = "this Secret is not YAML, or not as a manifest may have it; its text is not shown"
    return MalformedDocument(f"{message}: a value with signs needs quotes", malformed.line)


class _Reader:
    """Reads one document and notes the line of each value on the way."""

    def __init__(self, file: Path, first_line: int) -> None:
        self._file = file
        self._first_line = first_line
        self._lines: dict[FieldPath, int] = {}
        self._open: set[int] = set()
        self._count = 0
        self._scalars = SafeConstructor()

    def read(self, text: str) -> Document:
        try:
            root = yaml.compose(text, Loader=yaml.SafeLoader)
            value = self._value(root, ()) if root else None
        except yaml.MarkedYAMLError as error:
            raise self._not_yaml(error, text) from error
        except yaml.reader.ReaderError as error:
            line = self._first_line + text.count("\n", 0, error.position)
            message = f"this is not YAML: the character {chr(error.character)!r} is not allowed"
            raise MalformedDocument(message, line) from error
        except RecursionError as error:
            message = "this document is nested too deeply"
            raise MalformedDocument(message, self._first_line) from error
        line = self._first_line + (root.start_mark.line if root else 0)
        return Document(value, Source(self._file, line, self._lines))

    def _value(self, node: yaml.Node, path: FieldPath) -> Any:
        self._count += 1
        if self._count > MAX_VALUES:
            raise self._malformed(node, f"this document has more than {MAX_VALUES} values")
        self._lines.setdefault(path, self._line(node))
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if id(node) in self._open:
            raise self._malformed(node, "an alias stands for something that it is a part of")
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.SequenceNode) and node.tag == f"{_TAG}seq":
                return [self._value(one, (*path, n)) for n, one in enumerate(node.value)]
            if isinstance(node, yaml.MappingNode) and node.tag == f"{_TAG}map":
                return self._mapping(node, path)
        finally:
            self._open.discard(id(node))
        raise self._unknown_tag(node)

    def _mapping(self, node: yaml.MappingNode, path: FieldPath) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        for key, value in node.value:
            if key.tag == _MERGE:
                merged = self._merged(value, path) | merged
        own: dict[str, Any] = {}
        for key, value in node.value:
            if key.tag == _MERGE:
                continue
            if not isinstance(key, yaml.ScalarNode):
                raise self._malformed(key, "the name of a field is a text")
            field = (*path, key.value)
            if key.value in own:
                first = self._lines[field]
                raise self._malformed(key, f'"{key.value}" is given twice, first in line {first}')
            self._lines[field] = self._line(key)
            own[key.value] = self._value(value, field)
        return merged | own

    def _merged(self, node: yaml.Node, path: FieldPath) -> dict[str, Any]:
        sources = node.value if isinstance(node, yaml.SequenceNode) else [node]
        result: dict[str, Any] = {}
        for source in sources:
            value = self._value(source, path)
            if not isinstance(value, dict):
                raise self._malformed(source, '"<<" merges mappings, and this is none')
            result = value | result
        return result

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        if node.style is None and node.value in _LETTERS:
            return _LETTERS[node.value]
        if node.tag in _TEXTS or (node.tag in _NUMBERS and ":" in node.value):
            return node.value
        if node.tag not in _SCALARS:
            raise self._unknown_tag(node)
        try:
            return self._scalars.construct_object(node)
        except (ValueError, KeyError) as error:
            raise self._malformed(node, f'"{node.value[:40]}" cannot be read') from error

    def _unknown_tag(self, node: yaml.Node) -> MalformedDocument:
        tag = node.tag.removeprefix(_TAG)
        return self._malformed(node, f'the tag "{tag}" is not allowed in a manifest')

    def _malformed(self, node: yaml.Node, message: str) -> MalformedDocument:
        return MalformedDocument(message, self._line(node))

    def _not_yaml(self, error: yaml.MarkedYAMLError, text: str) -> MalformedDocument:
        lines = text.splitlines()
        mark = error.problem_mark or error.context_mark
        # The end of the text is a line behind the last.
        line = min(mark.line if mark else 0, len(lines) - 1)
        problem = error.problem or "it cannot be read"
        message = f"this is not YAML: {problem}, at `{lines[line].strip()[:60]}`"
        if error.context and error.context_mark and error.context_mark.line < line:
            message += f" ({error.context} of line {self._first_line + error.context_mark.line})"
        hints = (hint for start, hint in _HINTS.items() if problem.startswith(start))
        return MalformedDocument("; ".join([message, *hints]), self._first_line + line)

    def _line(self, node: yaml.Node) -> int:
        return self._first_line + int(node.start_mark.line)
