"""A choice between models that one field tells apart, as a single object.

A structural schema has no alternatives: so the object has the fields of all the models, and rules
say which of them go with which tag.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Schema = dict[str, Any]

_RULES = "x-kubernetes-validations"
_OF_ONE_MODEL = frozenset({"title", "description", "default"})


def flattened(tag: str, variants: Sequence[Schema]) -> Schema:
    """The JSON schema of an object that is any of the variants.

    Args:
        tag: The field that says which one it is.
        variants: The JSON schema of each model.

    Raises:
        ValueError: A field is one thing here and another there; the text is its name.
    """
    required = [name for name in variants[0]["required"] if _everywhere(name, "required", variants)]
    properties: Schema = {}
    for variant in variants:
        for name, field in variant["properties"].items():
            known = properties.setdefault(name, field)
            if name != tag and _meaning(known) != _meaning(field):
                raise ValueError(name)
    for name, field in properties.items():
        if not _everywhere(name, "properties", variants):
            # The API server would set it, whatever the tag.
            properties[name] = {key: item for key, item in field.items() if key != "default"}
    tags = [_tags(tag, variant) for variant in variants]
    first = {key: item for key, item in properties[tag].items() if key != "const"}
    properties[tag] = first | {"enum": [one for each in tags for one in each]}
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        _RULES: [
            rule
            for values, variant in zip(tags, variants, strict=True)
            for rule in _rules(tag, values, variant, required, properties)
        ],
    }


def _rules(
    tag: str, values: Sequence[str], variant: Schema, required: Sequence[str], all_fields: Schema
) -> list[Schema]:
    """What must hold where the tag has one of these values."""
    title = f"{tag} {_listed(values, 'or')}"
    rules = list(variant.get(_RULES, ()))
    own = [name for name in variant["properties"] if name != tag]
    if needed := [name for name in variant["required"] if name not in required]:
        given = " && ".join(_given(name, variant["properties"][name]) for name in needed)
        rules.append({"rule": given, "message": f"{title} needs {_listed(needed, 'and')}"})
    others = [name for name in all_fields if name not in variant["properties"]]
    if others and variant.get("additionalProperties") is False:
        absent = " && ".join(f"!has(self.{name})" for name in others)
        message = f"{title} takes {_listed(own, 'and')} alone" if own else f"{title} takes no more"
        rules.append({"rule": absent, "message": message})
    quoted = ", ".join(f"'{value}'" for value in values)
    is_other = f"!(self.{tag} in [{quoted}])"
    return [{**rule, "rule": f"{is_other} || ({rule['rule']})"} for rule in rules]


def _given(name: str, field: Schema) -> str:
    # An empty text counts as left out.
    there = f"has(self.{name})"
    return f"{there} && self.{name} != ''" if field.get("type") == "string" else there


def _tags(tag: str, variant: Schema) -> list[str]:
    field: Mapping[str, Any] = variant["properties"][tag]
    return [field["const"]] if "const" in field else list(field["enum"])


def _everywhere(name: str, keyword: str, variants: Sequence[Schema]) -> bool:
    return all(name in variant.get(keyword, ()) for variant in variants)


def _meaning(field: Schema) -> Schema:
    return {key: item for key, item in field.items() if key not in _OF_ONE_MODEL}


def _listed(names: Sequence[str], conjunction: str) -> str:
    *most, last = names
    return f"{', '.join(most)} {conjunction} {last}" if most else last
