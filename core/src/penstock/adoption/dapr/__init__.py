"""Dapr: components of publish and subscribe become gateways, subscriptions streams."""

from penstock.adoption.dapr.components import component
from penstock.adoption.dapr.subscriptions import subscription
from penstock.adoption.origin import Origin

_GROUP = "dapr.io"

ORIGIN = Origin(
    "dapr",
    kinds={(_GROUP, "Component"): component, (_GROUP, "Subscription"): subscription},
    remarks={
        ("apps", "Deployment"): "runs in the processors of the subscriptions that name its app-id; "
        "without one it stays as it is",
    },
)
"""Manifests of `dapr.io`."""
