"""What becomes of a pydantic model in a CRD."""

from enum import StrEnum
from typing import Annotated, Any, Literal, Optional

import pytest
from pydantic import BaseModel, ConfigDict, Field

from penstock.duration import Duration
from penstock.quantity import Quantity
from penstock.resources.deviation import NotText, UnknownField, deviations
from penstock.resources.models import OpenModel
from penstock.resources.structural_schema import Schema, structural_schema


class Colour(StrEnum):
    RED = "Red"
    BLUE = "Blue"


class Inner(BaseModel):
    """A part.

    This paragraph is for who reads the code.
    """

    size: int = Field(ge=1, le=9)


class Open(OpenModel):
    """A part that may hold anything."""

    image: str = ""


class Outer(BaseModel):
    """The whole."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    inner: Inner
    described: Inner = Field(default=Inner(size=2), description="With its own\nwords.")
    maybe: Optional[Inner] = None  # noqa: UP045 - both spellings of it are met
    many: list[Inner] = []
    named: dict[str, int] = {}
    anything: dict[str, Any] = {}
    value: Any = None
    open: Open = Open()
    colour: Colour = Colour.RED
    required_colour: Colour
    one: Literal["x"] = "x"
    port: int | str | None = None
    above: float = Field(default=0.5, gt=0)
    short: str = Field(default="", min_length=2, max_length=5)
    exact: str = Field(min_length=2, pattern="^a+$")
    wait: Duration | None = None
    space: Quantity | None = None
    text: str | None = None
    flag: bool = True


def field(name: str) -> Schema:
    properties: dict[str, Schema] = structural_schema(Outer)["properties"]
    return properties[name]


def test_a_model_is_an_object_with_its_first_words() -> None:
    schema = structural_schema(Outer)
    assert (schema["type"], schema["description"]) == ("object", "The whole.")
    assert schema["required"] == ["inner", "required_colour", "exact"]
    assert "additionalProperties" not in schema


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        (
            "inner",
            {
                "description": "A part.",
                "type": "object",
                "properties": {
                    "size": {"type": "integer", "format": "int32", "minimum": 1, "maximum": 9}
                },
                "required": ["size"],
            },
        ),
        (
            "named",
            {"type": "object", "additionalProperties": {"type": "integer", "format": "int64"}},
        ),
        ("anything", {"type": "object", "x-kubernetes-preserve-unknown-fields": True}),
        ("value", {"x-kubernetes-preserve-unknown-fields": True}),
        (
            "open",
            {
                "description": "A part that may hold anything.",
                "type": "object",
                "default": {"image": ""},
                "properties": {"image": {"type": "string"}},
                "x-kubernetes-preserve-unknown-fields": True,
            },
        ),
        ("required_colour", {"type": "string", "enum": ["Red", "Blue"]}),
        ("port", {"x-kubernetes-int-or-string": True}),
        ("above", {"type": "number", "default": 0.5, "minimum": 0, "exclusiveMinimum": True}),
        ("exact", {"type": "string", "pattern": "^a+$", "minLength": 2}),
        ("text", {"type": "string"}),
        ("flag", {"type": "boolean", "default": True}),
    ],
)
def test_a_field(name: str, schema: Schema) -> None:
    assert field(name) == schema


def test_a_fields_own_words_go_before_its_models() -> None:
    assert field("described")["description"] == "With its own words."
    assert field("described")["default"] == {"size": 2}
    assert field("described")["properties"] == field("inner")["properties"]


def test_an_optional_part_is_one_that_is_not_required() -> None:
    assert field("maybe") == field("inner")
    assert field("many") == {"type": "array", "items": field("inner")}


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("colour", {"type": "string", "default": "Red", "enum": ["Red", "Blue", ""]}),
        ("one", {"type": "string", "default": "x", "enum": ["x", ""]}),
        ("short", {"type": "string", "maxLength": 5}),
    ],
)
def test_an_optional_text_may_be_empty(name: str, schema: Schema) -> None:
    assert field(name) == schema


@pytest.mark.parametrize("name", ["wait", "space"])
def test_an_optional_text_with_a_pattern_may_be_empty(name: str) -> None:
    assert field(name)["pattern"].startswith("^$|^(")


class Recursive(BaseModel):
    children: list["Recursive"] = []


class Choice(BaseModel):
    choice: Inner | list[str]


class Mixed(BaseModel):
    inner: dict[str, Annotated[str | float, Field(description="Either.")]]


class Pair(BaseModel):
    pair: tuple[int, str]


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (Recursive, "Recursive: children[0]: a CRD cannot say Recursive within Recursive"),
        (Choice, "Choice: choice: a CRD cannot say a choice between types"),
        (Mixed, "Mixed: inner[0]: a CRD cannot say a choice between types"),
        (Pair, "Pair: pair: a CRD cannot say prefixItems"),
    ],
)
def test_what_a_crd_cannot_say(model: type[BaseModel], message: str) -> None:
    with pytest.raises(ValueError, match="a CRD cannot say") as raised:
        structural_schema(model)
    assert str(raised.value) == message


def test_deviations_are_found_wherever_the_schema_is_closed() -> None:
    data = {
        "inner": {"size": 1, "colour": "blue"},
        "many": [{"size": 1}, {"sise": 2}],
        "named": {"a": 1},
        "anything": {"a": {"b": 1}},
        "open": {"image": 1.5, "other": {"x": 1}},
        "text": True,
        "bogus": 1,
        "maybe": ["not", "an", "object"],
    }
    allowed = tuple(structural_schema(Outer)["properties"])
    assert list(deviations(data, structural_schema(Outer))) == [
        UnknownField(("inner", "colour"), ("size",)),
        UnknownField(("many", 1, "sise"), ("size",)),
        NotText(("open", "image"), 1.5),
        NotText(("text",), value=True),
        UnknownField(("bogus",), allowed),
    ]
