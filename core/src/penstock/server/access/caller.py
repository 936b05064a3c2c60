"""Who calls, for as long as the call is answered."""

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from penstock.server.access.refusal import NotAuthenticated

_SCHEME: Final = "bearer"


@dataclass(frozen=True, slots=True)
class Caller:
    """A user, as Kubernetes knows one.

    Attributes:
        name: Such as `system:serviceaccount:NAMESPACE:NAME`.
        uid: Tells two of one name apart.
        groups: What the user belongs to.
        extra: What else is known of the user: values by key.
    """

    name: str
    uid: str = ""
    groups: tuple[str, ...] = ()
    extra: tuple[tuple[str, tuple[str, ...]], ...] = ()


calling: ContextVar[Caller] = ContextVar("calling")
"""The caller of the call that is being answered; set by who has found out."""


def bearer_token(authorization: str) -> str:
    """The token of an `Authorization` header.

    Raises:
        NotAuthenticated: There is none.
    """
    scheme, _, token = authorization.strip().partition(" ")
    if scheme.lower() != _SCHEME or not token.strip():
        raise NotAuthenticated(
            "this gateway asks its callers who they are: send a token as `authorization: Bearer "
            "TOKEN`"
        )
    return token.strip()
