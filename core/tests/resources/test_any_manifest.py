"""Whatever a manifest says, what is wrong is told; nothing is raised."""

from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from penstock.plugin import Plugins
from penstock.resources.checks import check
from penstock.resources.declaration import Declaration, declared
from penstock.resources.document import Document, MalformedDocument, read_documents
from penstock.resources.kubernetes_secret import Secret
from penstock.resources.models import Resource
from penstock.resources.problem import Problem
from penstock.resources.source import Source

# How long an example takes to make says only how busy the machine is.
LENIENT = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
SOUND: dict[str, Any] = {
    "Stream": {
        "gateway": {"name": "memory"},
        "contentType": "text/plain",
        "partitions": 3,
        "retention": {"time": "1h", "bytes": "64Mi", "messages": 5},
        "config": {"a": "b"},
        "deletionPolicy": "Retain",
    },
    "InMemoryGateway": {"partitions": 1},
    "Gateway": {"template": {"spec": {"containers": [{}]}}, "ports": [{"port": 1}]},
    "Processor": {
        "inputs": [{"stream": "a", "alias": "b", "startOffset": "latest"}],
        "outputs": [{"stream": "a"}],
        "build": {"functionRef": "f"},
        "window": {"type": "Tumbling", "size": "2s"},
        "template": {"spec": {"containers": [{"command": ["x"], "env": [{"name": "N"}]}]}},
    },
}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda below: st.lists(below, max_size=2) | st.dictionaries(st.text(max_size=5), below),
    max_leaves=4,
)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """A sound resource in which one field, somewhere, is replaced, renamed or left out."""
    kind = draw(st.sampled_from(sorted(SOUND)))
    spoilt = draw(spoil(SOUND[kind]))
    whole = {
        "apiVersion": "streaming.projectriff.io/v1alpha1",
        "kind": kind,
        "metadata": {"name": draw(st.sampled_from(["a", "b"])), "labels": {"a": "b"}},
        "spec": spoilt,
    }
    return draw(spoil(whole)) if draw(st.booleans()) else whole


def spoil(value: Any) -> st.SearchStrategy[Any]:
    if isinstance(value, dict) and value:
        return st.sampled_from(sorted(value)).flatmap(lambda name: _spoil_field(value, name))
    if isinstance(value, list) and value:
        return spoil(value[0]).map(lambda first: [first, *value[1:]]) | VALUES
    return VALUES


def _spoil_field(value: dict[str, Any], name: str) -> st.SearchStrategy[Any]:
    rest = {other: one for other, one in value.items() if other != name}
    return st.one_of(
        spoil(value[name]).map(lambda one: rest | {name: one}),
        st.text(max_size=5).map(lambda other: rest | {other: value[name]}),
        st.just(rest | {name[:-1]: value[name]}),
        st.just(rest),
        VALUES,
    )


def problems_of(found: list[Document | MalformedDocument], plugins: Plugins) -> list[Problem]:
    told = [one for document in found if isinstance(document, Document)
            for one in declared(document, plugins)]  # fmt: skip
    declarations = [one for one in told if isinstance(one, Declaration)]
    for declaration in declarations:
        assert isinstance(declaration.resource, Resource | Secret | None)
    problems = [one for one in told if isinstance(one, Problem)]
    for local in (True, False):
        problems += check(declarations, local=local, complete=True)
    return problems


@settings(suppress_health_check=LENIENT, deadline=None)
@given(values=st.lists(documents(), min_size=1, max_size=3))
def test_any_values(values: list[dict[str, Any]], riff_plugins: Plugins) -> None:
    source = Source(Path("app.yaml"), 1)
    for problem in problems_of([Document(value, source) for value in values], riff_plugins):
        assert str(problem).startswith("app.yaml:1: ")
        assert "\n" not in str(problem)


HIDDEN = "hunter22"
SECRET = {
    "apiVersion": "v1",
    "kind": "Secret",
    "metadata": {"name": "a", "namespace": "b", "annotations": {"last": HIDDEN}},
    "type": "Opaque",
    "data": {"a": "aHVudGVyMg==", "b": HIDDEN},
    "stringData": {"c": HIDDEN},
}


@settings(suppress_health_check=LENIENT, deadline=None)
@given(value=spoil(SECRET))
def test_any_secret_stays_one(value: dict[str, Any], riff_plugins: Plugins) -> None:
    source = Source(Path("app.yaml"), 1)
    for problem in problems_of([Document(value, source)], riff_plugins):
        assert HIDDEN not in str(problem)


@settings(suppress_health_check=LENIENT, deadline=None)
@given(st.data())
def test_any_text_of_a_secret_stays_one(riff_plugins: Plugins, data: st.DataObject) -> None:
    text = yaml.safe_dump(SECRET, sort_keys=False)
    start = data.draw(st.integers(text.index("metadata"), len(text)))
    text = text[:start] + data.draw(st.sampled_from("@`%!*&'\"[]{}:?|-\t,#")) + text[start:]
    found = list(read_documents(Path("app.yaml"), text))
    said = [str(one) for one in found if isinstance(one, MalformedDocument)]
    said += [str(one) for one in problems_of(found, riff_plugins)]
    assert HIDDEN not in " ".join(said)


@settings(suppress_health_check=LENIENT, deadline=None)
@given(st.data())
def test_any_text(riff_plugins: Plugins, data: st.DataObject) -> None:
    text = yaml.safe_dump_all([{"kind": kind, "spec": spec} for kind, spec in SOUND.items()])
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(start + 5, len(text))))
    text = text[:start] + data.draw(st.text(max_size=5)) + text[end:]
    problems_of(list(read_documents(Path("app.yaml"), text)), riff_plugins)
