"""The operator on a real API server: what is declared comes to be, and stays so."""

import time
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from penstock.cli.root import penstock
from tests.kubernetes.app import (
    API_VERSION,
    app,
    becomes,
    becomes_ready,
    children,
    resource,
    stream,
)
from tests.kubernetes.conftest import StartOperator
from tests.servers.api_proxy import ApiProxy
from tests.servers.kubernetes import KubernetesServer
from tests.servers.kubernetes_api import Object, condition, is_condition, path_of

pytestmark = [pytest.mark.usefixtures("node"), pytest.mark.timeout(240)]

MADE = {
    "ConfigMap averages-stream-binding-metadata",
    "ConfigMap franz-inmemory-gateway",
    "ConfigMap numbers-stream-binding-metadata",
    "Deployment averager-processor",
    "Deployment franz-gateway",
    "Gateway franz",
    "Secret averages-stream-binding-secret",
    "Secret numbers-stream-binding-secret",
    "Service franz-gateway",
}


def test_an_application_becomes_ready(
    kubernetes: KubernetesServer, namespace: str, start_operator: StartOperator
) -> None:
    api = kubernetes.api
    operator = start_operator(kubernetes, namespace)
    gateway, numbers, _, averager = becomes_ready(api, *api.apply(*app(namespace)))
    assert set(children(api, namespace)) == MADE
    host = f"http://franz-gateway.{namespace}.svc.cluster.local"
    assert gateway["status"]["address"] == {"url": host}
    assert numbers["status"]["binding"]["secretRef"] == {"name": "numbers-stream-binding-secret"}
    assert averager["status"]["latestImage"] == "averager:1"
    assert "Traceback" not in operator.log
    assert operator.stop() == 0


def test_what_changes_upstream_reaches_what_depends_on_it(
    kubernetes: KubernetesServer, namespace: str, start_operator: StartOperator
) -> None:
    api = kubernetes.api
    start_operator(kubernetes, namespace)
    becomes_ready(api, *api.apply(*app(namespace)))
    name = ("apps/v1", "Deployment", namespace, "averager-processor")
    before = api.get(*name)["spec"]["template"]
    [numbers] = api.apply(stream(namespace, "numbers", contentType="text/csv"))
    becomes_ready(api, numbers)
    metadata = api.get("v1", "ConfigMap", namespace, "numbers-stream-binding-metadata")
    assert metadata["data"]["contentType"] == "text/csv"
    # A sidecar reads its bindings once: others make other pods.
    api.eventually(*name, lambda one: one["spec"]["template"] != before)


def test_a_build_that_is_not_there_is_said(
    kubernetes: KubernetesServer, namespace: str, start_operator: StartOperator
) -> None:
    api = kubernetes.api
    start_operator(kubernetes, namespace)
    becomes_ready(api, *api.apply(*app(namespace)[:3]))
    spec = {"inputs": [{"stream": "numbers"}], "build": {"functionRef": "average"}}
    [built] = api.apply(resource("Processor", namespace, "built", spec))
    found = becomes(api, built, "DeploymentReady", "False", "BuildNotFound")
    assert condition(found, "DeploymentReady")["message"] == (
        f'there is no Function "average" in namespace "{namespace}"'
    )


def test_all_goes_with_what_it_is_of_in_any_order(
    kubernetes: KubernetesServer, namespace: str, start_operator: StartOperator
) -> None:
    api = kubernetes.api
    start_operator(kubernetes, namespace)
    gateway, numbers, averages, averager = becomes_ready(api, *api.apply(*app(namespace)))
    api.delete(gateway)
    api.eventually_gone(API_VERSION, "Gateway", namespace, "franz")
    gone = becomes(api, numbers, "Ready", "False", "ProvisionFailed")
    assert condition(gone, "Ready")["message"] == (
        f'there is no gateway "franz" in namespace "{namespace}"'
    )
    # What runs goes on: its streams may come back.
    assert api.find("apps/v1", "Deployment", namespace, "averager-processor")
    for one in (numbers, averages):
        api.delete(one)
    becomes(api, averager, "StreamsReady", "False", "StreamNotReady")
    api.delete(averager)
    for name in ("averager-processor", "franz-gateway"):
        api.eventually_gone("apps/v1", "Deployment", namespace, name)
    for name in ("numbers-stream-binding-secret", "averages-stream-binding-secret"):
        api.eventually_gone("v1", "Secret", namespace, name)


def test_a_child_that_was_edited_is_put_back(
    kubernetes: KubernetesServer, namespace: str, start_operator: StartOperator
) -> None:
    api = kubernetes.api
    start_operator(kubernetes, namespace)
    becomes_ready(api, *api.apply(*app(namespace)))
    name = ("v1", "ConfigMap", namespace, "numbers-stream-binding-metadata")
    wanted = api.get(*name)["data"]
    api.patch(api.get(*name), {"data": {"contentType": "a/b"}})
    api.eventually(*name, lambda one: one["data"] == wanted)
    api.patch(api.get(*name), {"metadata": {"labels": None}})
    api.eventually(*name, lambda one: "labels" in one["metadata"])
    api.delete(api.get(*name))
    api.eventually(*name, lambda one: one["data"] == wanted)


def test_a_status_that_a_stranger_wrote_is_put_right(
    kubernetes: KubernetesServer, namespace: str, start_operator: StartOperator
) -> None:
    api = kubernetes.api
    start_operator(kubernetes, namespace)
    _, numbers, *_ = becomes_ready(api, *api.apply(*app(namespace)))
    lie = {
        "type": "Ready",
        "status": "False",
        "reason": "Lie",
        "message": "no",
        "lastTransitionTime": "2020-01-01T00:00:00Z",
    }
    api.patch(numbers, {"status": {"conditions": [lie]}}, "status")
    becomes_ready(api, numbers)


def test_a_name_that_is_taken_is_said_and_left_alone(
    kubernetes: KubernetesServer, namespace: str, start_operator: StartOperator
) -> None:
    api = kubernetes.api
    taken = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "numbers-stream-binding-metadata", "namespace": namespace},
        "data": {"whose": "mine"},
    }
    api.apply(taken)
    start_operator(kubernetes, namespace)
    gateway, numbers, *_ = api.apply(*app(namespace))
    becomes_ready(api, gateway)
    found = becomes(api, numbers, "BindingReady", "False", "BindingFailed")
    assert condition(found, "BindingReady")["message"] == (
        'there is a ConfigMap "numbers-stream-binding-metadata" that is not of this Stream: '
        "delete or rename it"
    )
    where = ("v1", "ConfigMap", namespace, "numbers-stream-binding-metadata")
    assert api.get(*where)["data"] == {"whose": "mine"}
    api.delete(taken)
    becomes_ready(api, numbers)


def test_what_only_the_plugin_refuses_is_said_in_the_words_of_penstock_lint(
    kubernetes: KubernetesServer, namespace: str, start_operator: StartOperator, tmp_path: Path
) -> None:
    api = kubernetes.api
    start_operator(kubernetes, namespace)
    wrong = resource("KafkaGateway", namespace, "franz", {"bootstrapServers": "k:9092,k:70000"})
    [made] = api.apply(wrong)
    found = becomes(api, made, "Ready", "False", "InvalidSpec")
    assert condition(found, "Stalled")["status"] == "True"
    file = tmp_path / "app.yaml"
    file.write_text(yaml.safe_dump(wrong))
    linted = CliRunner().invoke(penstock, ["lint", str(file)])
    assert condition(found, "Ready")["message"] in linted.output
    [made] = api.apply(resource("KafkaGateway", namespace, "franz", {"bootstrapServers": "k:9092"}))
    becomes_ready(api, made)


def test_a_gateway_of_something_else_serves_streams(
    kubernetes: KubernetesServer, namespace: str, start_operator: StartOperator
) -> None:
    """A kind that penstock does not know, whose controller makes a Gateway of its own."""
    api = kubernetes.api
    start_operator(kubernetes, namespace)
    pod = {"containers": [{"name": "gateway", "image": "somebody.example/gateway:1"}]}
    ports = [{"name": "gateway", "port": 6565}, {"name": "provisioner", "port": 80}]
    spec = {"template": {"spec": pod}, "ports": ports}
    made = api.apply(
        resource("Gateway", namespace, "other", spec), stream(namespace, "orders", "other")
    )
    becomes_ready(api, *made)
    secret = api.get("v1", "Secret", namespace, "orders-stream-binding-secret")
    assert set(secret["data"]) == {"gateway", "topic"}


def test_an_operator_that_starts_again_writes_nothing(
    kubernetes: KubernetesServer, namespace: str, start_operator: StartOperator, proxy: ApiProxy
) -> None:
    api = kubernetes.api
    operator = start_operator(kubernetes, namespace, url=proxy.url)
    becomes_ready(api, *api.apply(*app(namespace)))
    assert quiet(proxy)
    operator.kill()
    proxy.requests.clear()
    operator.start()
    eventually_watches(proxy)
    time.sleep(2)
    assert proxy.writes == []


def test_two_operators_agree(
    kubernetes: KubernetesServer, namespace: str, start_operator: StartOperator, proxy: ApiProxy
) -> None:
    api = kubernetes.api
    for _ in range(2):
        start_operator(kubernetes, namespace, url=proxy.url)
    made = becomes_ready(api, *api.apply(*app(namespace)))
    assert quiet(proxy), "they undo each other's work"
    assert set(children(api, namespace)) == MADE
    becomes_ready(api, *made)


def test_killed_after_each_write_it_comes_to_the_same(
    kubernetes: KubernetesServer, namespace: str, start_operator: StartOperator, proxy: ApiProxy
) -> None:
    api = kubernetes.api
    made = api.apply(*app(namespace))
    operator = start_operator(kubernetes, namespace, url=proxy.url)
    killed: list[str] = []

    def kill(request: object) -> None:
        if operator.is_running:
            killed.append(str(request))
            operator.kill()

    proxy.written = kill
    while not all(is_condition("Ready")(one) for one in latest(kubernetes, made)):
        assert len(killed) < 80, killed
        if not operator.is_running:
            operator.start()
        time.sleep(0.05)
    proxy.written = lambda _: None
    if not operator.is_running:
        operator.start()
    becomes_ready(api, *made)
    assert quiet(proxy)
    assert len(killed) >= len(MADE)
    report(killed)
    found = children(api, namespace)
    assert set(found) == MADE
    assert all(len(owners) == 1 for owners in found.values()), found


def latest(kubernetes: KubernetesServer, objects: list[Object]) -> list[Object]:
    """The objects as they are now."""
    return [kubernetes.api.request("GET", path_of(one)) for one in objects]


def quiet(proxy: ApiProxy, seconds: float = 2.0) -> bool:
    """Whether there comes a while in which nothing is written."""
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        before = len(proxy.writes)
        time.sleep(seconds)
        if len(proxy.writes) == before:
            return True
    return False


def eventually_watches(proxy: ApiProxy) -> None:
    """Wait until a client watches."""
    deadline = time.monotonic() + 30
    while not any(one.is_watch for one in list(proxy.requests)):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def report(killed: list[str]) -> None:
    """Say where it was killed."""
    print(f"killed {len(killed)} times, after:", *killed, sep="\n  ")
