"""Asks gateways for streams, over HTTP."""

import json
from collections.abc import Callable

import aiohttp

from penstock.operator.provisioning import ProvisionRequest
from penstock.plugin import Address, NotReady, PenstockError, PermanentError, TemporaryError

_TIMEOUT = aiohttp.ClientTimeout(total=30)
_LARGEST_TEXT = 1000  # characters of what a gateway says that are shown
# Rights are given and taken, and too much at once is less a moment later.
_WORTH_ANOTHER_TRY = frozenset({401, 403, 408, 425, 429})


def as_it_is(url: str) -> str:
    """Where a URL is reached within the cluster: where it says."""
    return url


class ProvisionerClient:
    """Makes streams; used from `async with` on until that is left.

    Args:
        resolve: Where a URL is reached from here.
    """

    def __init__(self, resolve: Callable[[str], str] = as_it_is) -> None:
        self._resolve = resolve
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "ProvisionerClient":
        self._session = aiohttp.ClientSession(timeout=_TIMEOUT)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session:
            await self._session.close()

    async def provision(self, request: ProvisionRequest) -> Address | PenstockError:
        """Where a stream is, or why it could not be made."""
        assert self._session, "the client is used within async with"
        url = self._resolve(request.url)
        headers = {"Content-Type": "application/json"}
        try:
            async with self._session.put(
                url, data=request.body, headers=headers, allow_redirects=False
            ) as response:
                text = await response.text()
                return _answer(request, response.status, text)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            why = str(error) or type(error).__name__
            return NotReady(f'gateway "{request.gateway}" does not answer at {request.url}: {why}')


def _answer(request: ProvisionRequest, status: int, text: str) -> Address | PenstockError:
    if status in (200, 201):
        try:
            answer = json.loads(text)
            drift = tuple(str(one) for one in answer.get("drift", ()))
            return Address(str(answer["topic"]), str(answer["gateway"]), drift)
        except (ValueError, KeyError, TypeError, AttributeError):
            return PermanentError(
                f'gateway "{request.gateway}" answered {text[:80]!r}: expected JSON with gateway '
                "and topic"
            )
    reason = " ".join(text[:_LARGEST_TEXT].split()) or f"status {status}"
    if status in _WORTH_ANOTHER_TRY or status >= 500:
        return TemporaryError(reason)
    return PermanentError(reason)
