"""Objects as an API server holds them, and what it does with what is applied."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

import pytest

Object = dict[str, Any]
NOW = "2026-01-02T03:04:05Z"
LATER = "2026-01-02T03:05:06Z"


def stored(desired: Mapping[str, Any], **more: Any) -> Object:
    """An object that was applied, with what the API server adds."""
    found: Object = deepcopy(dict(desired))
    found["metadata"] |= {"uid": f"uid-of-{found['metadata']['name']}", "generation": 1}
    return found | more


@pytest.fixture
def stores() -> Callable[..., Object]:
    return stored


@pytest.fixture
def make() -> Callable[..., Object]:
    """Makes an object of penstock's group, as the API server has it."""

    def made(kind: str, name: str, spec: Mapping[str, Any], **metadata: Any) -> Object:
        return {
            "apiVersion": "streaming.projectriff.io/v1alpha1",
            "kind": kind,
            "metadata": {
                "name": name,
                "namespace": "shop",
                "uid": f"uid-of-{kind}-{name}",
                "generation": 1,
                "resourceVersion": "7",
                **metadata,
            },
            "spec": dict(spec),
        }

    return made


@pytest.fixture
def available() -> Mapping[str, Any]:
    """The status of a Deployment whose pods are up."""
    up = {"type": "Available", "status": "True", "reason": "MinimumReplicasAvailable"}
    return {"observedGeneration": 1, "conditions": [up]}
