"""The reference of the resources, from their models.

`python -m penstock.resources.reference --output FILE` writes it; with `--check` it writes nothing
and says whether FILE is out of date.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from penstock.plugin import Plugins, load_plugins
from penstock.resources.crd import custom_resource_definition
from penstock.resources.kinds import resource_models
from penstock.resources.models import API_VERSION

_HEADER = f"""<!-- Generated from the models of the resources: make generate -->
# Resources

All kinds are of `apiVersion: {API_VERSION}` and live in a namespace. The definitions for Kubernetes
are in [crds](../crds). A field in **bold** is required; an empty text counts as left out.
"""


def reference(plugins: Plugins) -> str:
    """The whole of it, in Markdown."""
    sections = []
    for kind, model in resource_models(plugins).items():
        definition = custom_resource_definition(kind, model)
        schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
        fields = list(_fields(schema["properties"]["spec"], ""))
        head = ["| field | type | is |", "| --- | --- | --- |"]
        table = [*head, *fields] if fields else ["It has no fields."]
        sections.append("\n".join([f"## {kind}", "", schema["description"], "", *table, ""]))
    return "\n".join([_HEADER, *sections])


def _fields(schema: dict[str, Any], path: str) -> Iterator[str]:
    """A row for each field below a schema, by its path."""
    for name, field in schema.get("properties", {}).items():
        inner = f"{path}{name}"
        shown = f"**`{inner}`**" if name in schema.get("required", ()) else f"`{inner}`"
        yield f"| {shown} | {_type(field)} | {_text(field)} |"
        if "items" in field:
            yield from _fields(field["items"], f"{inner}[].")
        else:
            yield from _fields(field, f"{inner}.")


def _type(field: dict[str, Any]) -> str:
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"] if value)
    if field.get("x-kubernetes-int-or-string"):
        return "integer or string"
    if field["type"] == "array":
        return f"list of {_type(field['items'])}"
    if "additionalProperties" in field:
        return "map"
    return str(field["type"])


def _text(field: dict[str, Any]) -> str:
    text = str(field.get("description", "")).replace("|", "\\|").replace("\n", " ")
    return f"{text} Default: `{_yaml(field['default'])}`." if "default" in field else text


def _yaml(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the file; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m penstock.resources.reference", description=__doc__
    )
    parser.add_argument("--output", type=Path, required=True, help="the file")
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 when stale")
    options = parser.parse_args(arguments)
    text = reference(load_plugins())
    if not options.check:
        options.output.write_text(text)
    elif not options.output.exists() or options.output.read_text() != text:
        sys.stderr.write(f"{options.output} is not what the models say: run make generate\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
