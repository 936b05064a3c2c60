"""Whatever stands in a field of a manifest, it is read, or it is a problem with its place."""

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from penstock.adoption import Adopted

MANIFESTS = Path(__file__).parent / "manifests"
JUNK: list[Any] = [
    None,
    7,
    -1,
    True,
    "",
    "a b",
    "é\n",
    [],
    {},
    [[]],
    [None],
    ["a"],
    {"a": {}},
    {"": 1},
]

Read = Callable[[str, str], Adopted]
Place = tuple[str | int, ...]


def places(value: Any, place: Place = ()) -> Iterator[Place]:
    """Each place in a document."""
    if place:
        yield place
    if isinstance(value, dict | list):
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        for key, one in inner:
            yield from places(one, (*place, key))


def replaced(document: Any, place: Place, junk: Any) -> Any:
    copy = deepcopy(document)
    holder = copy
    for part in place[:-1]:
        holder = holder[part]
    holder[place[-1]] = junk
    return copy


@pytest.mark.parametrize("origin", ["dapr", "knative", "riff", "strimzi"])
def test_junk_in_any_field_is_read_or_refused(origin: str, read: Read) -> None:
    for file in sorted((MANIFESTS / origin).glob("*.yaml")):
        for document in yaml.safe_load_all(file.read_text()):
            for index, place in enumerate(places(document)):
                # Not each in each place: what is left out in one comes in another.
                junk = JUNK[index % len(JUNK)]
                done = read(origin, json.dumps(replaced(document, place, junk), default=str))
                assert all(one.source.line for one in done.errors if one.field), place
