from collections.abc import Callable, Mapping
from typing import Any

import pytest

from penstock.operator.desired import Desired
from penstock.operator.processor import (
    ObservedProcessor,
    ObservedStreamBinding,
    reconcile,
)
from penstock.operator.stream import encoded
from penstock.resources.models import Processor
from penstock.workload import StreamBinding, binding_files

NOW = "2026-01-02T03:04:05Z"
LATER = "2026-01-02T03:05:06Z"
READY = {"type": "Ready", "status": "True", "observedGeneration": 1}

Object = dict[str, Any]
Make = Callable[..., Object]


def decide(processor: Object, streams: Mapping[str, Any], **observed: Any) -> Desired:
    return reconcile(
        ObservedProcessor(processor, streams, **observed), sidecar_image="sidecar:1", now=NOW
    )


def conditions(desired: Desired) -> dict[str, tuple[str, str]]:
    return {one["type"]: (one["status"], one["reason"]) for one in desired.status["conditions"]}


def containers(desired: Desired) -> dict[str, Any]:
    (deployment,) = desired.children
    pod = deployment["spec"]["template"]["spec"]
    return {one["name"]: one for one in pod["containers"]}


@pytest.fixture
def streams(make: Make) -> dict[str, ObservedStreamBinding]:
    def bound(name: str) -> ObservedStreamBinding:
        stream = make("Stream", name, {}) | {"status": {"conditions": [READY]}}
        metadata = {"contentType": "text/plain", "stream": name}
        secret = encoded({"gateway": "franz:6565", "topic": f"shop_{name}"})
        return ObservedStreamBinding(stream, {"data": metadata}, {"data": secret})

    return {name: bound(name) for name in ("numbers", "sums", "oops")}


@pytest.fixture
def processor(make: Make) -> Object:
    function = {"name": "", "image": "average:1", "env": [{"name": "A", "value": "1"}]}
    return make(
        "Processor",
        "averager",
        {
            "inputs": [{"stream": "numbers", "startOffset": "earliest"}],
            "outputs": [{"stream": "sums", "alias": "totals"}],
            "delivery": {"deadLetter": {"stream": "oops"}},
            "template": {"spec": {"containers": [function], "priorityClassName": "high"}},
        },
    )


def test_a_processor_gets_a_deployment_of_function_and_sidecar(
    processor: Object, streams: dict[str, ObservedStreamBinding]
) -> None:
    desired = decide(processor, streams)
    (deployment,) = desired.children
    assert deployment["metadata"]["name"] == "averager-processor"
    selector = {"streaming.projectriff.io/processor": "averager"}
    assert deployment["spec"]["selector"] == {"matchLabels": selector}
    assert "replicas" not in deployment["spec"]
    assert list(containers(desired)) == ["function", "processor"]
    assert deployment["spec"]["template"]["spec"]["priorityClassName"] == "high"
    function = containers(desired)["function"]
    assert function["image"] == "average:1"
    assert function["env"] == [
        {"name": "A", "value": "1"},
        {"name": "GRPC_PORT", "value": "8081"},
    ]
    assert desired.status["latestImage"] == "average:1"
    assert desired.status["deploymentRef"]["name"] == "averager-processor"


def test_the_sidecar_is_told_what_its_contract_says(
    processor: Object, streams: dict[str, ObservedStreamBinding]
) -> None:
    sidecar = containers(decide(processor, streams))["processor"]
    environment = {one["name"]: one.get("value") for one in sidecar["env"]}
    assert environment["FUNCTION"] == "127.0.0.1:8081"
    assert environment["GROUP"] == "averager"
    assert environment["INPUT_NAMES"] == "numbers"
    assert environment["OUTPUT_NAMES"] == "totals"
    assert environment["INPUT_START_OFFSETS"] == "earliest"
    assert environment["CNB_BINDINGS"] == sidecar["volumeMounts"][0]["mountPath"]
    assert sidecar["image"] == "sidecar:1"
    assert sidecar["readinessProbe"]["httpGet"]["path"] == "/readyz"


def test_a_variable_without_a_value_is_written_as_the_api_server_keeps_it(
    processor: Object, streams: dict[str, ObservedStreamBinding]
) -> None:
    del processor["spec"]["outputs"]
    sidecar = containers(decide(processor, streams))["processor"]
    assert {"name": "OUTPUT_NAMES"} in sidecar["env"]


def test_its_bindings_are_the_files_that_a_local_run_writes(
    processor: Object, streams: dict[str, ObservedStreamBinding]
) -> None:
    (deployment,) = decide(processor, streams).children
    (volume,) = deployment["spec"]["template"]["spec"]["volumes"]
    paths = {
        item["path"]: (next(iter(source)), *(one["name"] for one in source.values()))
        for source in volume["projected"]["sources"]
        for item in next(iter(source.values()))["items"]
    }
    local = dict.fromkeys(streams, StreamBinding("franz:6565", "t", "text/plain"))
    assert paths.keys() == binding_files(Processor.model_validate(processor), local).keys()
    assert paths["output_000/secret/topic"] == ("secret", "sums-stream-binding-secret")
    assert paths["input_000/metadata/contentType"] == (
        "configMap",
        "numbers-stream-binding-metadata",
    )


def test_another_binding_makes_other_pods(
    processor: Object, streams: dict[str, ObservedStreamBinding]
) -> None:
    def annotations() -> Mapping[str, str]:
        (deployment,) = decide(processor, streams).children
        found: Mapping[str, str] = deployment["spec"]["template"]["metadata"]["annotations"]
        return found

    before = annotations()
    assert annotations() == before
    secret = {"data": encoded({"gateway": "franz:7000", "topic": "shop_sums"})}
    sums = streams["sums"]
    streams["sums"] = ObservedStreamBinding(sums.stream, sums.config_map, secret)
    assert annotations() != before


def test_it_is_ready_with_its_pods_and_then_nothing_changes(
    processor: Object,
    streams: dict[str, ObservedStreamBinding],
    stores: Callable[..., Object],
    available: Mapping[str, Any],
) -> None:
    first = decide(processor, streams)
    assert conditions(first)["Ready"] == ("Unknown", "Deploying")
    processor["status"] = first.status
    deployment = stores(first.children[0], status=available)
    second = decide(processor, streams, deployment=deployment)
    assert conditions(second)["Ready"] == ("True", "Ready")
    processor["status"] = second.status
    third = decide(processor, streams, deployment=deployment)
    assert third == Desired(second.status, second.children)


def test_that_nothing_scales_it_is_said_and_does_no_harm(
    processor: Object,
    streams: dict[str, ObservedStreamBinding],
    stores: Callable[..., Object],
    available: Mapping[str, Any],
) -> None:
    deployment = stores(decide(processor, streams).children[0], status=available)
    desired = decide(processor, streams, deployment=deployment)
    assert conditions(desired)["ScaledObjectReady"] == ("Unknown", "NotScaled")
    assert conditions(desired)["Ready"] == ("True", "Ready")


def test_streams_that_are_missing_or_not_ready_are_named(
    processor: Object, streams: dict[str, ObservedStreamBinding]
) -> None:
    del streams["numbers"]
    away = {"type": "Ready", "status": "False", "message": "no broker"}
    assert streams["sums"].stream
    sums = {**streams["sums"].stream, "status": {"conditions": [away]}}
    streams["sums"] = ObservedStreamBinding(sums)
    desired = decide(processor, streams)
    assert desired.children == []
    assert conditions(desired)["StreamsReady"] == ("False", "StreamNotReady")
    assert conditions(desired)["DeploymentReady"] == ("Unknown", "WaitingForStreams")
    assert [one.message for one in desired.events] == [
        'there is no stream "numbers" in namespace "shop"; stream "sums" is not ready: no broker'
    ]


def test_its_pods_stay_while_a_stream_is_away(
    processor: Object,
    streams: dict[str, ObservedStreamBinding],
    stores: Callable[..., Object],
    available: Mapping[str, Any],
) -> None:
    first = decide(processor, streams)
    deployment = stores(first.children[0], status=available)
    sums = streams["sums"]
    assert sums.stream
    away = {**sums.stream, "status": {"conditions": [{"type": "Ready", "status": "False"}]}}
    streams["sums"] = ObservedStreamBinding(away, sums.config_map, sums.secret)
    desired = decide(processor, streams, deployment=deployment)
    assert desired.children == first.children
    assert conditions(desired)["Ready"] == ("False", "StreamNotReady")
    assert conditions(desired)["DeploymentReady"] == ("True", "Ready")


@pytest.mark.parametrize(
    ("field", "kind"), [("functionRef", "Function"), ("containerRef", "Container")]
)
def test_a_builds_image_is_what_runs(
    processor: Object, streams: dict[str, ObservedStreamBinding], field: str, kind: str
) -> None:
    del processor["spec"]["template"]
    processor["spec"]["build"] = {field: "average"}
    absent = decide(processor, streams)
    assert absent.children == []
    assert conditions(absent)["DeploymentReady"] == ("False", "BuildNotFound")
    assert absent.events[0].message == f'there is no {kind} "average" in namespace "shop"'
    unbuilt = decide(processor, streams, build={"status": {}})
    assert conditions(unbuilt)["DeploymentReady"] == ("Unknown", "ImageMissing")
    built = decide(processor, streams, build={"status": {"latestImage": "average@sha256:1"}})
    assert containers(built)["function"]["image"] == "average@sha256:1"
    processor["status"] = built.status
    deleted = decide(processor, streams)
    assert containers(deleted)["function"]["image"] == "average@sha256:1"


def test_a_deployment_that_is_not_its_own_is_left_alone(
    processor: Object, streams: dict[str, ObservedStreamBinding]
) -> None:
    other = {"metadata": {"name": "averager-processor", "ownerReferences": []}}
    desired = decide(processor, streams, deployment=other)
    assert desired.children == []
    assert conditions(desired)["DeploymentReady"] == ("False", "NotOwned")
    assert "deploymentRef" not in desired.status


def test_both_containers_pass_the_restricted_standard_unless_told_otherwise(
    processor: Object, streams: dict[str, ObservedStreamBinding]
) -> None:
    own = {"readOnlyRootFilesystem": True}
    processor["spec"]["template"]["spec"]["containers"][0]["securityContext"] = own
    for container in containers(decide(processor, streams)).values():
        assert not container["securityContext"]["allowPrivilegeEscalation"]
        assert container["securityContext"]["readOnlyRootFilesystem"]
