"""The labels by which children are found, parent to child, and the names of children."""

from hashlib import sha256
from typing import Final

from penstock.name import MAX_LENGTH
from penstock.resources.models import GROUP

GATEWAY: Final = f"{GROUP}/gateway"
GATEWAY_TYPE: Final = f"{GROUP}/gateway-type"
STREAM: Final = f"{GROUP}/stream"
PROCESSOR: Final = f"{GROUP}/processor"

MANAGED_BY: Final = "app.kubernetes.io/managed-by"
MANAGER: Final = "penstock"
"""What that label of every child says: of Kubernetes' own kinds the operator watches no others."""

_DIGEST_LENGTH = 8  # characters


def of_concrete_gateway(type_: str) -> str:
    """The label that names a gateway of a concrete kind, such as `…/kafka-gateway`."""
    return f"{GROUP}/{type_}-gateway"


def child_name(parent: str, suffix: str) -> str:
    """The name of a child, always the same: `<parent>-<suffix>`.

    Names of children become host names and values of labels, so they have to be DNS-1035 labels.
    Where a parent's name is too long for that, or begins with a digit, a digest stands for what
    cannot be said of it, and keeps it apart from others.
    """
    name = f"{parent}-{suffix}"
    if len(name) <= MAX_LENGTH and name[0].isalpha():
        return name
    digest = sha256(parent.encode()).hexdigest()[:_DIGEST_LENGTH]
    start = parent if parent[0].isalpha() else f"n{parent}"
    room = MAX_LENGTH - len(suffix) - _DIGEST_LENGTH - 2
    return f"{start[:room].rstrip('-')}-{digest}-{suffix}"
