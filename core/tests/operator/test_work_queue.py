import asyncio

from penstock.operator.edge.work_queue import WorkQueue

PATIENCE = 10.0  # seconds


async def take(done: asyncio.Queue[str], count: int) -> list[str]:
    async with asyncio.timeout(PATIENCE):
        return [await done.get() for _ in range(count)]


async def test_what_is_added_often_is_done_once() -> None:
    done: asyncio.Queue[str] = asyncio.Queue()

    async def work(item: str) -> bool:
        await done.put(item)
        return True

    queue = WorkQueue(work)
    for item in "abab":
        queue.add(item)
    running = asyncio.create_task(queue.run())
    assert await take(done, 2) == ["a", "b"]
    queue.add("c")
    assert await take(done, 1) == ["c"]
    running.cancel()


async def test_what_is_added_while_it_is_worked_on_comes_once_more_and_never_beside() -> None:
    events: asyncio.Queue[str] = asyncio.Queue()
    go = asyncio.Event()

    async def work(item: str) -> bool:
        await events.put(f"{item} begins")
        await go.wait()
        await events.put(f"{item} ends")
        return True

    queue = WorkQueue(work)
    queue.add("a")
    running = asyncio.create_task(queue.run())
    assert await take(events, 1) == ["a begins"]
    queue.add("a")
    queue.add("a")
    queue.add("b")
    assert await take(events, 1) == ["b begins"]
    go.set()
    of_a = [one for one in await take(events, 4) if one[0] == "a"]
    assert of_a == ["a ends", "a begins", "a ends"]
    running.cancel()


async def test_what_did_not_go_well_is_tried_again() -> None:
    calls: asyncio.Queue[str] = asyncio.Queue()

    async def work(item: str) -> bool:
        await calls.put(item)
        return calls.qsize() == 2

    queue = WorkQueue(work)
    queue.add("a")
    running = asyncio.create_task(queue.run())
    assert await take(calls, 2) == ["a", "a"]
    running.cancel()


async def test_one_that_takes_long_holds_up_no_other() -> None:
    done: asyncio.Queue[str] = asyncio.Queue()

    async def work(item: str) -> bool:
        if item == "slow":
            await asyncio.Event().wait()
        await done.put(item)
        return True

    queue = WorkQueue(work, workers=2)
    for item in ("slow", "a", "b"):
        queue.add(item)
    running = asyncio.create_task(queue.run())
    assert await take(done, 2) == ["a", "b"]
    running.cancel()
