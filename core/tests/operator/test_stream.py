import json
from base64 import b64decode
from collections.abc import Callable
from typing import Any

import pytest

from penstock.operator.conditions import Verdict
from penstock.operator.desired import Desired
from penstock.operator.provisioning import ProvisionRequest
from penstock.operator.stream import ObservedStream, reconcile, request_of
from penstock.plugin import Address, NotReady, PermanentError
from penstock.resources.models import Stream

NOW = "2026-01-02T03:04:05Z"
LATER = "2026-01-02T03:05:06Z"
ADDRESS = Address("shop_orders", "franz-gateway.shop.svc.cluster.local:6565")
READY = {"type": "Ready", "status": "True", "lastTransitionTime": NOW, "observedGeneration": 1}
AWAY = {"type": "Ready", "status": "False", "reason": "NoPods", "message": "no pod is up"}

Object = dict[str, Any]
Make = Callable[..., Object]


def conditions(desired: Desired) -> dict[str, tuple[str, str]]:
    return {one["type"]: (one["status"], one["reason"]) for one in desired.status["conditions"]}


def message(desired: Desired, type_: str) -> str:
    found: str = next(one for one in desired.status["conditions"] if one["type"] == type_)[
        "message"
    ]
    return found


@pytest.fixture
def stream(make: Make) -> Object:
    return make("Stream", "orders", {"gateway": {"name": "franz"}, "contentType": "text/plain"})


@pytest.fixture
def gateway(make: Make) -> Object:
    status = {"conditions": [READY], "address": {"url": "http://franz-gateway.shop.svc"}}
    return make("Gateway", "franz", {}) | {"status": status}


def test_a_gateway_is_asked_with_the_streams_settings(stream: Object, gateway: Object) -> None:
    stream["spec"] |= {
        "partitions": 3,
        "retention": {"time": "2h", "bytes": "1Ki"},
        "config": {"cleanup.policy": "compact"},
        "deletionPolicy": "Delete",
    }
    request = request_of(stream, gateway)
    assert isinstance(request, ProvisionRequest)
    assert request.url == "http://franz-gateway.shop.svc/shop/orders"
    assert json.loads(request.body) == {
        "contentType": "text/plain",
        "partitions": 3,
        "retention": {"seconds": 7200, "bytes": 1024},
        "config": {"cleanup.policy": "compact"},
        "deletionPolicy": "Delete",
    }


def test_what_is_asked_is_what_the_provisioner_reads(stream: Object, gateway: Object) -> None:
    from penstock.server.stream_request import read_request  # noqa: PLC0415 - of another layer

    stream["spec"]["retention"] = {"messages": 5}
    request = request_of(stream, gateway)
    assert isinstance(request, ProvisionRequest)
    asked = read_request("/shop/orders", request.body.encode())
    assert asked.settings == Stream.model_validate(stream).settings()


def test_a_gateway_that_was_away_is_asked_anew(stream: Object, gateway: Object) -> None:
    before = request_of(stream, gateway)
    assert request_of(stream, gateway) == before
    gateway["status"]["conditions"] = [{**READY, "lastTransitionTime": LATER}]
    assert request_of(stream, gateway) != before


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (None, 'there is no gateway "franz" in namespace "shop"'),
        ({}, 'gateway "franz" is not ready'),
        ({"conditions": [AWAY]}, 'gateway "franz" is not ready: no pod is up'),
        ({"conditions": [READY]}, 'gateway "franz" is ready and has no status.address.url'),
    ],
)
def test_a_stream_without_a_gateway_that_serves_says_so(
    stream: Object, gateway: Object, status: Object | None, words: str
) -> None:
    answer = request_of(stream, None if status is None else gateway | {"status": status})
    assert isinstance(answer, Verdict)
    desired = reconcile(ObservedStream(stream), answer, NOW)
    assert conditions(desired)["ResourceAvailable"] == ("False", "ProvisionFailed")
    assert conditions(desired)["Ready"] == ("False", "ProvisionFailed")
    assert message(desired, "ResourceAvailable") == words
    assert desired.children == ()
    assert "binding" not in desired.status


def test_a_provisioned_stream_gets_its_binding(stream: Object) -> None:
    desired = reconcile(ObservedStream(stream), ADDRESS, NOW)
    config_map, secret = desired.children
    assert config_map["metadata"]["name"] == "orders-stream-binding-metadata"
    assert config_map["data"] == {
        "kind": "Stream.streaming.projectriff.io",
        "provider": "riff Streaming",
        "tags": "",
        "stream": "orders",
        "contentType": "text/plain",
    }
    assert secret["metadata"]["name"] == "orders-stream-binding-secret"
    assert {key: b64decode(value).decode() for key, value in secret["data"].items()} == {
        "gateway": ADDRESS.gateway,
        "topic": ADDRESS.topic,
    }
    for child in desired.children:
        assert child["metadata"]["labels"] == {
            "streaming.projectriff.io/stream": "orders",
            "app.kubernetes.io/managed-by": "penstock",
        }
        assert child["metadata"]["ownerReferences"][0]["controller"]
    assert desired.status["binding"] == {
        "metadataRef": {"name": "orders-stream-binding-metadata"},
        "secretRef": {"name": "orders-stream-binding-secret"},
    }


def test_an_empty_content_type_is_the_default(stream: Object) -> None:
    stream["spec"]["contentType"] = ""
    config_map, _ = reconcile(ObservedStream(stream), ADDRESS, NOW).children
    assert config_map["data"]["contentType"] == "application/octet-stream"


def test_it_is_ready_with_its_binding_and_then_nothing_changes(
    stream: Object, stores: Callable[..., Object]
) -> None:
    first = reconcile(ObservedStream(stream), ADDRESS, NOW)
    assert conditions(first)["BindingReady"] == ("Unknown", "BindingCreating")
    stream["status"] = first.status
    observed = ObservedStream(stream, *map(stores, first.children))
    second = reconcile(observed, ADDRESS, LATER)
    assert set(conditions(second).values()) == {("True", "Ready")}
    stream["status"] = second.status
    third = reconcile(observed, ADDRESS, "2027-01-01T00:00:00Z")
    assert third == Desired(second.status, second.children)


def test_a_binding_stays_while_the_gateway_is_away(
    stream: Object, stores: Callable[..., Object]
) -> None:
    first = reconcile(ObservedStream(stream), ADDRESS, NOW)
    observed = ObservedStream(stream, *map(stores, first.children))
    answer = request_of(stream, None)
    assert isinstance(answer, Verdict)
    desired = reconcile(observed, answer, NOW)
    assert conditions(desired)["Ready"][0] == "False"
    assert conditions(desired)["BindingReady"] == ("True", "Ready")
    assert desired.status["binding"] == first.status["binding"]


@pytest.mark.parametrize(
    ("error", "kind"), [(NotReady("no broker"), "Reconciling"), (PermanentError("no"), "Stalled")]
)
def test_what_the_provisioner_says_is_the_conditions_message(
    stream: Object, error: NotReady | PermanentError, kind: str
) -> None:
    desired = reconcile(ObservedStream(stream), error, NOW)
    assert conditions(desired)["ResourceAvailable"] == ("False", "ProvisionFailed")
    assert message(desired, "ResourceAvailable") == str(error)
    assert kind in conditions(desired)


@pytest.mark.parametrize("taken", [0, 1])
def test_a_name_that_is_taken_fails_the_binding(
    stream: Object, stores: Callable[..., Object], taken: int
) -> None:
    first = reconcile(ObservedStream(stream), ADDRESS, NOW)
    there: list[Object | None] = [None, None]
    other = stores(first.children[taken])
    other["metadata"]["ownerReferences"] = []
    there[taken] = other
    desired = reconcile(ObservedStream(stream, *there), ADDRESS, NOW)
    assert desired.children == ()
    assert conditions(desired)["BindingReady"] == ("False", "BindingFailed")
    assert conditions(desired)["Ready"] == ("False", "BindingFailed")
    assert "binding" not in desired.status


def test_drift_is_told_once(stream: Object) -> None:
    address = ADDRESS._replace(drift=("it has 1 partition, declared are 3",))
    first = reconcile(ObservedStream(stream), address, NOW)
    assert "Drift" in [one.reason for one in first.events]
    assert message(first, "ResourceAvailable") == address.drift[0]
    stream["status"] = first.status
    again = reconcile(ObservedStream(stream), address, NOW)
    assert "Drift" not in [one.reason for one in again.events]
