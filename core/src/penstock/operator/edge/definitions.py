"""Whether the cluster knows the kinds that an operator serves."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection

from penstock.backoff import Backoff
from penstock.operator.edge.client import KubernetesClient
from penstock.plugin import PenstockError
from penstock.resources.models import API_VERSION

_LOG = logging.getLogger(__name__)

_FIRST_PAUSE = 0.5  # seconds
_LONGEST_PAUSE = 10.0  # seconds

Sleep = Callable[[float], Awaitable[None]]


async def wait_for_definitions(
    client: KubernetesClient, kinds: Collection[str], sleep: Sleep = asyncio.sleep
) -> None:
    """Wait until the API server can be asked for all kinds; what it waits for is said once.

    A watch that begins earlier may miss a kind for good: definitions are established a moment
    before they are served.

    Args:
        client: Asks.
        kinds: The kinds, of penstock's group.
        sleep: Waits some seconds.
    """
    backoff = Backoff(_FIRST_PAUSE, _LONGEST_PAUSE)
    said = ""
    while message := await _what_is_missing(client, kinds):
        if message != said:
            said = message
            _LOG.warning("%s; waiting", message)
        await sleep(backoff.pause())


async def _what_is_missing(client: KubernetesClient, kinds: Collection[str]) -> str:
    try:
        missing = sorted(set(kinds) - await client.kinds(API_VERSION))
    except PenstockError as error:
        return str(error)
    if not missing:
        return ""
    return (
        f"the cluster does not know {', '.join(missing)} of {API_VERSION}: install the "
        "definitions, as with kubectl apply -f crds/"
    )
