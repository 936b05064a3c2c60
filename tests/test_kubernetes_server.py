"""The real API server of the tests does what its methods say."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.servers.kubernetes import KubernetesServer
from tests.servers.kubernetes_api import Refused, condition
from tests.servers.kubernetes_programs import KubernetesPrograms, version
from tests.servers.requirement import Unavailable

LABELS = {"app": "one"}
STRICT: Mapping[str, Any] = {"restartPolicy": "Always", "containers": [{"name": "c", "image": "i"}]}


def deployment(namespace: str) -> dict[str, Any]:
    template = {"metadata": {"labels": LABELS}, "spec": STRICT}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "one", "namespace": namespace},
        "spec": {"selector": {"matchLabels": LABELS}, "template": template},
    }


def config_map(namespace: str, name: str = "one") -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": "b"}}


def test_a_deployment_gets_its_pods_and_takes_them_along(
    kubernetes: KubernetesServer, namespace: str
) -> None:
    api = kubernetes.api
    api.eventually("v1", "ServiceAccount", namespace, "default")
    [made] = api.apply(deployment(namespace))
    api.eventually(
        "apps/v1", "Deployment", namespace, "one", lambda one: condition(one, "Available") != {}
    )
    [pod] = api.all("v1", "Pod", namespace)
    assert pod["status"]["phase"] == "Pending"
    api.delete(made)
    api.eventually_gone("v1", "Pod", namespace, pod["metadata"]["name"])


def test_a_service_account_may_do_what_its_roles_say(
    kubernetes: KubernetesServer, namespace: str
) -> None:
    kubernetes.api.eventually("v1", "ServiceAccount", namespace, "default")
    tenant = kubernetes.api.as_token(kubernetes.api.token_of(namespace, "default"))
    with pytest.raises(Refused) as error:
        tenant.apply(config_map(namespace))
    assert error.value.code == 403
    assert f"system:serviceaccount:{namespace}:default" in error.value.message


def test_what_is_stored_outlives_the_api_server(
    own_kubernetes: KubernetesServer, tmp_path: Path
) -> None:
    api = own_kubernetes.api
    api.apply(config_map("default"))
    own_kubernetes.restart()
    assert api.get("v1", "ConfigMap", "default", "one")["data"] == {"a": "b"}
    own_kubernetes.kill()
    with pytest.raises(ConnectionRefusedError):
        api.get("v1", "ConfigMap", "default", "one")
    own_kubernetes.start()
    assert api.get("v1", "ConfigMap", "default", "one")["data"] == {"a": "b"}
    written = yaml.safe_load(own_kubernetes.kubeconfig(tmp_path / "kubeconfig").read_text())
    assert written["clusters"][0]["cluster"]["server"] == api.url


def test_its_version_is_the_one_that_is_built(kubernetes: KubernetesServer) -> None:
    assert kubernetes.api.request("GET", "/version")["gitVersion"] == f"v{version()}"


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "etcd").touch(mode=0o755)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    missing = r"there is no kube-apiserver, kube-controller-manager in .*scripts/kubernetes\.sh"
    with pytest.raises(Unavailable, match=missing):
        KubernetesPrograms.find()
