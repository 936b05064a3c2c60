"""Waiting for conditions, each with a deadline."""

import asyncio
from collections.abc import Callable
from inspect import isawaitable

_INTERVAL = 0.01


async def until(condition: Callable[[], object], what: str, patience: float = 20.0) -> None:
    """Wait until something is so.

    Args:
        condition: Gives what is not false when it is; may have to be awaited.
        what: That in words, for the failure.
        patience: Seconds.
    """
    now = asyncio.get_running_loop().time
    deadline = now() + patience
    while True:
        found = condition()
        if await found if isawaitable(found) else found:
            return
        assert now() < deadline, f"waited {patience:g} s in vain: {what}"
        await asyncio.sleep(_INTERVAL)
