"""Whose an object is, and how a resource makes one its own."""

from collections.abc import Mapping
from typing import Any

from penstock.operator.desired import KubernetesObject
from penstock.operator.labels import MANAGED_BY, MANAGER


def child_metadata(
    parent: KubernetesObject, name: str, labels: Mapping[str, str]
) -> Mapping[str, Any]:
    """The metadata of a resource's child; it goes when its parent goes.

    Args:
        parent: The resource.
        name: The child's name.
        labels: The child's own labels; those of the parent are added, as people find things by
            them.
    """
    metadata = parent["metadata"]
    return {
        "name": name,
        "namespace": metadata["namespace"],
        "labels": {**metadata.get("labels", {}), **labels, MANAGED_BY: MANAGER},
        "ownerReferences": [
            {
                "apiVersion": parent["apiVersion"],
                "kind": parent["kind"],
                "name": metadata["name"],
                "uid": metadata["uid"],
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ],
    }


def is_owned(child: KubernetesObject, parent: KubernetesObject) -> bool:
    """Whether a resource controls an object: one of the same name made anew does not."""
    return any(
        one.get("controller") and one["uid"] == parent["metadata"]["uid"]
        for one in child["metadata"].get("ownerReferences", ())
    )


def is_foreign(child: KubernetesObject | None, parent: KubernetesObject) -> bool:
    """Whether an object is there that has a child's name, and somebody else's."""
    return child is not None and not is_owned(child, parent)
