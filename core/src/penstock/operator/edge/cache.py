"""The objects that are there, as the watches and the operator's own writes say."""

from collections import OrderedDict, defaultdict
from collections.abc import Collection

from penstock.operator.dependents import Key, key_of
from penstock.operator.desired import KubernetesObject

Objects = dict[str, KubernetesObject]

_REMEMBERED = 10_000  # deleted objects


class Cache:
    """Keeps objects by kind, namespace and name, each as it was last.

    A watch may tell of a change before the write that came first is answered; of two versions the
    later one stays, in whatever order they come.
    """

    def __init__(self) -> None:
        self._objects: defaultdict[tuple[str, str], Objects] = defaultdict(dict)
        self._gone: OrderedDict[Key, int] = OrderedDict()

    def put(self, value: KubernetesObject) -> None:
        """Keep an object, unless a later version of it is known, or that it is gone since."""
        key = key_of(value)
        version = _version(value)
        if version <= self._gone.get(key, -1):
            return
        self._gone.pop(key, None)
        objects = self._objects[key.kind, key.namespace]
        known = objects.get(key.name)
        if known is None or _version(known) <= version:
            objects[key.name] = value

    def drop(self, value: KubernetesObject) -> None:
        """Forget an object that is gone, as it was when it went."""
        key = key_of(value)
        version = _version(value)
        objects = self._objects[key.kind, key.namespace]
        known = objects.get(key.name)
        if known is not None and _version(known) > version:
            return
        objects.pop(key.name, None)
        self._gone[key] = version
        self._gone.move_to_end(key)
        if len(self._gone) > _REMEMBERED:
            self._gone.popitem(last=False)

    def get(self, kind: str, namespace: str, name: str) -> KubernetesObject | None:
        """An object, where it is there."""
        return self._objects[kind, namespace].get(name)

    def all(self, kind: str, namespace: str) -> Collection[KubernetesObject]:
        """The objects of a kind in a namespace."""
        return self._objects[kind, namespace].values()

    def of_kind(self, kind: str, namespace: str = "") -> Collection[KubernetesObject]:
        """The objects of a kind in a namespace, or in all."""
        if namespace:
            return list(self.all(kind, namespace))
        return [
            value
            for (one, _), objects in self._objects.items()
            if one == kind
            for value in objects.values()
        ]


def _version(value: KubernetesObject) -> int:
    """Of two versions of an object, which is the later one.

    Resource versions of one kind are whole numbers that grow: an API server that conforms to
    Kubernetes 1.35 has to say so, and those before did.
    """
    return int(value["metadata"]["resourceVersion"])
