"""Two resources of one name."""

from collections.abc import Iterator, Sequence

from penstock.resources.declaration import Declaration
from penstock.resources.models import Gateway
from penstock.resources.problem import Problem

_NAME = ("metadata", "name")


def duplicate_problems(declarations: Sequence[Declaration]) -> Iterator[Problem]:
    """Names that are taken; gateways of all kinds share theirs, as each makes a Gateway of it."""
    first: dict[tuple[str, str, str], Declaration] = {}
    for one in declarations:
        if _is_made(one):
            continue
        kind = "Gateway" if one.is_gateway else one.kind
        taken = first.setdefault((kind, one.namespace, one.name), one)
        if taken is not one and one.name:
            message = (
                f'the name is taken in namespace "{one.namespace}" by the {taken.kind} at '
                f"{taken.source.at(_NAME)}; give one of them another"
            )
            yield Problem(one.source.at(_NAME), message, one.title, "metadata.name")


def _is_made(declaration: Declaration) -> bool:
    """Whether it is a Gateway that the controller of a concrete one made, read from a cluster."""
    gateway = declaration.resource
    if not isinstance(gateway, Gateway):
        return False
    owners = (gateway.metadata.model_extra or {}).get("ownerReferences")
    return isinstance(owners, list) and any(
        isinstance(one, dict) and one.get("controller") is True for one in owners
    )
