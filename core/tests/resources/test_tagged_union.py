"""A choice between models that a field tells apart, in a CRD."""

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from penstock.resources.structural_schema import Schema, structural_schema


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Square(Closed):
    """With four sides."""

    shape: Literal["square"] = Field(description="Which shape.")
    colour: str
    side: int = Field(ge=1, description="How long each is.")
    name: str


class Circle(Closed):
    """With none."""

    model_config = ConfigDict(
        json_schema_extra={
            "x-kubernetes-validations": [{"rule": "self.radius > 0", "message": "too small"}]
        }
    )

    shape: Literal["circle", "disc"]
    colour: str
    radius: float = 1.0


class Blot(BaseModel):
    shape: Literal["blot"]
    colour: str


class Drawing(BaseModel):
    figure: Annotated[
        Square | Circle | Blot, Field(discriminator="shape", description="What is drawn.")
    ]
    frame: Annotated[Square | Circle, Field(discriminator="shape")] | None = None


@pytest.fixture
def figure() -> Schema:
    schema: Schema = structural_schema(Drawing)["properties"]["figure"]
    return schema


def test_it_is_one_object_with_the_fields_of_all(figure: Schema) -> None:
    assert (figure["type"], figure["description"]) == ("object", "What is drawn.")
    assert figure["properties"] == {
        "shape": {
            "description": "Which shape.",
            "type": "string",
            "enum": ["square", "circle", "disc", "blot"],
        },
        "colour": {"type": "string"},
        "side": {
            "description": "How long each is.",
            "type": "integer",
            "format": "int64",
            "minimum": 1,
        },
        "name": {"type": "string"},
        # Without its default: it is no field of the others.
        "radius": {"type": "number"},
    }


def test_what_all_require_is_required(figure: Schema) -> None:
    assert figure["required"] == ["shape", "colour"]


def test_rules_say_what_goes_with_which_tag(figure: Schema) -> None:
    assert figure["x-kubernetes-validations"] == [
        {
            "rule": "!(self.shape in ['square']) || (has(self.side) && has(self.name) && "
            "self.name != '')",
            "message": "shape square needs side and name",
        },
        {
            "rule": "!(self.shape in ['square']) || (!has(self.radius))",
            "message": "shape square takes colour, side and name alone",
        },
        {
            "rule": "!(self.shape in ['circle', 'disc']) || (self.radius > 0)",
            "message": "too small",
        },
        {
            "rule": "!(self.shape in ['circle', 'disc']) || (!has(self.side) && !has(self.name))",
            "message": "shape circle or disc takes colour and radius alone",
        },
    ]


def test_it_may_be_optional() -> None:
    schema = structural_schema(Drawing)
    assert schema["required"] == ["figure"]
    assert schema["properties"]["frame"]["properties"].keys() == {
        *("shape", "colour", "side", "name", "radius")
    }


class Label(BaseModel):
    shape: Literal["label"]
    side: str


class Contradiction(BaseModel):
    figure: Annotated[Square | Label, Field(discriminator="shape")]


class Branch(BaseModel):
    shape: Literal["branch"]
    below: "Annotated[Branch | Blot, Field(discriminator='shape')]"


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (
            Contradiction,
            "Contradiction: figure.side: a CRD cannot say one of several kinds for each shape",
        ),
        (Branch, "Branch: below: a CRD cannot say Branch within Branch"),
    ],
)
def test_what_a_crd_cannot_say(model: type[BaseModel], message: str) -> None:
    with pytest.raises(ValueError, match="a CRD cannot say") as raised:
        structural_schema(model)
    assert str(raised.value) == message
