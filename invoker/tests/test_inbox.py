"""What waits for the function, and when more is taken."""

import asyncio

import pytest

from penstock.wire.protocol.columns_pb2 import MessageColumns
from penstock_invoker.errors import CallCancelled
from penstock_invoker.inbox import BUFFER_BYTES, Inbox

SMALL = MessageColumns(payload=[b"x"])
LARGE = MessageColumns(payload=[bytes(BUFFER_BYTES)])


def has_room(inbox: Inbox) -> bool:
    waiting = inbox.room()
    try:
        waiting.send(None)
    except StopIteration:
        return True
    waiting.close()
    return False


@pytest.fixture
async def inbox() -> Inbox:
    return Inbox(2, on_change=lambda: None)


async def test_messages_are_taken_in_order_all_that_are_there(inbox: Inbox) -> None:
    inbox.put(0, SMALL)
    inbox.put(1, LARGE)
    inbox.put(0, LARGE)
    assert await inbox.take(0) == [SMALL, LARGE]
    assert await inbox.take(1) == [LARGE]


async def test_a_taker_waits_for_its_own_input(inbox: Inbox) -> None:
    taking = asyncio.create_task(inbox.take(1))
    inbox.put(0, SMALL)
    await asyncio.sleep(0)
    assert not taking.done()
    inbox.put(1, LARGE)
    assert await taking == [LARGE]


async def test_at_the_end_nothing_is_taken(inbox: Inbox) -> None:
    taking = asyncio.create_task(inbox.take(1))
    await asyncio.sleep(0)
    inbox.put(0, SMALL)
    inbox.end()
    assert await taking == []
    assert await inbox.take(0) == [SMALL]
    assert await inbox.take(0) == []


async def test_when_the_call_is_over_takers_are_told(inbox: Inbox) -> None:
    inbox.put(0, SMALL)
    inbox.close()
    for index in (0, 1):
        with pytest.raises(CallCancelled):
            await inbox.take(index)


async def test_a_function_that_is_busy_holds_the_client_back(inbox: Inbox) -> None:
    inbox.put(0, SMALL)
    assert has_room(inbox)
    inbox.put(0, LARGE)
    assert not has_room(inbox)
    await inbox.take(0)
    assert has_room(inbox)


async def test_many_small_messages_fill_it_too(inbox: Inbox) -> None:
    inbox.put(0, MessageColumns(payload=[b""] * 100_000))
    assert not has_room(inbox)


async def test_a_function_that_waits_for_another_input_gets_it(inbox: Inbox) -> None:
    inbox.put(0, LARGE)
    taking = asyncio.create_task(inbox.take(1))
    await asyncio.sleep(0)
    assert has_room(inbox)
    inbox.put(1, SMALL)
    await taking
    assert not has_room(inbox)


async def test_a_client_that_takes_no_outputs_is_read_all_the_same(inbox: Inbox) -> None:
    inbox.put(0, LARGE)
    inbox.client_stalled(stalled=True)
    assert has_room(inbox)
    inbox.client_stalled(stalled=False)
    assert not has_room(inbox)
