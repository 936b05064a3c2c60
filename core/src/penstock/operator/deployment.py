"""Deployments: how one is made of a pod template, and what one says of its pods."""

from collections.abc import Mapping
from typing import Any

from penstock.operator.conditions import Verdict, condition
from penstock.operator.desired import KubernetesObject
from penstock.operator.ownership import child_metadata, is_owned

POD_SECURITY: Mapping[str, Any] = {
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
"""What the restricted Pod Security Standard asks of a pod."""
CONTAINER_SECURITY: Mapping[str, Any] = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
}
"""What it asks of a container."""

DEPLOYMENT_READY = "DeploymentReady"


def deployment(
    parent: KubernetesObject,
    name: str,
    labels: Mapping[str, str],
    template: Mapping[str, Any],
) -> KubernetesObject:
    """A Deployment. How many pods it has is not said: people and autoscalers may.

    Args:
        parent: Whose it is.
        name: Its name.
        labels: What its pods are selected by; they never change.
        template: The pods; the labels are added.
    """
    metadata = template.get("metadata", {})
    own = {**metadata.get("labels", {}), **labels}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": child_metadata(parent, name, labels),
        "spec": {
            "selector": {"matchLabels": dict(labels)},
            "template": {**template, "metadata": {**metadata, "labels": own}},
        },
    }


def deployment_verdict(observed: KubernetesObject | None, parent: KubernetesObject) -> Verdict:
    """What a parent's `DeploymentReady` says; the reasons are the Deployment's own.

    Args:
        observed: The Deployment, where there is one.
        parent: Whose it should be.
    """
    if observed is None:
        return Verdict.unknown("Deploying", "the Deployment is being made")
    name = observed["metadata"]["name"]
    if not is_owned(observed, parent):
        message = f'there is a Deployment "{name}" that is not of this {parent["kind"]}'
        return Verdict.fails("NotOwned", f"{message}: delete or rename it", stalled=True)
    return _rollout(observed, name)


def _rollout(observed: KubernetesObject, name: str) -> Verdict:
    seen = (observed.get("status") or {}).get("observedGeneration", 0)
    if seen < observed["metadata"].get("generation", 0):
        return Verdict.unknown("Deploying", f'Deployment "{name}" was changed')
    for type_, wrong in (("ReplicaFailure", "True"), ("Progressing", "False")):
        found = condition(observed, type_)
        if found.get("status") == wrong:
            stalled = type_ == "Progressing"
            return Verdict.fails(_reason(found), found.get("message", ""), stalled=stalled)
    available = condition(observed, "Available")
    if not available:
        return Verdict.unknown("Deploying", f'Deployment "{name}" has no pods yet')
    if available["status"] == "True":
        return Verdict.holds()
    return Verdict.fails(_reason(available), available.get("message", ""))


def with_security(pod: Mapping[str, Any]) -> Mapping[str, Any]:
    """A pod's spec that passes the restricted standard where it does not say otherwise."""
    containers = [
        {**one, "securityContext": {**CONTAINER_SECURITY, **one.get("securityContext", {})}}
        for one in pod.get("containers", ())
    ]
    security = {**POD_SECURITY, **pod.get("securityContext", {})}
    return {**pod, "containers": containers, "securityContext": security}


def _reason(found: Mapping[str, Any]) -> str:
    return found.get("reason") or "DeploymentNotReady"
