"""YAML with comments, of entries."""

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import yaml

from penstock.adoption.entry import Entry
from penstock.resources.source import FieldPath

_WIDTH = 100
_PLAIN = re.compile(r"[A-Za-z/](?:[\w./@+:-]*[\w./@+-])?", re.ASCII)
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
"""What YAML does not read as a text; PyYAML knows only some of them."""


def render(entries: Iterable[Entry]) -> str:
    """The entries as one text of YAML: a document for each that has one, remarks between."""
    return "\n".join("\n".join(_Renderer(one).lines()) + "\n" for one in entries)


class _Renderer:
    def __init__(self, entry: Entry) -> None:
        self._entry = entry
        self._comments: dict[FieldPath, list[str]] = {}
        self._last: dict[FieldPath, list[str]] = {}
        for path, text in entry.comments:
            holder = path
            while holder and not _is_there(entry.document, holder):
                holder = holder[:-1]
            places = self._comments if holder == path else self._last
            places.setdefault(holder, []).append(text)

    def lines(self) -> Iterator[str]:
        if self._entry.document:
            yield "---"
        for text in self._entry.heading:
            yield from _comment(text, "")
        yield from self._value(self._entry.document, (), "")

    def _value(self, value: Any, path: FieldPath, indent: str) -> Iterator[str]:
        """The lines of a mapping or a list, each with its indent."""
        if isinstance(value, Mapping):
            for name, inner in value.items():
                yield from self._above((*path, name), indent)
                yield from self._field(f"{indent}{_scalar(name)}:", inner, (*path, name), indent)
        else:
            for index, inner in enumerate(value):
                yield from self._above((*path, index), indent)
                yield from self._item(inner, (*path, index), indent)
        for text in self._last.pop(path, ()):
            yield from _comment(text, indent)

    def _field(self, start: str, value: Any, path: FieldPath, indent: str) -> Iterator[str]:
        if isinstance(value, Mapping | list) and value:
            yield start
            inner = indent if isinstance(value, list) else f"{indent}  "
            yield from self._value(value, path, inner)
        else:
            yield f"{start} {_leaf(value)}"
            for text in self._last.pop(path, ()):
                yield from _comment(text, f"{indent}  ")

    def _item(self, value: Any, path: FieldPath, indent: str) -> Iterator[str]:
        if not isinstance(value, Mapping | list) or not value:
            yield from self._field(f"{indent}-", value, path, indent)
            return
        dashed = False
        for line in self._value(value, path, f"{indent}  "):
            if dashed:
                yield line
                continue
            # Comments above the first field stand above the dash.
            dashed = not line.lstrip().startswith("#")
            yield f"{indent}{'- ' if dashed else ''}{line[len(indent) + 2 :]}"

    def _above(self, path: FieldPath, indent: str) -> Iterator[str]:
        for text in self._comments.get(path, ()):
            yield from _comment(text, indent)


def _is_there(document: Any, path: FieldPath) -> bool:
    value = document
    for part in path:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return False
    return True


def _comment(text: str, indent: str) -> Iterator[str]:
    line = text if text.isprintable() else text.encode("unicode_escape").decode()
    for part in textwrap.wrap(
        line, _WIDTH - len(indent) - 2, break_long_words=False, break_on_hyphens=False
    ):
        yield f"{indent}# {part}"


def _leaf(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[]"
    return _scalar(value)


def _scalar(value: object) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    style = '"' if isinstance(value, str) else None
    text = yaml.safe_dump(value, default_style=style, width=10**9, allow_unicode=True)
    return str(text).removesuffix("\n").removesuffix("\n...")
