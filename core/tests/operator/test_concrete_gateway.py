from collections.abc import Callable, Mapping
from typing import Any

import pytest
import yaml
from pydantic import BaseModel, Field, field_validator

from penstock.operator.concrete_gateway import ObservedConcreteGateway, reconcile
from penstock.operator.desired import Desired
from penstock.plugin import GatewayKind, SecretSource

NOW = "2026-01-02T03:04:05Z"

Object = dict[str, Any]
Make = Callable[..., Object]


class FolderSpec(BaseModel):
    path: str = Field(default="/data", description="Where.")
    password: SecretSource | None = Field(default=None, description="What opens it.")

    @field_validator("path")
    @classmethod
    def _is_absolute(cls, path: str) -> str:
        if not path.startswith("/"):
            raise ValueError("must begin with /")
        return path


KIND = GatewayKind("FolderGateway", FolderSpec, frozenset(), "Keeps streams in a folder.")


def decide(resource: Object, **observed: Any) -> Desired:
    return reconcile(ObservedConcreteGateway(resource, **observed), KIND, image="f:1", now=NOW)


def conditions(desired: Desired) -> dict[str, tuple[str, str]]:
    return {one["type"]: (one["status"], one["reason"]) for one in desired.status["conditions"]}


@pytest.fixture
def folder(make: Make) -> Object:
    password = {"secretName": "opener", "key": "word"}
    return make("FolderGateway", "shelf", {"path": "/books", "password": password})


def test_a_concrete_gateway_gets_a_gateway_of_its_own_name(folder: Object) -> None:
    config_map, gateway = decide(folder).children
    assert (gateway["kind"], gateway["metadata"]["name"]) == ("Gateway", "shelf")
    assert gateway["metadata"]["labels"] == {
        "streaming.projectriff.io/folder-gateway": "shelf",
        "streaming.projectriff.io/gateway-type": "folder",
        "app.kubernetes.io/managed-by": "penstock",
    }
    assert gateway["metadata"]["ownerReferences"][0]["kind"] == "FolderGateway"
    assert [one["port"] for one in gateway["spec"]["ports"]] == [6565, 80]
    assert config_map["metadata"]["name"] == "shelf-folder-gateway"


def test_its_pod_serves_the_plugin_with_spec_and_secrets(folder: Object) -> None:
    config_map, gateway = decide(folder).children
    pod = gateway["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["image"] == "f:1"
    assert container["command"] == ["penstock", "gateway", "serve", "folder"]
    assert "--spec=/etc/penstock/spec.yaml" in container["args"]
    assert "--advertised=shelf-gateway.shop.svc.cluster.local:6565" in container["args"]
    assert container["readinessProbe"]["grpc"] == {"port": 6565, "service": ""}
    mounts = {one["mountPath"]: one["name"] for one in container["volumeMounts"]}
    volumes = {one.pop("name"): one for one in pod["volumes"]}
    assert volumes[mounts["/etc/penstock"]]["configMap"]["name"] == "shelf-folder-gateway"
    secret = volumes[mounts["/var/run/secrets/penstock/opener"]]["secret"]
    assert secret == {"secretName": "opener", "optional": True}
    assert yaml.safe_load(config_map["data"]["spec.yaml"]) == {
        "path": "/books",
        "password": {"secretName": "opener", "key": "word"},
    }


def test_the_arguments_of_its_pod_are_those_of_the_command(folder: Object) -> None:
    from penstock.cli.gateway import command, serve  # noqa: PLC0415 - for this test alone

    gateway = decide(folder).children[1]
    (container,) = gateway["spec"]["template"]["spec"]["containers"]
    program, group, sub, type_ = container["command"]
    assert (program, group, sub) == ("penstock", command.name, serve.name)
    options = {name for one in serve.params for name in one.opts}
    assert {one.partition("=")[0] for one in container["args"]} <= options
    assert type_ == KIND.type


def test_another_spec_makes_other_pods(folder: Object) -> None:
    def annotations() -> Mapping[str, str]:
        found: Mapping[str, str] = decide(folder).children[1]["spec"]["template"]["metadata"][
            "annotations"
        ]
        return found

    before = annotations()
    assert annotations() == before
    folder["spec"]["path"] = "/letters"
    assert annotations() != before


def test_it_is_ready_when_its_gateway_is(folder: Object, stores: Callable[..., Object]) -> None:
    first = decide(folder)
    assert conditions(first)["GatewayReady"] == ("Unknown", "GatewayCreating")
    config_map, gateway = map(stores, first.children)
    ready = {"type": "Ready", "status": "True", "reason": "Ready", "observedGeneration": 1}
    url = {"url": "http://shelf-gateway.shop.svc.cluster.local"}
    gateway["status"] = {"conditions": [ready], "address": url}
    folder["status"] = first.status
    second = decide(folder, gateway=gateway, config_map=config_map)
    assert conditions(second)["Ready"] == ("True", "Ready")
    assert second.status["address"] == url
    assert second.status["gatewayRef"]["name"] == "shelf"
    assert second.status["gatewayImage"] == "f:1"
    folder["status"] = second.status
    again = decide(folder, gateway=gateway, config_map=config_map)
    assert again == Desired(second.status, second.children)


def test_what_its_gateway_lacks_is_said(folder: Object, stores: Callable[..., Object]) -> None:
    gateway = stores(decide(folder).children[1])
    found = {"type": "Ready", "status": "False", "reason": "NoPods", "message": "none started"}
    gateway["status"] = {"conditions": [found]}
    desired = decide(folder, gateway=gateway)
    assert conditions(desired)["GatewayReady"] == ("False", "NoPods")


def test_a_gateway_of_that_name_that_is_not_its_own_is_left_alone(
    folder: Object, make: Make
) -> None:
    desired = decide(folder, gateway=make("Gateway", "shelf", {}))
    assert desired.children == ()
    assert conditions(desired)["GatewayReady"] == ("False", "NotOwned")
    assert "Stalled" in conditions(desired)
    assert 'there is a Gateway "shelf"' in desired.events[0].message


def test_what_only_the_plugin_can_refuse_becomes_a_condition_in_the_same_words(
    make: Make,
) -> None:
    desired = decide(make("FolderGateway", "shelf", {"path": "books"}))
    assert desired.children == ()
    assert conditions(desired)["Ready"] == ("False", "InvalidSpec")
    assert desired.events[0].message == "spec.path: must begin with /"
