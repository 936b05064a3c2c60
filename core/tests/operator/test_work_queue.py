import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from penstock.operator.edge.work_queue import WorkQueue

PATIENCE = 10.0  # seconds


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as stack:
        yield stack


async def take(done: asyncio.Queue[str], count: int) -> list[str]:
    async with asyncio.timeout(PATIENCE):
        return [await done.get() for _ in range(count)]


async def test_what_is_added_often_is_done_once(stack: AsyncExitStack) -> None:
    done: asyncio.Queue[str] = asyncio.Queue()

    async def work(item: str) -> bool:
        await done.put(item)
        return True

    queue = WorkQueue(work)
    for item in "abab":
        queue.add(item)
    await stack.enter_async_context(queue)
    assert await take(done, 2) == ["a", "b"]
    queue.add("c")
    assert await take(done, 1) == ["c"]


async def test_what_is_added_while_it_is_worked_on_comes_once_more_and_never_beside(
    stack: AsyncExitStack,
) -> None:
    events: asyncio.Queue[str] = asyncio.Queue()
    go = asyncio.Event()

    async def work(item: str) -> bool:
        await events.put(f"{item} begins")
        await go.wait()
        await events.put(f"{item} ends")
        return True

    queue = WorkQueue(work)
    queue.add("a")
    await stack.enter_async_context(queue)
    assert await take(events, 1) == ["a begins"]
    queue.add("a")
    queue.add("a")
    queue.add("b")
    assert await take(events, 1) == ["b begins"]
    go.set()
    of_a = [one for one in await take(events, 4) if one[0] == "a"]
    assert of_a == ["a ends", "a begins", "a ends"]


async def test_what_did_not_go_well_is_tried_again(stack: AsyncExitStack) -> None:
    calls: asyncio.Queue[str] = asyncio.Queue()

    async def work(item: str) -> bool:
        await calls.put(item)
        return calls.qsize() == 2

    queue = WorkQueue(work)
    queue.add("a")
    await stack.enter_async_context(queue)
    assert await take(calls, 2) == ["a", "a"]


async def test_one_that_takes_long_holds_up_no_other(stack: AsyncExitStack) -> None:
    done: asyncio.Queue[str] = asyncio.Queue()

    async def work(item: str) -> bool:
        if item == "slow":
            await asyncio.Event().wait()
        await done.put(item)
        return True

    queue = WorkQueue(work, workers=2)
    for item in ("slow", "a", "b"):
        queue.add(item)
    await stack.enter_async_context(queue)
    assert await take(done, 2) == ["a", "b"]


async def test_a_mistake_in_one_ends_no_other(
    stack: AsyncExitStack, caplog: pytest.LogCaptureFixture
) -> None:
    done: asyncio.Queue[str] = asyncio.Queue()

    async def work(item: str) -> bool:
        if item == "bad":
            raise ValueError("nobody thought of it")
        await done.put(item)
        return True

    queue = WorkQueue(work, workers=1)
    for item in ("bad", "a"):
        queue.add(item)
    await stack.enter_async_context(queue)
    assert await take(done, 1) == ["a"]
    assert "working on bad failed" in caplog.text
