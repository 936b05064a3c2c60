"""One document, with everything that is wrong in it found in one go."""

from pathlib import Path
from textwrap import dedent
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field

from penstock.plugin import GatewayKind
from penstock.resources.document import Document, read_documents
from penstock.resources.models import Processor, Stream, concrete_gateway
from penstock.resources.validation import Validated, validate


def validated(text: str, model: type[Processor | Stream] = Processor) -> Validated:
    (document,) = read_documents(Path("app.yaml"), dedent(text))
    assert isinstance(document, Document)
    return validate(document, model, "It")


def test_what_is_wrong_is_left_out_and_the_rest_is_kept() -> None:
    resource, problems = validated(
        """\
        metadata: {name: p, labels: {a: 5}}
        spec:
          inputs: [{stream: a, startOffset: never}]
          template:
            spec:
              containers:
                - command: [run]
                  env: [{value: x}]
        """
    )
    assert isinstance(resource, Processor)
    assert resource.spec.inputs[0].start_offset.value == "latest"
    container = resource.spec.function_container
    assert container is not None
    assert (container.command, container.env) == (["run"], [])
    assert len(problems) == 3


def test_a_misspelt_field_counts_as_what_it_means() -> None:
    resource, problems = validated(
        """\
        metdata: {name: numbers}
        spec: {gatway: {nam: memory}, contentType: text/plain}
        """,
        Stream,
    )
    assert isinstance(resource, Stream)
    assert resource.metadata.name == "numbers"
    assert resource.spec.gateway.name == "memory"
    assert [(str(one.source), one.field) for one in problems] == [
        ("app.yaml:1", "metdata"),
        ("app.yaml:2", "spec.gatway"),
        ("app.yaml:2", "spec.gateway.nam"),
    ]


def test_what_a_misspelt_field_holds_keeps_its_lines() -> None:
    _, problems = validated(
        """\
        metadata: {name: numbers}
        spec:
          gateway: {name: memory}
          retenton:

            time: soon
        """,
        Stream,
    )
    assert [str(one.source) for one in problems] == ["app.yaml:4", "app.yaml:6"]


def test_two_spellings_of_a_field_leave_the_right_one() -> None:
    resource, problems = validated(
        "metadata: {name: a}\nspec: {gateway: {name: right}, gatway: {name: wrong}}\n", Stream
    )
    assert isinstance(resource, Stream)
    assert resource.spec.gateway.name == "right"
    assert len(problems) == 1


def test_there_is_no_resource_without_what_is_required() -> None:
    resource, problems = validated("metadata: {name: p}\nspec: {inputs: [{alias: a}]}\n")
    assert resource is None
    assert [one.field for one in problems] == ["spec.inputs[0].stream"]


class Choice(BaseModel):
    """More than a CRD can say, which is no matter for the local runtime."""

    servers: list[str] | dict[str, int]


def test_a_plugins_model_may_be_more_than_a_crd_can_say() -> None:
    kind = GatewayKind("ChoiceGateway", Choice, frozenset(), "A test.")
    document = {"metadata": {"name": "g"}, "spec": {"servers": {"a": 1}}}
    (read,) = read_documents(Path("app.yaml"), str(document))
    assert isinstance(read, Document)
    resource, problems = validate(read, concrete_gateway(kind), "It")
    assert problems == []
    assert resource is not None


class Square(BaseModel):
    shape: Literal["square"]
    side: int = Field(description="How long it is.")


class Circle(BaseModel):
    model_config = ConfigDict(extra="forbid")

    shape: Literal["circle", "disc"]
    radius: float


class Drawing(BaseModel):
    """Has a choice of models that a field tells apart."""

    figure: Annotated[Square | Circle, Field(discriminator="shape", description="What is drawn.")]


@pytest.mark.parametrize(
    ("figure", "field", "message"),
    [
        ("{shape: square}", "side", "is missing, and required: how long it is"),
        ("{shape: square, side: long}", "side", 'expected a whole number, got "long"'),
        ("{shape: circle, radius: 1, side: 2}", "side", 'does not go with "circle"'),
        ("{radius: 1}", "shape", "is missing, and required"),
        (
            "{shape: circel}",
            "shape",
            '"circel" is not allowed: expected square or circle or disc; did you mean "circle"?',
        ),
        ("{shape: disc, radus: 1}", "radus", 'there is no such field; did you mean "radius"?'),
    ],
)
def test_what_is_wrong_in_a_choice_of_models_is_told_at_its_field(
    figure: str, field: str, message: str
) -> None:
    kind = GatewayKind("DrawingGateway", Drawing, frozenset(), "A test.")
    text = f"metadata: {{name: g}}\nspec:\n  figure: {figure}\n"
    (read,) = read_documents(Path("app.yaml"), text)
    assert isinstance(read, Document)
    _, problems = validate(read, concrete_gateway(kind), "It")
    assert [(one.source.line, one.field, one.message) for one in problems] == [
        (3, f"spec.figure.{field}", message)
    ]
