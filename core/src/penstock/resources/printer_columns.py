"""What `kubectl get` shows of each kind."""

import re
from typing import Any

from penstock.resources.structural_schema import Schema

Column = dict[str, Any]

_TYPE_LABEL = r"streaming\.projectriff\.io/gateway-type"
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+")


def printer_columns(kind: str, spec: Schema) -> list[Column]:
    """The columns of a kind, for a CRD.

    A gateway of a concrete kind shows what its spec requires, where that is a text or a number.
    """
    return [*_own_columns(kind, spec), _condition("status", "Ready"), _condition("reason"), _AGE]


def _own_columns(kind: str, spec: Schema) -> list[Column]:
    match kind:
        case "Stream":
            return [
                _column("Gateway", ".spec.gateway.name"),
                _column("Content Type", ".spec.contentType"),
            ]
        case "Processor":
            return [
                _column("Inputs", ".spec.inputs[*].stream"),
                _column("Outputs", ".spec.outputs[*].stream"),
            ]
        case "Gateway":
            return [_column("Type", f".metadata.labels['{_TYPE_LABEL}']")]
        case _:
            return [
                _column(_title(name), f".spec.{name}", spec["properties"][name]["type"])
                for name in spec.get("required", ())
                if spec["properties"][name].get("type") in ("string", "integer")
            ]


def _column(name: str, path: str, type_: str = "string") -> Column:
    return {"name": name, "type": type_, "jsonPath": path}


def _condition(field: str, name: str = "") -> Column:
    return _column(name or field.capitalize(), f'.status.conditions[?(@.type=="Ready")].{field}')


_AGE = _column("Age", ".metadata.creationTimestamp", "date")


def _title(field: str) -> str:
    """The words of a field: `Service URL` for `serviceURL`."""
    return " ".join(word[0].upper() + word[1:] for word in _WORD.findall(field))
