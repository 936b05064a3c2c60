from typing import Any

from penstock.operator.desired import KubernetesObject
from penstock.operator.edge.cache import Cache

Object = dict[str, Any]


def value(version: int, name: str = "orders") -> Object:
    metadata = {"name": name, "namespace": "shop", "resourceVersion": str(version)}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": metadata}


def found(cache: Cache) -> KubernetesObject | None:
    return cache.get("Secret", "shop", "orders")


def test_the_later_version_stays_in_whatever_order_they_come() -> None:
    """Resource versions are compared as numbers: 10 is after 9."""
    cache = Cache()
    for one in (value(9), value(10), value(9)):
        cache.put(one)
    assert found(cache) == value(10)
    assert list(cache.all("Secret", "shop")) == [value(10)]


def test_what_is_gone_is_not_brought_back_by_an_answer_that_was_late() -> None:
    cache = Cache()
    cache.put(value(1))
    cache.drop(value(3))
    cache.put(value(2))
    assert found(cache) is None
    cache.put(value(4))
    assert found(cache) == value(4)


def test_what_was_made_anew_outlives_the_news_of_the_end_of_the_first() -> None:
    cache = Cache()
    cache.put(value(4))
    cache.drop(value(3))
    assert found(cache) == value(4)
