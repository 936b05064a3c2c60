"""Where data departs from a structural schema, in ways that a pydantic model lets pass."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from penstock.resources.source import FieldPath
from penstock.resources.structural_schema import OPEN, Schema


class UnknownField(NamedTuple):
    """A field that the schema does not have, and those that it has in its place."""

    path: FieldPath
    allowed: tuple[str, ...]


class NotText(NamedTuple):
    """A number or a boolean where the schema wants a text."""

    path: FieldPath
    value: float | bool


def deviations(
    value: Any, schema: Schema, path: FieldPath = ()
) -> Iterator[UnknownField | NotText]:
    """Each deviation in a value and all below it, in the order of the value."""
    match schema.get("type"), value:
        case "object", Mapping():
            properties: Mapping[str, Schema] = schema.get("properties", {})
            others = schema.get("additionalProperties")
            for name, item in value.items():
                below = properties.get(name, others)
                if below is not None:
                    yield from deviations(item, below, (*path, name))
                elif OPEN not in schema:
                    yield UnknownField((*path, name), tuple(properties))
        case "array", list():
            for index, item in enumerate(value):
                yield from deviations(item, schema["items"], (*path, index))
        case "string", int() | float():
            yield NotText(path, value)
