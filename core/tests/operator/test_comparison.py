from copy import deepcopy
from typing import Any

import pytest

from penstock.operator.comparison import is_as_desired

DESIRED: dict[str, Any] = {
    "metadata": {"name": "a", "labels": {"x": "1"}},
    "spec": {"containers": [{"name": "f", "env": [{"name": "A", "value": "1"}]}]},
}
FIELDS = {
    "f:metadata": {"f:labels": {"f:x": {}}},
    "f:spec": {
        "f:containers": {
            'k:{"name":"f"}': {".": {}, "f:name": {}, "f:env": {'k:{"name":"A"}': {".": {}}}}
        }
    },
}


@pytest.fixture
def observed() -> dict[str, Any]:
    """It, as the API server has it: with more fields, and with who owns which."""
    found = deepcopy(DESIRED)
    found["metadata"]["uid"] = "1"
    found["metadata"]["managedFields"] = [
        {"manager": "penstock", "operation": "Apply", "fieldsV1": deepcopy(FIELDS)},
        {"manager": "kubectl", "operation": "Update", "fieldsV1": {"f:spec": {"f:more": {}}}},
        {
            "manager": "penstock",
            "operation": "Apply",
            "subresource": "status",
            "fieldsV1": {"f:status": {"f:conditions": {}}},
        },
    ]
    found["spec"]["more"] = 5
    return found


def test_what_others_added_does_not_matter(observed: dict[str, Any]) -> None:
    assert is_as_desired(DESIRED, observed, "penstock")
    assert not is_as_desired(DESIRED, None, "penstock")


def test_what_others_changed_or_removed_does(observed: dict[str, Any]) -> None:
    changed = deepcopy(observed)
    changed["spec"]["containers"][0]["env"][0]["value"] = "2"
    assert not is_as_desired(DESIRED, changed, "penstock")
    del observed["metadata"]["labels"]["x"]
    assert not is_as_desired(DESIRED, observed, "penstock")


@pytest.mark.parametrize("more", [True, False])
def test_what_was_desired_before_and_is_not_now_matters(
    observed: dict[str, Any], *, more: bool
) -> None:
    fields = observed["metadata"]["managedFields"][0]["fieldsV1"]
    if more:
        fields["f:metadata"]["f:labels"]["f:y"] = {}
        observed["metadata"]["labels"]["y"] = "2"
    else:
        containers = fields["f:spec"]["f:containers"]
        containers['k:{"name":"f"}']["f:env"]['k:{"name":"B"}'] = {".": {}}
    assert not is_as_desired(DESIRED, observed, "penstock")


def test_a_key_that_is_a_default_is_no_leftover(observed: dict[str, Any]) -> None:
    containers = observed["metadata"]["managedFields"][0]["fieldsV1"]["f:spec"]["f:containers"]
    containers['k:{"name":"f","protocol":"TCP"}'] = containers.pop('k:{"name":"f"}')
    assert is_as_desired(DESIRED, observed, "penstock")
