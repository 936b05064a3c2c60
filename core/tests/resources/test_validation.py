"""One document, with everything that is wrong in it found in one go."""

from pathlib import Path
from textwrap import dedent

from pydantic import BaseModel

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
