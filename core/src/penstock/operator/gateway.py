"""A Gateway: its pods are a Deployment's, and a Service is where they are reached."""

from collections.abc import Collection
from dataclasses import dataclass

from penstock.operator.conditions import Verdict, events_of, status_of
from penstock.operator.deployment import (
    DEPLOYMENT_READY,
    deployment,
    deployment_verdict,
    with_security,
)
from penstock.operator.desired import Desired, KubernetesObject
from penstock.operator.labels import GATEWAY, child_name
from penstock.operator.ownership import child_metadata, is_foreign, is_owned

GATEWAY_PORT = 6565
PROVISIONER_PORT = 80
PROVISIONER_TARGET_PORT = 8080
PORTS = (
    {"name": "gateway", "port": GATEWAY_PORT, "targetPort": GATEWAY_PORT, "protocol": "TCP"},
    {
        "name": "provisioner",
        "port": PROVISIONER_PORT,
        "targetPort": PROVISIONER_TARGET_PORT,
        "protocol": "TCP",
    },
)
"""The ports of a gateway's Service, by the contract."""

SERVICE_READY = "ServiceReady"
IN_USE = "InUse"

_SHOWN_STREAMS = 3


@dataclass(frozen=True, slots=True)
class ObservedGateway:
    """A Gateway, what is there under the names of its children, and the Streams that name it."""

    gateway: KubernetesObject
    deployment: KubernetesObject | None = None
    service: KubernetesObject | None = None
    streams: Collection[str] = ()


def child_of_gateway(gateway: str) -> str:
    """The name of a Gateway's Deployment and of its Service."""
    return child_name(gateway, "gateway")


def host_of_gateway(gateway: str, namespace: str) -> str:
    """The name under which a Gateway is reached in the cluster."""
    return f"{child_of_gateway(gateway)}.{namespace}.svc.cluster.local"


def reconcile(observed: ObservedGateway, now: str) -> Desired:
    """Decide what a Gateway needs.

    Args:
        observed: What is there.
        now: The time, as RFC 3339 writes it.
    """
    gateway = observed.gateway
    name = child_of_gateway(gateway["metadata"]["name"])
    verdicts = {
        DEPLOYMENT_READY: deployment_verdict(observed.deployment, gateway),
        SERVICE_READY: _service_verdict(observed),
    }
    children = []
    references = {}
    if not is_foreign(observed.deployment, gateway):
        children.append(_deployment(gateway, name))
        references["deploymentRef"] = {"apiGroup": "apps", "kind": "Deployment", "name": name}
    if not is_foreign(observed.service, gateway):
        children.append(_service(gateway, name))
        references["serviceRef"] = {"apiGroup": "", "kind": "Service", "name": name}
        namespace = gateway["metadata"]["namespace"]
        url = f"http://{host_of_gateway(gateway['metadata']['name'], namespace)}"
        references["address"] = {"url": url}
    beside = {IN_USE: _use(observed.streams)}
    status = {**status_of(gateway, verdicts, now, beside=beside), **references}
    return Desired(status, children, events_of(gateway, status))


def _deployment(gateway: KubernetesObject, name: str) -> KubernetesObject:
    template = gateway.get("spec", {}).get("template", {})
    labels = {GATEWAY: gateway["metadata"]["name"]}
    pod = with_security(template.get("spec", {}))
    return deployment(gateway, name, labels, {**template, "spec": pod})


def _service(gateway: KubernetesObject, name: str) -> KubernetesObject:
    labels = {GATEWAY: gateway["metadata"]["name"]}
    ports = gateway.get("spec", {}).get("ports") or PORTS
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": child_metadata(gateway, name, labels),
        "spec": {"selector": labels, "ports": [{"protocol": "TCP", **one} for one in ports]},
    }


def _use(streams: Collection[str]) -> Verdict:
    """Who would be left alone; the text does not change with each of many."""
    if not streams:
        return Verdict.fails("NoStreams", "no Stream names it")
    shown = sorted(streams)[:_SHOWN_STREAMS]
    names = ", ".join(shown) + (" and others" if len(streams) > len(shown) else "")
    return Verdict.holds("StreamsUseIt", f"it carries {names}: delete these first")


def _service_verdict(observed: ObservedGateway) -> Verdict:
    service = observed.service
    if service is None:
        return Verdict.unknown("ServiceCreating", "the Service is being made")
    if not is_owned(service, observed.gateway):
        name = service["metadata"]["name"]
        message = f'there is a Service "{name}" that is not of this Gateway: delete or rename it'
        return Verdict.fails("NotOwned", message, stalled=True)
    return Verdict.holds()
