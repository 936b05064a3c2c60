"""crds/ on a real API server: what it lets pass, what it refuses, what people see."""

import copy
import re
import urllib.parse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.kubernetes.app import API_VERSION, app, resource
from tests.servers.kubernetes import KubernetesServer
from tests.servers.kubernetes_api import KubernetesApi, Object, Refused, path
from tests.servers.kubernetes_definitions import definitions

CORE = Path(__file__).parents[2] / "core" / "tests"
# providers.yaml is of a version before this API.
RIFF = [
    CORE / "adoption" / "manifests" / "riff" / f"{one}.yaml" for one in ("cluster", "streaming")
]
EXAMPLES = sorted((Path(__file__).parents[2] / "examples").glob("*/*.yaml"))
KINDS = {one["spec"]["names"]["kind"] for one in definitions()}


def dry_run(api: KubernetesApi, value: Mapping[str, Any], namespace: str) -> Object:
    """What the API server would store of an object.

    Raises:
        Refused: It would not store it.
    """
    value = {**value, "metadata": {**value["metadata"], "namespace": namespace}}
    query = "?dryRun=All&fieldValidation=Strict"
    where = path(value["apiVersion"], value["kind"], namespace)
    return api.request("POST", where + query, value)


def documents(files: list[Path]) -> Iterator[Any]:
    """The resources of penstock's group in some files."""
    for file in files:
        for one in yaml.safe_load_all(file.read_text()):
            if one and one.get("apiVersion") == API_VERSION and one["kind"] in KINDS:
                yield pytest.param(one, id=f"{file.parent.name} {file.stem} {one['kind']}")


@pytest.mark.parametrize("value", [*documents(RIFF), *documents(EXAMPLES)])
def test_what_was_written_for_riff_and_the_examples_pass_unchanged(
    kubernetes: KubernetesServer, namespace: str, value: Object
) -> None:
    api = kubernetes.api
    stored = dry_run(api, value, namespace)
    assert {**stored.get("spec", {}), **plain(value)} == stored.get("spec", {})


def plain(value: Object) -> Object:
    """The fields of a spec that are one value each."""
    spec: Object = value.get("spec") or {}
    return {k: v for k, v in spec.items() if isinstance(v, str | int)}


def test_empty_texts_pass_as_riffs_command_line_sends_them(
    kubernetes: KubernetesServer, namespace: str
) -> None:
    stream = resource("Stream", namespace, "s", {"gateway": {"name": "g"}, "contentType": ""})
    container = {"name": "", "image": "i", "resources": {}}
    processor = {
        "build": {},
        "inputs": [{"stream": "s", "startOffset": ""}],
        "outputs": None,
        "template": {"metadata": {"creationTimestamp": None}, "spec": {"containers": [container]}},
    }
    for one in (stream, resource("Processor", namespace, "p", processor)):
        one["metadata"]["creationTimestamp"] = None
        dry_run(kubernetes.api, {**one, "status": {}}, namespace)


def test_defaults_are_filled_in(kubernetes: KubernetesServer, namespace: str) -> None:
    stored = dry_run(
        kubernetes.api, resource("Stream", namespace, "s", {"gateway": {"name": "g"}}), namespace
    )
    assert stored["spec"]["contentType"] == "application/octet-stream"


REFUSED = [
    ("Stream", {}, "spec.gateway: Required value"),
    ("Stream", {"gateway": {"name": "g"}, "contentType": "json"}, "spec.contentType"),
    ("Stream", {"gateway": {"name": "G"}}, "spec.gateway.name"),
    ("Stream", {"gateway": {"name": "g"}, "partitions": 0}, "spec.partitions"),
    ("Stream", {"gateway": {"name": "g"}, "gatway": 1}, 'unknown field "spec.gatway"'),
    ("Processor", {"inputs": []}, "spec.inputs"),
    (
        "Processor",
        {"inputs": [{"stream": "a"}, {"stream": "a"}], "build": {"functionRef": "f"}},
        "alias",
    ),
    (
        "Processor",
        {"inputs": [{"stream": "a"}], "build": {"functionRef": "f", "containerRef": "c"}},
        "functionRef",
    ),
    ("Processor", {"inputs": [{"stream": "a"}]}, "spec"),
    (
        "Processor",
        {
            "inputs": [{"stream": "a", "startOffset": "soon"}],
            "build": {"functionRef": "f"},
        },
        "spec.inputs[0].startOffset",
    ),
    ("KafkaGateway", {}, "spec.bootstrapServers: Required value"),
]


@pytest.mark.parametrize(("kind", "spec", "message"), REFUSED)
def test_what_is_wrong_is_refused_with_its_field(
    kubernetes: KubernetesServer, namespace: str, kind: str, spec: Object, message: str
) -> None:
    with pytest.raises(Refused) as error:
        dry_run(kubernetes.api, resource(kind, namespace, "x", spec), namespace)
    assert error.value.code in (400, 422)
    assert message in error.value.message


def test_a_window_without_a_sound_size_is_refused(
    kubernetes: KubernetesServer, namespace: str
) -> None:
    averager = app(namespace)[-1]
    dry_run(kubernetes.api, averager, namespace)
    for window in ({"size": "soon"}, {"type": "Round"}, {"size": "0s"}):
        wrong = copy.deepcopy(averager)
        wrong["spec"]["window"] = window
        with pytest.raises(Refused, match=r"spec\.window"):
            dry_run(kubernetes.api, wrong, namespace)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_field_has_a_sentence(kubernetes: KubernetesServer, kind: str) -> None:
    """What `kubectl explain` shows comes from the API server's own description of itself."""
    group = urllib.parse.quote(f"apis/{API_VERSION}")
    schemas = kubernetes.api.request("GET", f"/openapi/v3/{group}")["components"]["schemas"]
    [schema] = [
        one
        for one in schemas.values()
        if any(each["kind"] == kind for each in one.get("x-kubernetes-group-version-kind", ()))
    ]
    fields = dict(described("spec", schema["properties"]["spec"]))
    fields |= described("status", schema["properties"]["status"])
    assert len(fields) > 3
    assert [name for name, text in fields.items() if not re.search(r"\w \w.*\.", text)] == []


def described(name: str, schema: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The description of a field and of those below it."""
    yield name, schema.get("description", "")
    for below, inner in schema.get("properties", {}).items():
        yield from described(f"{name}.{below}", inner)
    for inner in schema.get("items", {}).get("properties", {}).items():
        yield from described(f"{name}[].{inner[0]}", inner[1])


def columns(api: KubernetesApi, value: Object) -> dict[str, str]:
    """What `kubectl get` shows of an object."""
    table = api.table(path(value["apiVersion"], value["kind"], value["metadata"]["namespace"]))
    names = [one["name"] for one in table["columnDefinitions"]]
    [row] = table["rows"]
    return dict(zip(names, (str(cell) for cell in row["cells"]), strict=True))


def test_people_see_what_matters(kubernetes: KubernetesServer, namespace: str) -> None:
    api = kubernetes.api
    shown = {}
    for one in api.apply(app(namespace)[1], app(namespace)[-1]):
        condition = {
            "type": "Ready",
            "status": "False",
            "reason": "Because",
            "message": "",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        }
        api.patch(one, {"status": {"conditions": [condition]}}, "status")
        shown[one["kind"]] = columns(api, one)
        del shown[one["kind"]]["Age"]
    assert shown == {
        "Stream": {
            "Name": "numbers",
            "Gateway": "franz",
            "Content Type": "text/plain",
            "Ready": "False",
            "Reason": "Because",
        },
        "Processor": {
            "Name": "averager",
            "Inputs": "numbers",
            "Outputs": "averages",
            "Ready": "False",
            "Reason": "Because",
        },
    }


def test_all_are_found_by_riffs_category(kubernetes: KubernetesServer) -> None:
    found = kubernetes.api.request("GET", f"/apis/{API_VERSION}")["resources"]
    categories = {one["kind"]: one["categories"] for one in found if "/" not in one["name"]}
    assert categories == {kind: ["riff"] for kind in KINDS}


def test_a_status_is_not_written_with_the_spec(
    kubernetes: KubernetesServer, namespace: str
) -> None:
    api = kubernetes.api
    [made] = api.apply({**app(namespace)[0], "status": {"observedGeneration": 7}})
    assert "status" not in made
    assert made["metadata"]["generation"] == 1
    changed = api.patch(made, {"status": {"observedGeneration": 1}}, "status")
    assert changed["metadata"]["generation"] == 1
