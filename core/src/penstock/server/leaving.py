"""Leaving a group for good, whoever is in a hurry meanwhile."""

import asyncio
from typing import Final

from penstock.plugin import Subscription

LEAVE_SECONDS: Final = 5.0


async def leave(subscription: Subscription) -> None:
    """Have a member leave its group.

    A call may be cancelled twice, by its client that goes and by the server that stops. A member
    that was broken off while it left would hold its partitions until the messaging system misses
    it, or for as long as this process lives: so it leaves first, within `LEAVE_SECONDS`.
    """
    leaving = asyncio.create_task(subscription.close())
    try:
        await asyncio.shield(leaving)
    except asyncio.CancelledError:
        await asyncio.wait({leaving}, timeout=LEAVE_SECONDS)
        if leaving.done() and not leaving.cancelled():
            leaving.exception()  # who cancels does not want to know
        raise
