from collections.abc import Callable, Mapping
from typing import Any

from penstock.operator.desired import Desired
from penstock.operator.gateway import ObservedGateway, reconcile

NOW = "2026-01-02T03:04:05Z"
LATER = "2026-01-02T03:05:06Z"

Object = dict[str, Any]
Make = Callable[..., Object]

MANAGED = {"app.kubernetes.io/managed-by": "penstock"}
POD = {"containers": [{"name": "gateway", "image": "franz:1"}]}


def conditions(desired: Desired) -> dict[str, tuple[str, str]]:
    return {one["type"]: (one["status"], one["reason"]) for one in desired.status["conditions"]}


def test_a_gateway_gets_a_deployment_and_a_service(make: Make) -> None:
    gateway = make("Gateway", "franz", {"template": {"spec": POD}}, labels={"team": "a"})
    desired = reconcile(ObservedGateway(gateway), NOW)
    deployment, service = desired.children
    selector = {"streaming.projectriff.io/gateway": "franz"}
    assert (deployment["kind"], deployment["metadata"]["name"]) == ("Deployment", "franz-gateway")
    assert deployment["spec"]["selector"] == {"matchLabels": selector}
    assert deployment["spec"]["template"]["metadata"]["labels"] == selector
    assert deployment["metadata"]["labels"] == {"team": "a", **selector, **MANAGED}
    assert deployment["metadata"]["ownerReferences"][0]["uid"] == "uid-of-Gateway-franz"
    assert service["spec"]["selector"] == selector
    assert [(p["name"], p["port"], p["targetPort"]) for p in service["spec"]["ports"]] == [
        ("gateway", 6565, 6565),
        ("provisioner", 80, 8080),
    ]
    assert desired.status["address"]["url"] == "http://franz-gateway.shop.svc.cluster.local"
    assert desired.status["deploymentRef"]["name"] == "franz-gateway"
    assert desired.status["serviceRef"]["name"] == "franz-gateway"
    assert conditions(desired)["Ready"][0] == "Unknown"


def test_its_pods_pass_the_restricted_standard(make: Make) -> None:
    gateway = make("Gateway", "franz", {"template": {"spec": POD}})
    pod = reconcile(ObservedGateway(gateway), NOW).children[0]["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    security = pod["containers"][0]["securityContext"]
    assert not security["allowPrivilegeEscalation"]
    assert security["capabilities"] == {"drop": ["ALL"]}


def test_the_ports_that_it_names_are_its_services(make: Make) -> None:
    gateway = make("Gateway", "franz", {"ports": [{"name": "gateway", "port": 7000}]})
    service = reconcile(ObservedGateway(gateway), NOW).children[1]
    assert service["spec"]["ports"] == [{"protocol": "TCP", "name": "gateway", "port": 7000}]


def test_it_is_ready_when_its_deployment_is(
    make: Make, stores: Callable[..., Object], available: Mapping[str, Any]
) -> None:
    gateway = make("Gateway", "franz", {"template": {"spec": POD}})
    first = reconcile(ObservedGateway(gateway), NOW)
    deployment = stores(first.children[0], status=available)
    gateway["status"] = first.status
    observed = ObservedGateway(gateway, deployment, stores(first.children[1]))
    second = reconcile(observed, LATER)
    assert conditions(second) == {
        **dict.fromkeys(("Ready", "DeploymentReady", "ServiceReady"), ("True", "Ready")),
        "InUse": ("False", "NoStreams"),
    }
    assert [one.message for one in second.events] == ["Gateway is ready"]
    gateway["status"] = second.status
    assert reconcile(observed, "2027-01-01T00:00:00Z") == Desired(second.status, second.children)


def test_what_is_wrong_with_the_deployment_is_wrong_with_the_gateway(
    make: Make, stores: Callable[..., Object]
) -> None:
    gateway = make("Gateway", "franz", {"template": {"spec": POD}})
    first = reconcile(ObservedGateway(gateway), NOW)
    service = stores(first.children[1])

    def seen(type_: str, status: str, reason: str) -> Desired:
        found = {"type": type_, "status": status, "reason": reason, "message": "because"}
        deployment = stores(
            first.children[0], status={"observedGeneration": 1, "conditions": [found]}
        )
        return reconcile(ObservedGateway(gateway, deployment, service), NOW)

    away = seen("Available", "False", "MinimumReplicasUnavailable")
    assert conditions(away)["Ready"] == ("False", "MinimumReplicasUnavailable")
    assert "Reconciling" in conditions(away)
    stuck = seen("Progressing", "False", "ProgressDeadlineExceeded")
    assert conditions(stuck)["DeploymentReady"] == ("False", "ProgressDeadlineExceeded")
    assert "Stalled" in conditions(stuck)
    refused = seen("ReplicaFailure", "True", "FailedCreate")
    assert conditions(refused)["DeploymentReady"] == ("False", "FailedCreate")


def test_a_deployment_that_was_changed_is_not_judged_by_what_it_was(
    make: Make, stores: Callable[..., Object], available: Mapping[str, Any]
) -> None:
    gateway = make("Gateway", "franz", {"template": {"spec": POD}})
    first = reconcile(ObservedGateway(gateway), NOW)
    deployment = stores(first.children[0], status=available)
    deployment["metadata"]["generation"] = 2
    desired = reconcile(ObservedGateway(gateway, deployment, stores(first.children[1])), NOW)
    assert conditions(desired)["DeploymentReady"] == ("Unknown", "Deploying")


def test_what_belongs_to_others_is_left_alone_and_said(
    make: Make, stores: Callable[..., Object]
) -> None:
    gateway = make("Gateway", "franz", {"template": {"spec": POD}})
    other = make("Gateway", "franz", {}, uid="of-one-that-is-gone")
    theirs = reconcile(ObservedGateway(other), NOW).children
    observed = ObservedGateway(gateway, stores(theirs[0]), stores(theirs[1]))
    desired = reconcile(observed, NOW)
    assert desired.children == []
    assert conditions(desired)["DeploymentReady"] == ("False", "NotOwned")
    assert conditions(desired)["ServiceReady"] == ("False", "NotOwned")
    assert "Stalled" in conditions(desired)
    assert "address" not in desired.status


def test_it_says_which_streams_would_be_left_alone(make: Make) -> None:
    gateway = make("Gateway", "franz", {"template": {"spec": POD}})

    def use(*streams: str) -> tuple[str, str]:
        status = reconcile(ObservedGateway(gateway, streams=streams), NOW).status
        [found] = [one for one in status["conditions"] if one["type"] == "InUse"]
        return found["status"], found["message"]

    assert use() == ("False", "no Stream names it")
    assert use("b", "a") == ("True", "it carries a, b: delete these first")
    assert use(*"edcba") == ("True", "it carries a, b, c and others: delete these first")
    assert use(*"fedcba") == use(*"edcba")
