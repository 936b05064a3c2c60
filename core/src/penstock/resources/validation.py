"""From a document to a resource, with everything that is wrong in it found in one go."""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from penstock.resources.deviation import NotText, UnknownField, deviations
from penstock.resources.document import Document
from penstock.resources.models import Resource
from penstock.resources.problem import Problem
from penstock.resources.sentence import sentence, shown
from penstock.resources.source import FieldPath, Source, format_path
from penstock.resources.structural_schema import Schema, structural_schema
from penstock.resources.suggestion import closest, listing


class Validated(NamedTuple):
    """A resource, as far as one can be made of a document, and what is wrong with it."""

    resource: Resource | None
    problems: list[Problem]


def validate(document: Document, model: type[Resource], title: str) -> Validated:
    """Make a resource of a document that holds a mapping.

    A misspelt field is read as what it seems to mean, and a bad value of an optional field as
    its default, so that what is wrong elsewhere is found in the same run.

    Args:
        document: The document.
        model: The model of its kind.
        title: What messages call the resource.
    """
    validation = _Validation(document, model, title)
    return Validated(validation.resource(), validation.problems)


class _Validation:
    def __init__(self, document: Document, model: type[Resource], title: str) -> None:
        self.problems: list[Problem] = []
        self._model = model
        self._title = title
        self._source = document.source
        # The status is the cluster's to write; `kubectl get -o yaml` has it, nobody means it.
        self._data = {k: v for k, v in deepcopy(document.value).items() if k != "status"}
        self._schema = _schema(model)

    def resource(self) -> Resource | None:
        self._correct_names()
        found: set[FieldPath] = set()
        for error in self._errors():
            path = self._path(error)
            if path not in found:
                found.add(path)
                self._report(path, self._sentence(path, error))
        for deviation in deviations(self._data, self._schema):
            if isinstance(deviation, NotText) and deviation.path not in found:
                message = f"expected a text, got {shown(deviation.value)}: put it in quotes"
                self._report(deviation.path, message)
        return self._make()

    def _correct_names(self) -> None:
        """Report unknown fields, and move each to where it seems to belong or take it out."""
        while unknown := list(self._unknown_fields()):
            for path, allowed in unknown:
                name, parent = str(path[-1]), _parent(self._data, path)
                near = closest(name, allowed)
                self._report(path, f"there is no such field; {_hint(name, near, allowed)}")
                value = parent.pop(name)
                if near and near not in parent:
                    parent[near] = value
                    self._source = self._source.with_alias(path, near)

    def _unknown_fields(self) -> Iterator[UnknownField]:
        for deviation in deviations(self._data, self._schema):
            if isinstance(deviation, UnknownField):
                yield deviation

    def _make(self) -> Resource | None:
        """Make the resource without what is wrong; something required takes its holder along."""
        while errors := self._errors():
            path = self._path(errors[0])
            while path and not self._can_leave_out(path):
                path = path[:-1]
            if len(path) < 2:
                return None
            _parent(self._data, path).pop(path[-1])
        return self._model.model_validate(self._data, context=self._source)

    def _can_leave_out(self, path: FieldPath) -> bool:
        return isinstance(path[-1], str) and path[-1] in _parent(self._data, path)

    def _errors(self) -> list[ErrorDetails]:
        try:
            self._model.model_validate(self._data)
        except ValidationError as error:
            # A default made from another field has nothing wrong in itself.
            errors = error.errors(include_url=False)
            return [one for one in errors if one["type"] != "default_factory_not_called"]
        return []

    def _path(self, error: ErrorDetails) -> FieldPath:
        """Where an error is; pydantic also names types and keys on the way, which no file has.

        What is missing is no less a place.
        """
        value: Any = self._data
        path: FieldPath = ()
        for index, part in enumerate(error["loc"], 1):
            try:
                value = value[part]
            except (LookupError, TypeError):
                if error["type"] not in ("missing", "rule") or index < len(error["loc"]):
                    continue
            path = (*path, part)
        if error["type"] in ("union_tag_invalid", "union_tag_not_found"):
            return (*path, error["ctx"]["discriminator"].strip("'"))
        return path

    def _sentence(self, path: FieldPath, error: ErrorDetails) -> str:
        if error["type"] == "extra_forbidden":
            known = _node(self._schema, path)  # it is the field of another model of the choice
            return f'does not go with "{error["loc"][-2]}"' if known else "there is no such field"
        if error["type"] not in ("missing", "union_tag_not_found"):
            return sentence(error)
        there = isinstance(path[-1], str) and path[-1] in _parent(self._data, path)
        what = str(_node(self._schema, path).get("description", "")).rstrip(".")
        message = f"is {'empty' if there else 'missing'}, and required"
        return f"{message}: {what[0].lower()}{what[1:]}" if what else message

    def _report(self, path: FieldPath, message: str) -> None:
        source: Source = self._source.at(path)
        self.problems.append(Problem(source, message, self._title, format_path(path)))


def _schema(model: type[Resource]) -> Schema:
    try:
        return structural_schema(model)
    except ValueError:
        # A plugin's own model may be more than a CRD can say; pydantic knows it all the same.
        return {}


def _hint(name: str, near: str | None, allowed: Sequence[str]) -> str:
    if near:
        return f'did you mean "{near}"?'
    if name == "namespace":
        return "references stay within the namespace of the resource"
    return f"allowed: {listing(allowed)}" if allowed else "nothing is allowed here"


def _parent(data: Any, path: FieldPath) -> Any:
    for part in path[:-1]:
        data = data[part]
    return data


def _node(schema: Schema, path: FieldPath) -> Schema:
    for part in path:
        schema = (
            schema.get("items", {})
            if isinstance(part, int)
            else (schema.get("properties", {}).get(part, {}))
        )
    return schema
