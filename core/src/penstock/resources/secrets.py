"""The secrets that a gateway's spec refers to, and the files in which they are found."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import BaseModel

from penstock.plugin import SecretSource
from penstock.resources.source import FieldPath

Spec = TypeVar("Spec", bound=BaseModel)


class SecretReference(NamedTuple):
    """A secret that a spec refers to, and the field that does."""

    path: FieldPath
    source: SecretSource


def secret_references(value: object, path: FieldPath = ()) -> Iterator[SecretReference]:
    """Each reference in a spec, in models, lists and mappings at any depth.

    Args:
        value: The spec, or a part of it.
        path: The way to that part.
    """
    match value:
        case SecretSource():
            yield SecretReference(path, value)
        case BaseModel():
            for name, field in type(value).model_fields.items():
                yield from secret_references(getattr(value, name), (*path, field.alias or name))
        case Mapping():
            for key, item in value.items():
                yield from secret_references(item, (*path, str(key)))
        case list() | tuple():
            for index, item in enumerate(value):
                yield from secret_references(item, (*path, index))


def secrets_of(spec: BaseModel) -> set[str]:
    """The names of the Secrets that a spec needs to have mounted."""
    return {one.source.secret_name for one in secret_references(spec) if one.source.secret_name}


def mounted(spec: Spec, folder: Path, beside: Path | None = None) -> Spec:
    """The same spec with a file for each key of a Secret.

    Args:
        spec: The spec; it is not changed.
        folder: Where the Secrets are mounted: a key is at `<folder>/<secret>/<key>`.
        beside: Where relative files of the spec begin; left out, at the working directory.
    """

    def file_of(source: SecretSource) -> SecretSource:
        if source.secret_name:
            return SecretSource(file=str(folder / source.secret_name / source.key))
        return SecretSource(file=str(beside / source.file)) if beside else source

    result: Spec = _replace(spec, file_of)
    return result


def _replace(value: Any, replacement: Callable[[SecretSource], SecretSource]) -> Any:
    match value:
        case SecretSource():
            return replacement(value)
        case BaseModel():
            # Fields that nobody set stay unset.
            fields = {name: item for name, item in value if any(secret_references(item))}
            changed = {name: _replace(item, replacement) for name, item in fields.items()}
            return value.model_copy(update=changed)
        case Mapping():
            return {key: _replace(item, replacement) for key, item in value.items()}
        case list() | tuple():
            return type(value)(_replace(item, replacement) for item in value)
    return value
