"""Custom resource definitions, from the models of the resources.

`python -m penstock.resources.crd --output FOLDER` writes one file for each kind of the core and
of the installed plugins; with `--check` it writes nothing and says what is out of date.
"""

import argparse
import sys
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from penstock.plugin import Plugins, load_plugins
from penstock.resources.kinds import resource_models
from penstock.resources.models import GROUP, VERSION, Resource
from penstock.resources.printer_columns import printer_columns
from penstock.resources.structural_schema import Schema, structural_schema

_HEADER = "# Generated from the models in penstock.resources and the plugins': make generate\n"
_STANDARD = {
    "apiVersion": "The group and version of the API.",
    "kind": "The kind of the resource.",
}


def custom_resource_definition(kind: str, model: type[Resource]) -> dict[str, Any]:
    """The CustomResourceDefinition of a kind.

    Raises:
        ValueError: The model has something that a CRD cannot say.
    """
    whole = deepcopy(structural_schema(model))
    schema = _root(whole)
    singular = kind.lower()
    plural = f"{singular}s"
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "names": {
                "categories": ["riff"],
                "kind": kind,
                "listKind": f"{kind}List",
                "plural": plural,
                "singular": singular,
            },
            "scope": "Namespaced",
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "subresources": {"status": {}},
                    "additionalPrinterColumns": printer_columns(kind, whole["properties"]["spec"]),
                    "schema": {"openAPIV3Schema": schema},
                }
            ],
        },
    }


def definitions(plugins: Plugins) -> dict[str, str]:
    """The YAML of each kind's definition, by the name of its file.

    Raises:
        ValueError: A plugin's model has something that a CRD cannot say.
    """
    texts = {}
    for kind, model in resource_models(plugins).items():
        definition = custom_resource_definition(kind, model)
        name = f"{GROUP}_{definition['spec']['names']['plural']}.yaml"
        texts[name] = _HEADER + yaml.dump(
            definition, Dumper=_Dumper, sort_keys=False, width=100, allow_unicode=True
        )
    return texts


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the files; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m penstock.resources.crd", description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("crds"), help="the folder")
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 when stale")
    options = parser.parse_args(arguments)
    plugins = load_plugins()
    for broken in plugins.broken:
        sys.stderr.write(f"plugin {broken.name} ({broken.distribution}): {broken.reason}\n")
    if plugins.broken:
        return 1
    try:
        fresh = definitions(plugins)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return (_check if options.check else _write)(options.output, fresh)


def _write(folder: Path, fresh: dict[str, str]) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    for name in _differing(folder, fresh):
        if name in fresh:
            (folder / name).write_text(fresh[name])
        else:
            (folder / name).unlink()
    return 0


def _check(folder: Path, fresh: dict[str, str]) -> int:
    differing = _differing(folder, fresh)
    for name in differing:
        sys.stderr.write(f"{folder / name} is not what the models say: run make generate\n")
    return 1 if differing else 0


def _differing(folder: Path, fresh: dict[str, str]) -> list[str]:
    """The files that are not what they should be, or should not be there."""
    written = {path.name: path.read_text() for path in folder.glob(f"{GROUP}_*.yaml")}
    names = written.keys() | fresh.keys()
    return sorted(name for name in names if written.get(name) != fresh.get(name))


def _root(whole: Schema) -> Schema:
    """The schema of a resource; of the metadata a CRD may restrict the name and no more."""
    properties = whole["properties"]
    name = properties["metadata"]["properties"]["name"]
    spec = properties["spec"]
    standard = {field: {"description": text, "type": "string"} for field, text in _STANDARD.items()}
    root = {
        "description": whole["description"],
        "type": "object",
        "properties": {
            **standard,
            "metadata": {"type": "object", "properties": {"name": name}},
            "spec": spec,
            "status": properties["status"],
        },
    }
    return root | ({"required": ["spec"]} if "required" in spec else {})


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - as the base class has it
        """Write everything out: what is shared in the models is not in the file."""
        return True


if __name__ == "__main__":
    raise SystemExit(main())
