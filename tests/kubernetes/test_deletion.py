"""What becomes of a stream's data when it is deleted, on a real API server and a real gateway."""

import http.client
from datetime import UTC, datetime, timedelta

import pytest

from penstock.operator.deprovisioning import FINALIZER, PATIENCE
from tests.kubernetes.app import API_VERSION, app, becomes, becomes_ready, stream
from tests.kubernetes.conftest import StartOperator
from tests.servers.kubernetes import KubernetesServer
from tests.servers.kubernetes_api import condition

pytestmark = [pytest.mark.usefixtures("node"), pytest.mark.timeout(240)]


def is_made(provisioner: str, namespace: str, name: str) -> bool:
    """Whether a gateway has a stream; it is made if it has not."""
    connection = http.client.HTTPConnection(provisioner, timeout=10)
    connection.request("PUT", f"/{namespace}/{name}")
    status = connection.getresponse().status
    connection.close()
    return {200: True, 201: False}[status]


def test_data_go_where_the_author_said_so_and_stay_elsewhere(
    kubernetes: KubernetesServer, namespace: str, start_operator: StartOperator, provisioner: str
) -> None:
    api = kubernetes.api
    start_operator(kubernetes, namespace)
    gateway, *_ = app(namespace)
    kept, removed = stream(namespace, "kept"), stream(namespace, "removed", deletionPolicy="Delete")
    becomes_ready(api, *api.apply(gateway, kept, removed))
    held = api.get(API_VERSION, "Stream", namespace, "removed")
    assert held["metadata"]["finalizers"] == [FINALIZER]
    for one in (kept, removed):
        api.delete(one)
        api.eventually_gone(API_VERSION, "Stream", namespace, one["metadata"]["name"])
    assert is_made(provisioner, namespace, "kept")
    assert not is_made(provisioner, namespace, "removed")


def test_who_changes_their_mind_is_heard(
    kubernetes: KubernetesServer, namespace: str, start_operator: StartOperator, provisioner: str
) -> None:
    api = kubernetes.api
    start_operator(kubernetes, namespace)
    gateway, *_ = app(namespace)
    becomes_ready(api, *api.apply(gateway, stream(namespace, "s", deletionPolicy="Delete")))
    [kept] = api.apply(stream(namespace, "s", deletionPolicy="Retain"))
    where = (API_VERSION, "Stream", namespace, "s")
    api.eventually(*where, lambda one: "finalizers" not in one["metadata"])
    api.delete(kept)
    api.eventually_gone(*where)
    assert is_made(provisioner, namespace, "s")


def test_a_gateway_that_is_gone_is_waited_for_and_not_for_ever(
    kubernetes: KubernetesServer, namespace: str, start_operator: StartOperator, provisioner: str
) -> None:
    api = kubernetes.api
    operator = start_operator(kubernetes, namespace)
    gateway, *_ = app(namespace)
    removed = stream(namespace, "removed", deletionPolicy="Delete")
    found, _ = becomes_ready(api, *api.apply(gateway, removed))
    made = api.get(API_VERSION, "Gateway", namespace, "franz")
    assert condition(made, "InUse")["message"] == "it carries removed: delete these first"
    api.delete(found)
    api.eventually_gone(API_VERSION, "Gateway", namespace, "franz", seconds=60)
    api.delete(removed)
    waits = becomes(api, removed, "Ready", "False", "Deprovisioning")
    until = datetime.now(UTC) + PATIENCE
    message = condition(waits, "Ready")["message"]
    assert message.startswith(f'there is no gateway "franz" in namespace "{namespace}"; its data')
    said = datetime.fromisoformat(f"{until.date()}T{message.split()[-1]}")
    assert abs(until - said) < timedelta(seconds=30)
    # The gateway comes back, within its time, to an operator that is another one by now.
    operator.kill()
    operator.start()
    api.apply(gateway)
    api.eventually_gone(API_VERSION, "Stream", namespace, "removed", seconds=90)
    assert not is_made(provisioner, namespace, "removed")
