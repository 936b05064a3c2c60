"""Waiting for conditions, each with a deadline."""

import asyncio
import time
from collections.abc import Awaitable, Callable

PATIENCE = 30.0
"""Seconds before a test that waits for something gives up."""
_INTERVAL = 0.01


async def until(
    condition: Callable[[], Awaitable[bool] | bool],
    what: str,
    *,
    patience: float = PATIENCE,
    report: Callable[[], str] = str,
) -> None:
    """Wait until something holds.

    Args:
        condition: Says whether it does.
        what: That in words, for the failure.
        patience: Seconds.
        report: What else there is to say of a failure.
    """
    deadline = time.monotonic() + patience
    while True:
        held = condition()
        if held if isinstance(held, bool) else await held:
            return
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {patience:g} s: {what}\n{report()}".rstrip())
        await asyncio.sleep(_INTERVAL)
