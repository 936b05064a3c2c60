"""What is wrong is said in one line: file, line, resource, field, what is allowed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Problems = Callable[[str], list[str]]

GATEWAY = """\
apiVersion: streaming.projectriff.io/v1alpha1
kind: InMemoryGateway
metadata:
  name: memory
"""
STREAM = """\
---
apiVersion: streaming.projectriff.io/v1alpha1
kind: Stream
metadata:
  name: numbers
spec:
  gateway:
    name: memory
"""
PROCESSOR = """\
---
apiVersion: streaming.projectriff.io/v1alpha1
kind: Processor
metadata:
  name: averager
spec:
  inputs:
    - stream: numbers
  template:
    spec:
      containers:
        - command: [penstock-invoker, "averager:average"]
"""
SOUND = GATEWAY + STREAM + PROCESSOR


def test_a_sound_manifest_has_no_problem(problems: Problems) -> None:
    assert problems(SOUND) == []


def mistakes() -> list[Any]:
    cases = Path(__file__).with_name("mistakes.txt").read_text().strip().split("\n\n")
    found = []
    for case in cases[1:]:
        title, *lines = case.split("\n")
        before, after, (message,) = (
            [line[1:] for line in lines if line.startswith(mark)] for mark in "-+="
        )
        found.append(pytest.param("\n".join(before), "\n".join(after), message, id=title))
    return found


@pytest.mark.parametrize(("before", "after", "message"), mistakes())
def test_a_mistake_is_told_and_nothing_else(
    before: str, after: str, message: str, problems: Problems
) -> None:
    assert before in SOUND
    assert problems(SOUND.replace(before, after, 1)) == [message]


def test_all_problems_are_found_in_one_run(problems: Problems) -> None:
    text = """\
        apiVersion: streaming.projectriff.io/v1alpha1
        kind: Stream
        metadata: {name: numbers}
        spec:
          gatway: {name: memory}
          contentType: json
        ---
        apiVersion: streaming.projectriff.io/v1alpha1
        kind: Processor
        metadata: {name: averager}
        spec:
          inputs:
            - {stream: nubmers, startOfset: earliest}
          window: {size: soon}
          templat:
            spec:
              containers:
                - comand: [run]
                  env: [{name: 5}]
        """
    assert [one.partition(": spec.")[2] for one in problems(text)] == [
        'gatway: there is no such field; did you mean "gateway"?',
        'gateway.name: no gateway "memory" in namespace "default" (there is none)',
        "contentType: 'json' is not a media type: expected type/subtype, as application/json",
        'inputs[0].startOfset: there is no such field; did you mean "startOffset"?',
        (
            'inputs[0].stream: no Stream "nubmers" in namespace "default" (there are: numbers); '
            'did you mean "numbers"?'
        ),
        (
            "window.size: 'soon' is not a duration: expected numbers with h, m, s or ms, as 60s or "
            "1m30s"
        ),
        'templat: there is no such field; did you mean "template"?',
        (
            "template.spec.containers[0].command: is missing: the local runtime starts a command, "
            'not an image; give one, as [penstock-invoker, "module:function"]; is "comand" meant '
            "to be it?"
        ),
        "template.spec.containers[0].env[0].name: expected a text, got 5: put it in quotes",
    ]


def test_a_kind_of_another_api_is_left_alone(problems: Problems) -> None:
    text = SOUND + "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\n"
    assert problems(text) == [
        (
            'app.yaml:26: warning: ConfigMap "settings": ignored here: penstock reads the kinds of '
            "streaming.projectriff.io"
        )
    ]


def test_a_document_that_is_no_mapping(problems: Problems) -> None:
    assert problems(SOUND + "---\n- one\n- two\n") == [
        "app.yaml:26: expected a resource with apiVersion, kind, metadata and spec, got a list of 2"
    ]


def test_what_kubectl_keeps_in_a_status_is_not_looked_at(problems: Problems) -> None:
    assert problems(SOUND + "status: {conditions: 5, colour: blue}\n") == []
