"""Opening what must not be left half open: aiokafka loses a connection if it is cancelled early."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

_OpenT = TypeVar("_OpenT")

_given_up: set[asyncio.Task[Any]] = set()
"""What goes on though nobody waits for it: without this, it might be collected as garbage."""


async def open_wholly(
    opening: Coroutine[Any, Any, _OpenT], close: Callable[[_OpenT], Coroutine[Any, Any, None]]
) -> _OpenT:
    """Open something.

    Args:
        opening: Opens it, or fails and leaves nothing.
        close: Closes it, once it is open, if nobody waits for it any more.
    """
    task = asyncio.create_task(opening)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        _given_up.add(task)
        task.add_done_callback(partial(_close, close))
        raise


def _close(
    close: Callable[[_OpenT], Coroutine[Any, Any, None]], opening: asyncio.Task[_OpenT]
) -> None:
    _given_up.discard(opening)
    if not opening.cancelled() and opening.exception() is None:
        closing = asyncio.create_task(close(opening.result()))
        _given_up.add(closing)
        closing.add_done_callback(_given_up.discard)
