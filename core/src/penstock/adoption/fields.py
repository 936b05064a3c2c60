"""The fields of a foreign resource, read so that none is forgotten."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from penstock.resources.problem import Problem, Severity
from penstock.resources.sentence import shown
from penstock.resources.source import FieldPath, Source, format_path

_SECRET = re.compile("password|secret|token|credential|key|cert|jaas", re.IGNORECASE)
_LONGEST = 60


class Rest(NamedTuple):
    """A field that nobody asked for.

    Attributes:
        path: Where it stands.
        text: The field and what it says, as far as it is short and no secret.
    """

    path: FieldPath
    text: str


class Fields:
    """A mapping of a foreign resource.

    Each field that is asked for counts as dealt with; `rest` gives the others. A value of the
    wrong type is noted as a problem, and read as if it were not there.

    Args:
        value: What the mapping holds.
        source: Of the resource.
        problems: Where problems are noted.
        title: What messages call the resource.
        path: Where in the resource the mapping stands.
    """

    def __init__(
        self,
        value: Mapping[str, Any],
        source: Source,
        problems: list[Problem],
        title: str,
        path: FieldPath = (),
    ) -> None:
        self._value = value
        self._source = source
        self._problems = problems
        self._title = title
        self._taken: set[str] = set()
        self._inner: dict[str, list[Fields]] = {}
        self.path = path

    def __contains__(self, name: str) -> bool:
        return self._value.get(name) not in (None, "")

    def text(self, name: str, default: str = "") -> str:
        """A text."""
        return self._take(name, lambda one: isinstance(one, str), "a text") or default

    def number(self, name: str) -> int | None:
        """A whole number."""
        value = self._take(name, lambda one: type(one) is int, "a whole number")
        return None if value is None else int(value)

    def flag(self, name: str) -> bool | None:
        """True or false."""
        value = self._take(name, lambda one: isinstance(one, bool), "true or false")
        return None if value is None else bool(value)

    def texts(self, name: str) -> list[str]:
        """A list of texts."""
        expected = "a list of texts, as [a, b]"
        return self._take(name, lambda one: _is_list_of(str, one), expected) or []

    def scalars(self, name: str) -> dict[str, str]:
        """A mapping of names to texts; numbers, true and false become texts."""
        expected = "a mapping of names to texts"
        found = self._take(name, _is_flat, expected) or {}
        return {key: as_text(value) for key, value in found.items() if value is not None}

    def all_scalars(self) -> dict[str, str]:
        """All fields as texts; those that are mappings or lists are problems."""
        found = {name: self.scalar(name) for name in self._value}
        return {name: text for name, text in found.items() if name in self}

    def scalar(self, name: str) -> str:
        """A text; a number, true or false becomes one."""
        value = self._take(name, _is_scalar, "a text or a number")
        return "" if value is None else as_text(value)

    def whole(self, name: str) -> Any:
        """A field as it is, whatever it holds: all in it is dealt with."""
        self._inner.pop(name, None)
        return self._take(name, lambda _: True, "")

    def peek(self, name: str) -> Any:
        """A field as it is, without counting it as dealt with."""
        return self._value.get(name)

    def everything(self) -> dict[str, Any]:
        """All fields as they are."""
        return {name: self.whole(name) for name in self._value}

    def fields(self, name: str) -> "Fields":
        """A mapping; an empty one where there is none."""
        if name not in self._inner:
            value = self._take(name, lambda one: isinstance(one, Mapping), "a mapping of fields")
            self._inner[name] = [self._made(value or {}, (*self.path, name))]
        return self._inner[name][0]

    def each(self, name: str) -> "list[Fields]":
        """A list of mappings."""
        if name not in self._inner:
            expected = "a list of mappings"
            found = self._take(name, lambda one: _is_list_of(Mapping, one), expected) or []
            self._inner[name] = [
                self._made(one, (*self.path, name, index)) for index, one in enumerate(found)
            ]
        return self._inner[name]

    def pass_over(self, *names: str) -> None:
        """Count fields as dealt with that mean nothing to anybody but the cluster they are of."""
        self._taken.update(names)

    def rest(self) -> Iterator[Rest]:
        """The fields that nobody asked for, in the order in which they stand."""
        for name, value in self._value.items():
            for one in self._inner.get(name, ()):
                yield from one.rest()
            if name not in self._taken and value not in (None, "", {}, []):
                path = (*self.path, name)
                yield Rest(path, f"{format_path(path)}{summary(name, value)}")

    def at(self, name: str) -> Source:
        """The place of a field."""
        return self._source.at((*self.path, name))

    def report(self, name: str, message: str, severity: Severity = "error") -> None:
        """Note that something is wrong with a field."""
        path = (*self.path, name)
        place = self._source.at(path)
        problem = Problem(place, message, self._title, format_path(path), severity)
        if problem not in self._problems:
            self._problems.append(problem)

    def require(self, name: str, what: str) -> None:
        """Note that a field is missing."""
        if name not in self:
            self.report(name, f"is missing, and required: {what}")

    def _made(self, value: Mapping[str, Any], path: FieldPath) -> "Fields":
        return Fields(value, self._source, self._problems, self._title, path)

    def _take(self, name: str, fits: Callable[[Any], bool], expected: str) -> Any:
        self._taken.add(name)
        value = self._value.get(name)
        if value is None or fits(value):
            return value
        got = type(value).__name__ if _SECRET.search(name) else shown(value)
        self.report(name, f"expected {expected}, got {got}")
        return None


def as_text(value: object) -> str:
    """A scalar of YAML as a text, true and false as YAML writes them."""
    return value if isinstance(value, str) else json.dumps(value)


def _is_scalar(value: object) -> bool:
    return isinstance(value, str | int | float)


def _is_flat(value: object) -> bool:
    return isinstance(value, Mapping) and all(
        one is None or _is_scalar(one) for one in value.values()
    )


def _is_list_of(kind: Any, value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, kind) for one in value)


def summary(name: str, value: object) -> str:
    """What a field says, as the end of a comment: nothing where it is long or may be secret."""
    if isinstance(value, Mapping):
        return f" ({', '.join(map(str, value))})"
    if isinstance(value, list):
        return f" (a list of {len(value)})"
    text = json.dumps(value, ensure_ascii=False)
    return "" if _SECRET.search(name) or len(text) > _LONGEST else f": {text}"
