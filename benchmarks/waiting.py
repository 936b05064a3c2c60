"""Waiting for conditions."""

import asyncio
from collections.abc import Awaitable, Callable

from penstock.plugin import TemporaryError

INTERVAL = 0.005
PATIENCE = 120.0


async def until(condition: Callable[[], Awaitable[bool]], interval: float = INTERVAL) -> None:
    """Wait until a condition holds; a gateway that is not up yet counts as no.

    Args:
        condition: What is waited for.
        interval: Seconds between two looks.

    Raises:
        TimeoutError: It did not within two minutes.
    """
    async with asyncio.timeout(PATIENCE):
        while True:
            try:
                if await condition():
                    return
            except TemporaryError:
                pass
            await asyncio.sleep(interval)
