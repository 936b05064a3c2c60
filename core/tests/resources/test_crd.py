"""The definitions in crds/: what the API server asks of them, and what they let pass."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from penstock.plugin import Plugins
from penstock.resources.crd import custom_resource_definition, definitions
from penstock.resources.kinds import resource_models
from penstock.resources.structural_schema import Schema

FOLDER = Path(__file__).parents[3] / "crds"
KEYWORDS = {
    "description", "type", "format", "default", "enum", "pattern", "minLength", "maxLength",
    "minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "minItems", "maxItems",
    "properties", "required", "additionalProperties", "items", "x-kubernetes-int-or-string",
    "x-kubernetes-list-map-keys", "x-kubernetes-list-type", "x-kubernetes-validations",
    "x-kubernetes-preserve-unknown-fields",
}  # fmt: skip
OPEN = "x-kubernetes-preserve-unknown-fields"
Definition = dict[str, Any]
PLUGIN = """
from penstock.plugin import GatewayKind, hookimpl
from pydantic import BaseModel

class Spec(BaseModel):
    servers: {servers}

@hookimpl
def penstock_gateway_kind():
    return GatewayKind("TestGateway", Spec, frozenset(), "A test.")

@hookimpl
def penstock_gateway_factory():
    return Spec
"""


@pytest.fixture
def kinds(riff_plugins: Plugins) -> dict[str, Definition]:
    models = resource_models(riff_plugins)
    return {kind: custom_resource_definition(kind, model) for kind, model in models.items()}


def schema_of(definition: Definition) -> Schema:
    schema: Schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    return schema


def columns(definition: Definition) -> dict[str, str]:
    found = definition["spec"]["versions"][0]["additionalPrinterColumns"]
    return {one["name"]: one["jsonPath"] for one in found}


class TestFiles:
    """What `make generate` writes and `make check` looks at."""

    def generate(self, *arguments: str, path: Path = FOLDER) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "penstock.resources.crd", *arguments]
        environment = {**os.environ, "PYTHONPATH": str(path)}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    def test_the_committed_files_are_up_to_date(self) -> None:
        run = self.generate("--check", "--output", str(FOLDER))
        assert (run.stderr, run.returncode) == ("", 0)

    def test_writing_makes_them_so(self, tmp_path: Path) -> None:
        folder = tmp_path / "crds"
        assert self.generate("--output", str(folder)).returncode == 0
        written = {path.name: path.read_text() for path in folder.iterdir()}
        assert written == {path.name: path.read_text() for path in FOLDER.glob("streaming*.yaml")}

    def test_stale_missing_and_left_over_files_are_told(self, tmp_path: Path) -> None:
        self.generate("--output", str(tmp_path))
        stale = tmp_path / "streaming.projectriff.io_streams.yaml"
        stale.write_text(stale.read_text() + "# edited\n")
        missing = tmp_path / "streaming.projectriff.io_processors.yaml"
        missing.unlink()
        left_over = tmp_path / "streaming.projectriff.io_pigeongateways.yaml"
        left_over.write_text("kind: CustomResourceDefinition\n")
        run = self.generate("--check", "--output", str(tmp_path))
        assert run.returncode == 1
        assert run.stderr.splitlines() == [
            f"{path} is not what the models say: run make generate"
            for path in (left_over, missing, stale)
        ]
        assert self.generate("--output", str(tmp_path)).returncode == 0
        assert self.generate("--check", "--output", str(tmp_path)).returncode == 0
        assert not left_over.exists()

    @pytest.mark.parametrize(
        ("servers", "message"),
        [
            (
                "list[str] | int",
                "TestGateway: spec.servers: a CRD cannot say a choice between types",
            ),
            ("nothing", "plugin test (penstock-test): importing penstock_test raised NameError"),
        ],
        ids=["no schema", "broken"],
    )
    def test_a_plugin_that_cannot_be_used_is_told(
        self, servers: str, message: str, tmp_path: Path
    ) -> None:
        (tmp_path / "penstock_test.py").write_text(PLUGIN.format(servers=servers))
        metadata = tmp_path / "penstock_test-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(
            "Metadata-Version: 2.1\nName: penstock-test\nVersion: 1\n"
        )
        (metadata / "entry_points.txt").write_text("[penstock.gateways]\ntest = penstock_test\n")
        run = self.generate("--output", str(tmp_path / "crds"), path=tmp_path)
        assert run.returncode == 1
        assert run.stderr.startswith(message)
        assert not (tmp_path / "crds").exists()


class TestContract:
    """Names and columns are riff's."""

    def test_names(self, kinds: dict[str, Definition]) -> None:
        assert {kind: one["metadata"]["name"] for kind, one in kinds.items()} == {
            "Gateway": "gateways.streaming.projectriff.io",
            "Processor": "processors.streaming.projectriff.io",
            "Stream": "streams.streaming.projectriff.io",
            "InMemoryGateway": "inmemorygateways.streaming.projectriff.io",
            "KafkaGateway": "kafkagateways.streaming.projectriff.io",
            "PulsarGateway": "pulsargateways.streaming.projectriff.io",
        }
        for kind, one in kinds.items():
            names, spec = one["spec"]["names"], one["spec"]
            assert names["categories"] == ["riff"]
            assert (names["kind"], names["singular"]) == (kind, kind.lower())
            assert (spec["group"], spec["scope"]) == ("streaming.projectriff.io", "Namespaced")
            (version,) = spec["versions"]
            assert (version["name"], version["subresources"]) == ("v1alpha1", {"status": {}})

    @pytest.mark.parametrize(
        ("kind", "names"),
        [
            ("KafkaGateway", ["Bootstrap Servers"]),
            ("InMemoryGateway", []),
            ("PulsarGateway", ["Service URL"]),
            ("Gateway", ["Type"]),
            ("Stream", ["Gateway", "Content Type"]),
            ("Processor", ["Inputs", "Outputs"]),
        ],
    )
    def test_columns(self, kind: str, names: list[str], kinds: dict[str, Definition]) -> None:
        assert list(columns(kinds[kind])) == [*names, "Ready", "Reason", "Age"]

    def test_columns_show_fields_that_are_there(self, kinds: dict[str, Definition]) -> None:
        assert columns(kinds["PulsarGateway"])["Service URL"] == ".spec.serviceURL"
        assert columns(kinds["Stream"])["Content Type"] == ".spec.contentType"
        assert columns(kinds["Gateway"])["Type"] == (
            r".metadata.labels['streaming\.projectriff\.io/gateway-type']"
        )

    @pytest.mark.parametrize(
        ("kind", "fields"),
        [
            ("KafkaGateway", {"address", "gatewayRef", "gatewayImage", "provisionerImage"}),
            ("Gateway", {"address", "deploymentRef", "serviceRef"}),
            ("Stream", {"binding"}),
            ("Processor", {"latestImage", "deploymentRef", "scaledObjectRef"}),
        ],
    )
    def test_statuses(self, kind: str, fields: set[str], kinds: dict[str, Definition]) -> None:
        status = schema_of(kinds[kind])["properties"]["status"]["properties"]
        assert status.keys() == {"conditions", "observedGeneration"} | fields
        assert status["conditions"]["x-kubernetes-list-type"] == "map"
        assert status["conditions"]["x-kubernetes-list-map-keys"] == ["type"]

    def test_defaults(self, kinds: dict[str, Definition]) -> None:
        stream = schema_of(kinds["Stream"])["properties"]["spec"]["properties"]
        assert stream["contentType"]["default"] == "application/octet-stream"
        inputs = schema_of(kinds["Processor"])["properties"]["spec"]["properties"]["inputs"]
        assert inputs["items"]["properties"]["startOffset"]["default"] == "latest"

    def test_the_spec_is_required_where_something_in_it_is(
        self, kinds: dict[str, Definition]
    ) -> None:
        required = {kind for kind, one in kinds.items() if "required" in schema_of(one)}
        assert required == {"KafkaGateway", "PulsarGateway", "Stream", "Processor"}


def nodes(schema: Schema, path: str = "") -> Iterator[tuple[str, Schema]]:
    yield path, schema
    for name, below in schema.get("properties", {}).items():
        yield from nodes(below, f"{path}.{name}")
    for keyword in ("items", "additionalProperties"):
        if keyword in schema:
            yield from nodes(schema[keyword], f"{path}[]")


class TestStructure:
    """What the API server asks of a schema."""

    @pytest.fixture
    def all_nodes(self, kinds: dict[str, Definition]) -> list[tuple[str, Schema]]:
        return [node for one in kinds.values() for node in nodes(schema_of(one))]

    def test_every_node_has_a_type(self, all_nodes: list[tuple[str, Schema]]) -> None:
        untyped = {
            path
            for path, node in all_nodes
            if "type" not in node and not node.get("x-kubernetes-int-or-string")
        }
        assert untyped == set()

    def test_there_are_no_other_keywords(self, all_nodes: list[tuple[str, Schema]]) -> None:
        assert {keyword for _, node in all_nodes for keyword in node} <= KEYWORDS
        for path, node in all_nodes:
            assert not ("properties" in node and "additionalProperties" in node), path

    def test_every_field_is_explained(self, all_nodes: list[tuple[str, Schema]]) -> None:
        silent = [
            path
            for path, node in all_nodes
            if "description" not in node and not path.endswith("[]") and path != ".metadata"
        ]
        assert silent == []

    def test_of_the_metadata_only_the_name_is_restricted(
        self, kinds: dict[str, Definition]
    ) -> None:
        for definition in kinds.values():
            metadata = schema_of(definition)["properties"]["metadata"]
            assert metadata.keys() == {"type", "properties"}
            assert metadata["properties"].keys() == {"name"}

    def test_defaults_are_valid(self, all_nodes: list[tuple[str, Schema]]) -> None:
        with_default = [(path, node) for path, node in all_nodes if "default" in node]
        assert with_default
        for path, node in with_default:
            assert list(refusals(node["default"], node)) == [], path

    def test_patterns_have_nothing_that_re2_lacks(
        self, all_nodes: list[tuple[str, Schema]]
    ) -> None:
        patterns = {node["pattern"] for _, node in all_nodes if "pattern" in node}
        assert patterns
        for pattern in patterns:
            re.compile(pattern)
            assert not re.search(r"\(\?[=!<P]|\\[1-9]", pattern)

    def test_what_rules_look_at_is_bounded(self, kinds: dict[str, Definition]) -> None:
        spec = schema_of(kinds["Processor"])["properties"]["spec"]
        for side in ("inputs", "outputs"):
            assert spec["properties"][side]["maxItems"] <= 64
            assert "self.all(" in spec["properties"][side]["x-kubernetes-validations"][0]["rule"]
            binding = spec["properties"][side]["items"]["properties"]
            assert max(binding[name]["maxLength"] for name in ("stream", "alias")) <= 63
        containers = spec["properties"]["template"]["properties"]["spec"]["properties"][
            "containers"
        ]
        assert containers["maxItems"] <= 64
        assert "maxLength" in containers["items"]["properties"]["image"]


TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
}


def refusals(value: Any, schema: Schema, path: str = "") -> Iterator[str]:
    """What the API server refuses of a value by the plain part of a schema, the rules left out."""
    wanted = TYPES.get(schema.get("type", ""), (object,))
    if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
        yield f"{path}: not of type {schema.get('type')}"
    elif "enum" in schema and value not in schema["enum"]:
        yield f"{path}: not of the enum"
    elif isinstance(value, str):
        if not re.search(schema.get("pattern", ""), value):
            yield f"{path}: no match"
        if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", 10**6):
            yield f"{path}: length"
    elif isinstance(value, int | float):
        if not schema.get("minimum", value) <= value <= schema.get("maximum", value):
            yield f"{path}: out of bounds"
    else:
        yield from refusals_below(value, schema, path)


def refusals_below(value: Any, schema: Schema, path: str) -> Iterator[str]:
    if isinstance(value, list):
        if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", 10**6):
            yield f"{path}: count"
        for index, item in enumerate(value):
            yield from refusals(item, schema["items"], f"{path}[{index}]")
    elif isinstance(value, dict):
        for name in schema.get("required", ()):
            if name not in value:
                yield f"{path}.{name}: missing"
        properties = schema.get("properties", {})
        for name, item in value.items():
            below = properties.get(name, schema.get("additionalProperties"))
            if below is None and OPEN not in schema and path != ".metadata":
                yield f"{path}.{name}: unknown"
            # The API server takes a null for a field that is not there.
            elif below is not None and item is not None:
                yield from refusals(item, below, f"{path}.{name}")


class TestObjects:
    """What passes the schemas, and what does not."""

    def check(self, kind: str, spec: str, kinds: dict[str, Definition]) -> list[str]:
        value = {"kind": kind, "metadata": {"name": "a"}, "spec": yaml.safe_load(spec)}
        return list(refusals(value, schema_of(kinds[kind])))

    @pytest.mark.parametrize(
        ("kind", "spec"),
        [
            ("Stream", "{contentType: '', gateway: {name: g}}"),
            (
                "Stream",
                "{gateway: {name: g}, deletionPolicy: '', retention: {time: '', bytes: ''}}",
            ),
            ("Stream", "{gateway: {name: g}, partitions: 3, config: {a: ''}}"),
            ("Stream", "{gateway: {name: g}, retention: {time: 1h30m, bytes: 64Mi, messages: 5}}"),
            ("Stream", "{gateway: {name: g}, retention: {bytes: 5}}"),
            ("Stream", "{gateway: {name: g}, contentType: text/plain; charset=utf-8}"),
            ("Processor", "{inputs: [{stream: b, alias: '', startOffset: ''}], outputs: null}"),
            ("Processor", "{inputs: [{stream: b}], window: {type: Count, count: 5}, build: null}"),
            (
                "Processor",
                """
                inputs: [{stream: b}]
                template:
                  metadata: {creationTimestamp: null, labels: {a: b}}
                  spec:
                    serviceAccountName: me
                    containers:
                    - {name: '', image: x, resources: {}, ports: [{containerPort: 1}]}
                """,
            ),
            ("InMemoryGateway", "{}"),
            ("KafkaGateway", "{bootstrapServers: 'a:1,b:2'}"),
            ("Gateway", "{template: {spec: {containers: []}}, ports: [{port: 1, targetPort: 0}]}"),
        ],
    )
    def test_riffs_and_penstocks_pass(
        self, kind: str, spec: str, kinds: dict[str, Definition]
    ) -> None:
        assert self.check(kind, spec, kinds) == []

    @pytest.mark.parametrize(
        ("kind", "spec", "refused"),
        [
            ("Stream", "{}", "gateway: missing"),
            ("Stream", "{gateway: {name: ''}}", "gateway.name: no match"),
            ("Stream", "{gateway: {name: g}, contentType: json}", "contentType: no match"),
            ("Stream", "{gateway: {name: g}, partitions: 0}", "partitions: out of bounds"),
            ("Stream", "{gateway: {name: g}, partitions: ''}", "partitions: not of type integer"),
            ("Stream", "{gateway: {name: g}, colour: red}", "colour: unknown"),
            ("Stream", "{gateway: {name: g}, retention: {time: 5d}}", "retention.time: no match"),
            (
                "Stream",
                "{gateway: {name: g}, retention: {bytes: 5MB}}",
                "retention.bytes: no match",
            ),
            ("Processor", "{inputs: []}", "inputs: count"),
            ("Processor", "{inputs: [{stream: ''}]}", "inputs[0].stream: no match"),
            ("Processor", "{inputs: [{stream: b, alias: 'x,y'}]}", "inputs[0].alias: no match"),
            (
                "Processor",
                "{inputs: [{stream: b, startOffset: now}]}",
                "inputs[0].startOffset: not of the enum",
            ),
            ("KafkaGateway", "{}", "bootstrapServers: missing"),
            ("PulsarGateway", "{serviceURL: 'http://x'}", "serviceURL: no match"),
        ],
    )
    def test_what_lint_refuses_they_refuse(
        self, kind: str, spec: str, refused: str, kinds: dict[str, Definition]
    ) -> None:
        assert self.check(kind, spec, kinds) == [f".spec.{refused}"]

    def test_a_name_is_a_dns_label(self, kinds: dict[str, Definition]) -> None:
        for kind, definition in kinds.items():
            value = {"kind": kind, "metadata": {"name": "A.b"}}
            assert ".metadata.name: no match" in refusals(value, schema_of(definition))


def test_there_is_a_file_for_each_kind(riff_plugins: Plugins) -> None:
    cores, plugins = ["gateways", "processors", "streams"], ["inmemory", "kafka", "pulsar"]
    plurals = [*cores, *(f"{plugin}gateways" for plugin in plugins)]
    texts = definitions(riff_plugins)
    assert texts.keys() == {f"streaming.projectriff.io_{plural}.yaml" for plural in plurals}
    assert not any("&id" in text for text in texts.values())
