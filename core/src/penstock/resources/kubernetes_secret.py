"""Secrets of Kubernetes, as manifests declare them for a run without a cluster.

Nothing here ever shows a value: neither a `repr` nor a problem.
"""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, NamedTuple

from penstock.resources.document import Document
from penstock.resources.problem import Problem
from penstock.resources.source import FieldPath, Source, format_path
from penstock.resources.suggestion import did_you_mean, listing

_FIELDS = ("apiVersion", "kind", "metadata", "type", "immutable", "data", "stringData")


@dataclass(frozen=True, slots=True)
class Secret:
    """A Secret that is declared.

    Attributes:
        namespace, name: As declared.
        data: Each value by its key.
        source: Where.
    """

    api_version: ClassVar = "v1"
    kind: ClassVar = "Secret"

    namespace: str
    name: str
    source: Source
    data: Mapping[str, bytes] = field(repr=False)


class ReadSecret(NamedTuple):
    """A Secret, where nothing is wrong with it, and what is."""

    secret: Secret | None
    problems: list[Problem]


def read_secret(document: Document, namespace: str, name: str, title: str) -> ReadSecret:
    """Make a Secret of a document that holds a mapping.

    Args:
        document: The document.
        namespace: Of its metadata.
        name: Of its metadata; empty where it has none.
        title: What messages call the Secret.
    """
    data: dict[str, bytes] = {}
    problems = []
    for path, found in _entries(document.value, name):
        if isinstance(found, bytes):
            data[str(path[-1])] = found
        else:
            problems.append(Problem(document.source.at(path), found, title, format_path(path)))
    secret = None if problems else Secret(namespace, name, document.source, data)
    return ReadSecret(secret, problems)


def _entries(value: Mapping[str, Any], name: str) -> Iterator[tuple[FieldPath, bytes | str]]:
    """Each value by its place, or what is wrong there; of two with one key the last counts."""
    for other in value:
        if other not in _FIELDS:
            hint = did_you_mean(other, _FIELDS) or f"; allowed: {listing(_FIELDS)}"
            yield (other,), f"there is no such field{hint}"
    if not name:
        yield ("metadata", "name"), "is missing, and required"
    for side, decode in (("data", _from_base64), ("stringData", _from_text)):
        values = value.get(side)
        if isinstance(values, Mapping):
            for key, given in values.items():
                yield (side, key), decode(given)
        elif values is not None:
            yield (side,), "expected a mapping of keys to values"


def _from_text(given: object) -> bytes | str:
    if not isinstance(given, str):
        return "expected a text: put it in quotes"
    try:
        return given.encode()
    except UnicodeEncodeError:
        return "has characters that Unicode does not have"


def _from_base64(given: object) -> bytes | str:
    text = _from_text(given)
    if isinstance(text, str):
        return text
    try:
        return base64.b64decode(b"".join(text.split()), validate=True)
    except ValueError:
        return "is not base64; a value as it is belongs in stringData"
