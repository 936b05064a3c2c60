"""Lets callers in, or says why not; what Kubernetes said is remembered for a little while."""

import time
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Final, Literal, Protocol

from penstock.plugin import StreamName
from penstock.server.access.caller import Caller, calling
from penstock.server.access.memory import Memory
from penstock.server.access.refusal import REFUSED_SECONDS, NotAllowed, NotAuthenticated

Verb = Literal["publish", "subscribe", "provision"]

AUDIENCE: Final = "penstock"
"""For whom tokens are meant: one that is sent to a gateway opens nothing else."""

GRANTED_SECONDS: Final = 60.0
"""How long a yes is good for: a right that was taken away is gone after it."""

_ROOM = 10_000


class Reviewer(Protocol):
    """Whoever knows tokens and rights: `Reviews`."""

    async def authenticate(self, token: str, audiences: Sequence[str]) -> Caller | None:
        """Who has a token."""

    async def is_allowed(self, caller: Caller, verb: str, stream: StreamName) -> bool:
        """Whether a user may do something with a Stream."""


class Access:
    """Decides.

    Args:
        reviewer: Who is asked.
        audiences: Whom a token must be meant for; one of them is enough.
        clock: Seconds that only grow.
    """

    def __init__(
        self,
        reviewer: Reviewer,
        audiences: Sequence[str] = (AUDIENCE,),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._reviewer = reviewer
        self._audiences = audiences
        self._clock = clock
        self._callers: Memory[bytes, Caller | Literal[False]] = Memory(_ROOM)
        self._rights: Memory[tuple[Caller, Verb, StreamName], bool] = Memory(_ROOM)

    async def identify(self, token: str) -> Caller:
        """Find out who calls.

        Raises:
            NotAuthenticated: The token is nobody's.
            NotReady: Nobody answers who could tell.
        """
        # A token is not kept: who reads this memory could use it.
        digest = sha256(token.encode()).digest()
        caller = self._callers.recall(digest, self._clock())
        if caller is None:
            caller = await self._reviewer.authenticate(token, self._audiences) or False
            self._callers.keep(digest, caller, self._until(good=bool(caller)))
        if not caller:
            raise NotAuthenticated(
                "the token is not good: it has expired, or is not meant for "
                f"{' or '.join(self._audiences)}"
            )
        return caller

    async def require(self, verb: Verb, stream: StreamName, caller: Caller | None = None) -> None:
        """Let a caller do something with a stream.

        Args:
            verb: What.
            stream: With which.
            caller: Who; left out: of the call that is being answered.

        Raises:
            NotAuthenticated: It is not known who calls.
            NotAllowed: The caller may not.
            NotReady: Nobody answers who could tell.
        """
        caller = caller or calling.get(None)
        if caller is None:
            raise NotAuthenticated("it is not known who calls")
        question = (caller, verb, stream)
        allowed = self._rights.recall(question, self._clock())
        if allowed is None:
            allowed = await self._reviewer.is_allowed(caller, verb, stream)
            self._rights.keep(question, allowed, self._until(good=allowed))
        if not allowed:
            raise NotAllowed(
                f'{caller.name} may not {verb} stream "{stream.name}" in namespace '
                f'"{stream.namespace}": it needs the verb {verb} on that Stream, by a Role and a '
                "RoleBinding"
            )

    def _until(self, *, good: bool) -> float:
        return self._clock() + (GRANTED_SECONDS if good else REFUSED_SECONDS)
