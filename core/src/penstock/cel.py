"""Rules that the API server checks, written in CEL beside the models that they are about."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

Checked = TypeVar("Checked", bound=BaseModel)


def rule(expression: str, message: str) -> dict[str, Any]:
    """What goes into a JSON schema for a rule that must hold."""
    return {"x-kubernetes-validations": [{"rule": expression, "message": message}]}


def given(field: str) -> str:
    """The expression that a text is there and not empty: an empty text means the default."""
    return f"(has({field}) && {field} != '')"


@dataclass(frozen=True, slots=True)
class Rule(Generic[Checked]):
    """What must hold between the fields of a model, for the API server and for Python alike.

    Attributes:
        fields: The fields that it is about, as a manifest names them, with a dot where one is in
            another; the first is the one that is wrong where it does not hold.
        expression: The rule in CEL.
        holds: The rule in Python.
        message: What is allowed and what to do; it goes on from the name of the first field.
    """

    fields: Sequence[str]
    expression: str
    holds: Callable[[Checked], bool]
    message: str


def rules(declared: Sequence[Rule[Any]]) -> dict[str, Any]:
    """What goes into a JSON schema for rules that must all hold."""
    entries = [
        {"rule": one.expression, "message": f"{one.fields[0]} {one.message}"} for one in declared
    ]
    return {"x-kubernetes-validations": entries}


def refuse_unless(model: BaseModel, declared: Sequence[Rule[Any]]) -> None:
    """Hold a model to its rules; each that is broken is told at its field, with the values.

    Raises:
        ValidationError: Some rule does not hold.
    """
    broken = [one for one in declared if not one.holds(model)]
    if broken:
        values = model.model_dump(mode="json", by_alias=True, exclude_none=True)
        raise ValidationError.from_exception_data(
            type(model).__name__,
            [
                InitErrorDetails(
                    type=PydanticCustomError("rule", "{error}", {"error": _told(one, values)}),
                    loc=tuple(one.fields[0].split(".")),
                    input=_at(one.fields[0], values),
                )
                for one in broken
            ],
        )


def belongs_to(field: str, other: str, *values: Enum, expression: str = "") -> Rule[Any]:
    """The rule that a field is given with some values of another one alone.

    Args:
        field: The field, which is ``None`` where it is not given.
        other: The other field, of an enumeration of which the first value is the default.
        values: Those of the other field that it goes with.
        expression: That the field is given, in CEL; by default that of a text.
    """
    names = [str(one.value) for one in values]
    blank = [""] if next(iter(type(values[0]))) in values else []
    listed = ", ".join(f"'{name}'" for name in [*names, *blank])
    chosen = f"in [{listed}]" if "," in listed else f"== {listed}"
    return Rule(
        (field, other),
        f"!{expression or given(f'self.{field}')} || self.{other} {chosen}",
        lambda model: _value(model, field) is None or _value(model, other) in values,
        f"belongs to {other} {' or '.join(names)}: remove it, or change {other}",
    )


def required_with(field: str, other: str, value: Enum, expression: str = "") -> Rule[Any]:
    """The rule that a field is given where another one has this value; else as `belongs_to`."""
    return Rule(
        (field,),
        f"self.{other} != '{value.value}' || {expression or given(f'self.{field}')}",
        lambda model: _value(model, field) is not None or _value(model, other) is not value,
        f"is required with {other} {value.value}",
    )


def _value(model: BaseModel, alias: str) -> Any:
    name = next(name for name, one in type(model).model_fields.items() if one.alias == alias)
    return getattr(model, name)


def _told(broken: Rule[Any], values: dict[str, Any]) -> str:
    found = [(name, _at(name, values)) for name in broken.fields]
    known = [f"{name} is {_shown(value)}" for name, value in found if value is not None]
    return broken.message + (f" ({', '.join(known)})" if known else "")


def _at(field: str, values: Any) -> Any:
    for name in field.split("."):
        values = values.get(name) if isinstance(values, dict) else None
    return values


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return "given"
    return str(value).lower() if isinstance(value, bool) else str(value)
