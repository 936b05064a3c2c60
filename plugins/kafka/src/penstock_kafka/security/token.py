"""Access tokens for OAUTHBEARER: those of a file, and those that are fetched and renewed."""

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import KafkaError

from penstock.plugin import NotReady, SecretSource
from penstock_kafka.security.auth import OAuth
from penstock_kafka.security.secret import of_field
from penstock_kafka.security.token_endpoint import Grant, TokenEndpoint

_LOG = logging.getLogger(__name__)

USED_PART = 0.8
"""The part of its life in which a token is given out: who gets it needs some of the rest."""

Clock = Callable[[], float]


class TokenUnavailable(KafkaError):  # type: ignore[misc]  # aiokafka has no types
    """There is no token; the text says why.

    An error of Kafka, because aiokafka's tasks take that for a connection that failed; any other
    would end them.
    """

    retriable = True


class TokenProvider(AbstractTokenProvider):  # type: ignore[misc]  # aiokafka has no types
    """Gives a token to each connection that is made.

    Args:
        auth: Where tokens are.
        clock: Seconds from any moment on.
    """

    def __init__(self, auth: OAuth, clock: Clock = time.monotonic) -> None:
        self._auth = auth
        self._renewed: RenewedToken | None = None
        if auth.client_secret is not None:
            self._renewed = RenewedToken(TokenEndpoint(auth, auth.client_secret).fetch, clock)

    def extensions(self) -> Mapping[str, str]:
        """What is sent beside the token."""
        return self._auth.sasl_extensions

    async def token(self) -> str:
        """The token to use now.

        Raises:
            TokenUnavailable: There is none.
        """
        try:
            if self._renewed is not None:
                return await self._renewed.current()
            return _stored(self._auth.access_token)
        except NotReady as error:
            raise TokenUnavailable(str(error)) from error

    def forget(self) -> None:
        """The brokers have refused the token: the next one is a new one."""
        if self._renewed is not None:
            self._renewed.forget()


class _Held(NamedTuple):
    text: str
    renewed_at: float
    ends_at: float


class RenewedToken:
    """A token that is fetched when it is wanted, and again before it ends.

    Args:
        fetch: Gets a token; blocks.
        clock: Seconds from any moment on.
    """

    def __init__(self, fetch: Callable[[], Grant], clock: Clock) -> None:
        self._fetch = fetch
        self._clock = clock
        self._held: _Held | None = None
        self._fetching = asyncio.Lock()

    async def current(self) -> str:
        """A token that is good for a while; several callers share one request.

        Raises:
            NotReady: None can be had, and the last one has ended.
        """
        async with self._fetching:
            held = self._held
            if held is None or self._clock() >= held.renewed_at:
                try:
                    held = await self._fetched()
                except NotReady as error:
                    if held is None or self._clock() >= held.ends_at:
                        raise
                    _LOG.warning("the access token cannot be renewed as yet: %s", error)
            return held.text

    def forget(self) -> None:
        """Fetch a new one the next time."""
        self._held = None

    async def _fetched(self) -> _Held:
        asked_at = self._clock()
        token, lifetime = await asyncio.to_thread(self._fetch)
        # One whose end is not told is used once.
        life = lifetime or 0.0
        self._held = _Held(token, asked_at + USED_PART * life, asked_at + life)
        return self._held


def _stored(source: SecretSource | None) -> str:
    assert source is not None, "the model wants one or the other"
    with of_field("auth.accessToken"):
        return source.text().strip()
