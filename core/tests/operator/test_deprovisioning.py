from collections.abc import Callable, Mapping
from typing import Any

import pytest

from penstock.operator.conditions import Verdict
from penstock.operator.deprovisioning import (
    FINALIZER,
    is_held,
    is_to_be_held,
    reconcile_deleted,
)
from penstock.operator.provisioning import ProvisionRequest, deprovision_request
from penstock.plugin import NotReady, PermanentError

Object = dict[str, Any]
Make = Callable[..., Object]

DELETED = "2026-01-02T03:00:00Z"
SOON = "2026-01-02T03:04:59Z"
LATE = "2026-01-02T03:05:00Z"
AWAY = NotReady("the broker is away")


@pytest.fixture
def stream(make: Make) -> Object:
    spec = {"gateway": {"name": "franz"}, "deletionPolicy": "Delete"}
    held = {"finalizers": ["others/finalizer", FINALIZER], "deletionTimestamp": DELETED}
    binding = {"binding": {"secretRef": {"name": "orders-stream-binding-secret"}}}
    return make("Stream", "orders", spec, **held) | {"status": binding}


def test_only_those_are_held_whose_data_go_with_them(make: Make, stream: Object) -> None:
    assert is_held(stream)
    assert is_to_be_held(stream)
    for policy in ({}, {"deletionPolicy": ""}, {"deletionPolicy": "Retain"}):
        kept = make("Stream", "orders", {"gateway": {"name": "franz"}, **policy})
        assert not is_held(kept)
        assert not is_to_be_held(kept)


def test_it_goes_once_its_data_are_gone(stream: Object) -> None:
    desired = reconcile_deleted(stream, None, SOON)
    assert (desired.releases, desired.events) == (True, ())


@pytest.mark.parametrize("answer", [AWAY, Verdict.fails("ProvisionFailed", AWAY.args[0])])
def test_it_waits_for_its_gateway_and_says_until_when(stream: Object, answer: Any) -> None:
    desired = reconcile_deleted(stream, answer, SOON)
    assert not desired.releases
    [ready] = [one for one in desired.status["conditions"] if one["type"] == "Ready"]
    assert (ready["status"], ready["reason"]) == ("False", "Deprovisioning")
    assert ready["message"] == ("the broker is away; its data are left where they are at 03:05:00Z")
    assert desired.status["binding"] == stream["status"]["binding"]
    assert bound(desired.status) == "True"


def test_one_that_was_never_bound_does_not_say_that_it_is(stream: Object) -> None:
    stream["status"] = {}
    desired = reconcile_deleted(stream, AWAY, SOON)
    assert "binding" not in desired.status
    assert bound(desired.status) == "Unknown"


def bound(status: Mapping[str, Any]) -> str:
    [found] = [one["status"] for one in status["conditions"] if one["type"] == "BindingReady"]
    return str(found)


@pytest.mark.parametrize(
    ("answer", "now"),
    [(AWAY, LATE), (PermanentError("no such right"), SOON)],
    ids=["too late", "for good"],
)
def test_it_does_not_wait_for_ever_and_says_that_the_data_stay(
    stream: Object, answer: Any, now: str
) -> None:
    desired = reconcile_deleted(stream, answer, now)
    assert desired.releases
    [event] = desired.events
    assert (event.type, event.reason) == ("Warning", "DataLeft")
    assert event.message == (
        f"it was deleted, and its data stay, as they could not be removed: {answer}"
    )


def test_a_gateway_is_asked_as_for_making_it(make: Make, stream: Object) -> None:
    ready = {"type": "Ready", "status": "True"}
    status = {"conditions": [ready], "address": {"url": "http://franz"}}
    gateway = make("Gateway", "franz", {}) | {"status": status}
    request = deprovision_request(stream, gateway)
    assert isinstance(request, ProvisionRequest)
    assert (request.url, request.body) == ("http://franz/shop/orders", "")
    missing = deprovision_request(stream, None)
    assert isinstance(missing, Verdict)
    assert missing.message == 'there is no gateway "franz" in namespace "shop"'
