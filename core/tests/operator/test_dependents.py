from collections.abc import Callable
from typing import Any

from penstock.operator.dependents import Key, dependents
from penstock.operator.ownership import child_metadata

Object = dict[str, Any]
Make = Callable[..., Object]


def test_a_change_reaches_all_that_depend_on_it(make: Make) -> None:
    near = make("Stream", "near", {"gateway": {"name": "franz"}})
    far = make("Stream", "far", {"gateway": {"name": "other"}})
    reads = make("Processor", "reads", {"inputs": [{"stream": "near"}]})
    writes = make(
        "Processor", "writes", {"inputs": [{"stream": "far"}], "outputs": [{"stream": "near"}]}
    )
    buries = make(
        "Processor",
        "buries",
        {
            "inputs": [{"stream": "far"}],
            "delivery": {"deadLetter": {"stream": "near"}},
            "build": {"functionRef": "digger"},
        },
    )

    def reached(changed: Object) -> set[str]:
        found = dependents(changed, [near, far], [reads, writes, buries])
        return {f"{one.kind} {one.name}" for one in found}

    gateway = make("Gateway", "franz", {})
    processors = {"Processor reads", "Processor writes", "Processor buries"}
    assert reached(gateway) == {"Gateway franz", "Stream near"}
    assert reached(near) == {"Stream near", "Gateway franz", *processors}
    assert reached(reads) == {"Processor reads"}
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": child_metadata(near, "s", {})}
    assert reached(secret) == {"Stream near", *processors}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": child_metadata(gateway, "s", {})}
    assert reached(service) == {"Gateway franz"}
    build = make("Function", "digger", {}) | {"apiVersion": "build.projectriff.io/v1alpha1"}
    assert reached(build) == {"Processor buries"}


def test_what_belongs_to_others_matters_to_nobody() -> None:
    stranger = {"apiVersion": "v1", "kind": "Secret", "metadata": {"namespace": "a", "name": "b"}}
    assert list(dependents(stranger, [], [])) == []
    assert str(Key("Stream", "a", "b")) == 'Stream "b" in namespace "a"'
