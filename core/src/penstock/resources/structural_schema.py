"""From a pydantic model to a structural schema, the only kind of schema that a CRD may have.

Structural means: every node says its type, nothing is shared by reference, and there are no
alternatives ("Specifying a structural schema" in the documentation of Kubernetes). A choice
between models is made one object where a field tells them apart.
"""

from functools import cache
from typing import Any

from pydantic import BaseModel

from penstock.resources.source import FieldPath, format_path
from penstock.resources.tagged_union import flattened

Schema = dict[str, Any]

OPEN = "x-kubernetes-preserve-unknown-fields"
INT_OR_STRING = "x-kubernetes-int-or-string"

_INT32_MAX = 2**31 - 1
_LEFT_OUT = frozenset({"title", "examples", "deprecated", "readOnly", "writeOnly"})
_ORDER = (
    *("description", "type", "format", "default", "enum", "pattern", "minLength", "maxLength"),
    *("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf"),
    *("minItems", "maxItems", "minProperties", "maxProperties"),
    *("properties", "required", "additionalProperties", "items"),
)


@cache
def structural_schema(model: type[BaseModel]) -> Schema:
    """The structural schema of a model; it is shared, so callers do not change it.

    An optional text also takes the empty text, which means the default everywhere.

    Raises:
        ValueError: The model has something that a CRD cannot say; the text names the field.
    """
    schema = model.model_json_schema(by_alias=True)
    return _Translation(model.__name__, schema.get("$defs", {})).node(schema, (), ())


class _Translation:
    def __init__(self, model: str, definitions: dict[str, Schema]) -> None:
        self._model = model
        self._definitions = definitions

    def node(self, source: Schema, path: FieldPath, inside: tuple[str, ...]) -> Schema:
        """Translate one node and all below it; `inside` names the models around it."""
        source, inside = self._single(source, path, inside)
        node: Schema = {}
        for keyword, value in source.items():
            self._translate(node, keyword, value, path, inside)
        for name in node.get("properties", {}).keys() - set(node.get("required", ())):
            _let_blank_pass(node["properties"][name])
        if node.get("type") == "integer":
            node.setdefault("format", "int32" if _is_small(node) else "int64")
        if "type" not in node and INT_OR_STRING not in node:
            if node.keys() - {"description", "default", OPEN}:
                raise self._refused(path, "a value of no one type")
            node[OPEN] = True
        order = [*_ORDER, *sorted(node.keys() - set(_ORDER))]
        return {keyword: node[keyword] for keyword in order if keyword in node}

    def _single(
        self, source: Schema, path: FieldPath, inside: tuple[str, ...]
    ) -> tuple[Schema, tuple[str, ...]]:
        """Follow references and alternatives down to the one schema that is meant."""
        while True:
            rest = dict(source)
            if reference := rest.pop("$ref", None):
                name = reference.rpartition("/")[2]
                if name in inside:
                    raise self._refused(path, f"{name} within {name}")
                inside = (*inside, name)
                source = self._definitions[name] | rest
            elif discriminator := rest.pop("discriminator", None):
                models = [one["$ref"].rpartition("/")[2] for one in rest.pop("oneOf")]
                if again := next((name for name in models if name in inside), None):
                    raise self._refused(path, f"{again} within {again}")
                inside = (*inside, *models)
                tag = discriminator["propertyName"]
                try:
                    source = flattened(tag, [self._definitions[name] for name in models]) | rest
                except ValueError as error:
                    field = (*path, str(error))
                    raise self._refused(field, f"one of several kinds for each {tag}") from error
            elif alternatives := rest.pop("anyOf", None) or rest.pop("allOf", None):
                given = [one for one in alternatives if one.get("type") != "null"]
                if {one.get("type") for one in given} == {"integer", "string"}:
                    source = {INT_OR_STRING: True} | rest
                elif len(given) == 1:
                    source = given[0] | rest
                else:
                    raise self._refused(path, "a choice between types")
            else:
                return source, inside

    def _translate(
        self, node: Schema, keyword: str, value: Any, path: FieldPath, inside: tuple[str, ...]
    ) -> None:
        match keyword, value:
            case "description", _:
                node["description"] = " ".join(value.partition("\n\n")[0].split())
            case "default", _:
                default = _without_nulls(value)
                if default not in (None, "", {}, []):
                    node["default"] = default
            case "const", _:
                node["enum"] = [value]
            case "exclusiveMinimum" | "exclusiveMaximum", int() | float():
                node[keyword.removeprefix("exclusive").lower()] = value
                node[keyword] = True
            case "additionalProperties", bool():
                if value:
                    node[OPEN] = True
            case "additionalProperties" | "items", dict():
                node[keyword] = self.node(value, (*path, 0), inside)
            case "properties", dict():
                node[keyword] = {
                    name: self.node(one, (*path, name), inside) for name, one in value.items()
                }
            case _ if keyword in _ORDER or keyword.startswith("x-kubernetes-"):
                node[keyword] = value
            case _ if keyword not in _LEFT_OUT and keyword != "$defs":
                raise self._refused(path, keyword)

    def _refused(self, path: FieldPath, what: str) -> ValueError:
        return ValueError(f"{self._model}: {format_path(path)}: a CRD cannot say {what}")


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nulls(one) for name, one in value.items() if one is not None}
    return value


def _let_blank_pass(node: Schema) -> None:
    if "enum" in node and "" not in node["enum"] and node.get("type") == "string":
        node["enum"] = [*node["enum"], ""]
    if "pattern" in node:
        node["pattern"] = f"^$|{node['pattern']}"
    node.pop("minLength", None)


def _is_small(node: Schema) -> bool:
    maximum: float | None = node.get("maximum")
    return maximum is not None and maximum <= _INT32_MAX
