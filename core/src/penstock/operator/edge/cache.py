"""The objects that are there, as the watches and the operator's own writes say."""

from collections import defaultdict
from collections.abc import Collection

from penstock.operator.dependents import Key, key_of
from penstock.operator.desired import KubernetesObject

Objects = dict[str, KubernetesObject]


class Cache:
    """Keeps objects by kind, namespace and name."""

    def __init__(self) -> None:
        self._objects: defaultdict[tuple[str, str], Objects] = defaultdict(dict)

    def put(self, value: KubernetesObject) -> None:
        """Keep an object as it is now."""
        key = key_of(value)
        self._objects[key.kind, key.namespace][key.name] = value

    def drop(self, key: Key) -> None:
        """Forget an object."""
        self._objects[key.kind, key.namespace].pop(key.name, None)

    def get(self, kind: str, namespace: str, name: str) -> KubernetesObject | None:
        """An object, where it is there."""
        return self._objects[kind, namespace].get(name)

    def all(self, kind: str, namespace: str) -> Collection[KubernetesObject]:
        """The objects of a kind in a namespace."""
        return self._objects[kind, namespace].values()
