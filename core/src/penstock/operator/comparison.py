"""Whether an object is as it was asked to be, so that what is right is not written again."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from penstock.operator.desired import KubernetesObject


def is_as_desired(
    desired: KubernetesObject, observed: KubernetesObject | None, manager: str
) -> bool:
    """Whether applying an object would change nothing.

    Args:
        desired: What would be applied.
        observed: What is there.
        manager: Who applies it: what it applied before and is not desired any more is a change.
    """
    if observed is None or not _holds(observed, desired):
        return False
    managed = observed["metadata"].get("managedFields", ())
    return not any(
        _has_leftovers(one.get("fieldsV1", {}), desired)
        for one in managed
        if one.get("manager") == manager
        and one.get("operation") == "Apply"
        and not one.get("subresource")
    )


def _holds(observed: Any, desired: Any) -> bool:
    """Whether all that is desired is there; what others added does not matter."""
    if isinstance(desired, Mapping):
        return isinstance(observed, Mapping) and all(
            name in observed and _holds(observed[name], value) for name, value in desired.items()
        )
    if isinstance(desired, Sequence) and not isinstance(desired, str):
        if not isinstance(observed, Sequence) or len(observed) != len(desired):
            return False
        return all(map(_holds, observed, desired))
    return bool(observed == desired)


def _has_leftovers(fields: Mapping[str, Any], desired: Any) -> bool:
    """Whether the fields that a manager owns are more than it desires now.

    Args:
        fields: A node of the API server's `fieldsV1`: `f:` is a field, `k:` an item of a list by
            its keys, `v:` a value of a set.
        desired: What is desired there.
    """
    for name, below in fields.items():
        mark, _, text = name.partition(":")
        match mark:
            case "f":
                if not isinstance(desired, Mapping) or text not in desired:
                    return True
                if _has_leftovers(below, desired[text]):
                    return True
            case "k":
                item = _item(desired, json.loads(text))
                if item is None or _has_leftovers(below, item):
                    return True
            case "v":
                if json.loads(text) not in desired:
                    return True
    return False


def _item(items: Any, keys: Mapping[str, Any]) -> Any:
    """The item of a list with these keys; those that it does not name are defaults."""
    for item in items if isinstance(items, Sequence) else ():
        if all(item.get(key, value) == value for key, value in keys.items()):
            return item
    return None
