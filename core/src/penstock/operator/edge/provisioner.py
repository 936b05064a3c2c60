"""Asks gateways for streams, over HTTP."""

import json
from collections.abc import Callable

import aiohttp

from penstock.operator.provisioning import ProvisionRequest
from penstock.plugin import Address, NotReady, PenstockError, PermanentError, TemporaryError

_TIMEOUT = aiohttp.ClientTimeout(total=30)
_LARGEST_TEXT = 1000  # characters of what a gateway says that are shown
_DONE = frozenset({200, 201, 204})
# Rights are given and taken, and too much at once is less a moment later.
_WORTH_ANOTHER_TRY = frozenset({401, 403, 408, 425, 429})


def as_it_is(url: str) -> str:
    """Where a URL is reached within the cluster: where it says."""
    return url


class ProvisionerClient:
    """Makes streams and removes them; used from `async with` on until that is left.

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
        text = await self._ask("PUT", request)
        return text if isinstance(text, PenstockError) else _address(request, text)

    async def deprovision(self, request: ProvisionRequest) -> PenstockError | None:
        """Have a stream and its data removed; returns why they could not be."""
        text = await self._ask("DELETE", request)
        return text if isinstance(text, PenstockError) else None

    async def _ask(self, method: str, request: ProvisionRequest) -> str | PenstockError:
        assert self._session, "the client is used within async with"
        url = self._resolve(request.url)
        headers = {"Content-Type": "application/json"}
        try:
            async with self._session.request(
                method, url, data=request.body, headers=headers, allow_redirects=False
            ) as response:
                text = await response.text()
                return text if response.status in _DONE else _error(response.status, text)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            why = str(error) or type(error).__name__
            return NotReady(f'gateway "{request.gateway}" does not answer at {request.url}: {why}')


def _address(request: ProvisionRequest, text: str) -> Address | PermanentError:
    try:
        answer = json.loads(text)
        drift = tuple(str(one) for one in answer.get("drift", ()))
        return Address(str(answer["topic"]), str(answer["gateway"]), drift)
    except (ValueError, KeyError, TypeError, AttributeError):
        return PermanentError(
            f'gateway "{request.gateway}" answered {text[:80]!r}: expected JSON with gateway '
            "and topic"
        )


def _error(status: int, text: str) -> PenstockError:
    reason = " ".join(text[:_LARGEST_TEXT].split()) or f"status {status}"
    if status in _WORTH_ANOTHER_TRY or status >= 500:
        return TemporaryError(reason)
    return PermanentError(reason)
