"""deploy/ on a real API server: all of it is taken, and the operator needs no more rights."""

from collections.abc import Iterator
from pathlib import Path

import click
import pytest
import yaml

from penstock.cli.root import penstock
from tests.kubernetes.app import app, becomes_ready, stream
from tests.kubernetes.conftest import StartOperator
from tests.servers.api_proxy import ApiProxy
from tests.servers.kubernetes import KubernetesServer
from tests.servers.kubernetes_api import Object
from tests.servers.pretended_node import PretendedNode

pytestmark = pytest.mark.timeout(240)

ROOT = Path(__file__).parents[2]
NAMESPACE = "penstock-system"
CLUSTER_WIDE = {"ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition", "Namespace"}


def resources(folder: Path) -> Iterator[Object]:
    """What the kustomization of a folder lists, as `kubectl apply -k` does."""
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    namespace = kustomization.get("namespace")
    for name in kustomization["resources"]:
        path = folder / name
        found = resources(path) if path.is_dir() else yaml.safe_load_all(path.read_text())
        for one in found:
            if one["kind"] not in CLUSTER_WIDE:
                one["metadata"]["namespace"] = namespace
            yield one


@pytest.fixture
def installed(own_kubernetes: KubernetesServer) -> dict[str, Object]:
    """What is installed, by kind and name."""
    found = own_kubernetes.api.apply(*resources(ROOT / "deploy"))
    return {f"{one['kind']} {one['metadata']['name']}": one for one in found}


def test_it_is_what_it_says(
    own_kubernetes: KubernetesServer,
    installed: dict[str, Object],
    start_operator: StartOperator,
) -> None:
    """The operator has the rights of its service account, and no others."""
    api = own_kubernetes.api
    definitions = {name for name in installed if name.startswith("CustomResourceDefinition")}
    assert len(definitions) == len(list((ROOT / "crds").glob("streaming*.yaml")))
    # Its pods pass what its namespace demands, or there were none.
    pods = api.eventually("apps/v1", "ReplicaSet", NAMESPACE, replica_set(own_kubernetes), has_two)
    assert pods["status"]["replicas"] == 2
    with ApiProxy(own_kubernetes) as proxy, PretendedNode(api):
        token = api.token_of(NAMESPACE, "penstock-operator")
        operator = start_operator(own_kubernetes, url=proxy.url, token=token)
        made = api.apply(*app("default"), stream("default", "goes", deletionPolicy="Delete"))
        *_, goes = becomes_ready(api, *made)
        api.delete(goes)
        api.eventually_gone(goes["apiVersion"], "Stream", "default", "goes")
    assert "forbidden" not in operator.log
    used = {verb_and_resource(str(one)) for one in proxy.writes}
    given = {
        (verb, resource)
        for rule in installed["ClusterRole penstock-operator"]["rules"]
        for verb in rule["verbs"]
        for resource in rule["resources"]
        if verb not in ("get", "list", "watch") and not resource.endswith("/finalizers")
    }
    # To apply what is not there is to create it; KafkaGateway is not in this application.
    created = {("create", one) for verb, one in used if (verb, one) != ("patch", "streams")}
    assert {each for each in used | created if "/" not in each[1]} == {
        each for each in given if "/" not in each[1]
    }
    assert {one for _, one in used if "/" in one} == {one for _, one in given if "/" in one} - {
        "kafkagateways/status"
    }


def has_two(value: Object) -> bool:
    return bool(value["status"].get("replicas") == 2)


def replica_set(server: KubernetesServer) -> str:
    server.api.eventually(
        "apps/v1",
        "Deployment",
        NAMESPACE,
        "penstock-operator",
        lambda one: one.get("status", {}).get("replicas") == 2,
    )
    [found] = server.api.all("apps/v1", "ReplicaSet", NAMESPACE)
    return str(found["metadata"]["name"])


def verb_and_resource(request: str) -> tuple[str, str]:
    """What a write needs a right to."""
    method, _, path = request.partition(" ")
    parts = path.split("/namespaces/")[1].split("/")[1:]
    resource = "/".join([parts[0], *parts[2:]])
    return {"POST": "create", "PATCH": "patch"}[method], resource


def test_the_arguments_of_its_containers_are_taken(installed: dict[str, Object]) -> None:
    pod = installed["Deployment penstock-operator"]["spec"]["template"]["spec"]
    [container] = pod["containers"]
    command = penstock.get_command(click.Context(penstock), "operator")
    assert command is not None
    context = command.make_context("operator", list(container["args"]))
    assert context.params["health_port"] == container["ports"][0]["containerPort"]
    assert context.params["types"] == "inmemory,kafka"
