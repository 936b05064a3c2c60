"""What came in of a partition and was not read yet."""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.plugin import Message, PositionExpired, Record
from penstock.wire.remote.inbox import HIGH_BYTES, HIGH_RECORDS, Inbox


def records(start: int, stop: int, size: int = 1) -> list[Record]:
    return [Record(Message(b"x" * size), offset, 0) for offset in range(start, stop)]


def offsets(taken: Sequence[Record]) -> list[int]:
    return [record.offset for record in taken]


@given(
    st.lists(st.integers(1, 9), min_size=1, max_size=6),
    st.lists(st.tuples(st.integers(1, 12), st.integers(1, 60)), min_size=1, max_size=20),
)
async def test_records_are_taken_in_order_once_and_within_the_bounds(
    parts: list[int], takes: list[tuple[int, int]]
) -> None:
    inbox, count = Inbox(), 0
    for part in parts:
        inbox.put(records(count, count + part, size=5), part * 10)
        count += part
    taken: list[int] = []
    for max_records, max_bytes in takes:
        if len(taken) == count:
            break
        some = await inbox.take(max_records, max_bytes)
        assert 1 <= len(some) <= max_records
        assert (len(some) - 1) * 5 < max_bytes
        taken += offsets(some)
    assert taken == list(range(len(taken)))


async def test_a_take_waits_for_what_comes_and_not_to_fill_up() -> None:
    inbox = Inbox()
    taking = asyncio.create_task(inbox.take(100, 1000))
    await asyncio.sleep(0)
    assert not taking.done()
    inbox.put(records(0, 2), 10)
    assert offsets(await taking) == [0, 1]


async def test_all_that_is_there_is_taken_at_once() -> None:
    inbox = Inbox()
    inbox.put(records(0, 2), 10)
    inbox.put(records(2, 5), 10)
    assert offsets(await inbox.take(100, 1000)) == [0, 1, 2, 3, 4]


async def test_a_cancelled_take_loses_nothing() -> None:
    inbox = Inbox()
    taking = asyncio.create_task(inbox.take(100, 1000))
    await asyncio.sleep(0)
    inbox.put(records(0, 2), 10)
    taking.cancel()
    await asyncio.wait({taking})
    assert offsets(await inbox.take(100, 1000)) == [0, 1]


async def test_a_gap_is_told_in_its_place_and_once() -> None:
    inbox = Inbox()
    inbox.put(records(0, 2), 10)
    inbox.put_gap(PositionExpired(3, wanted=2, earliest=8))
    inbox.put(records(8, 9), 10)
    assert offsets(await inbox.take(100, 1000)) == [0, 1]
    with pytest.raises(PositionExpired, match="offset 2 is gone"):
        await inbox.take(100, 1000)
    assert offsets(await inbox.take(100, 1000)) == [8]


async def test_closing_ends_a_take_that_waits_and_drops_the_rest() -> None:
    inbox = Inbox()
    taking = asyncio.create_task(inbox.take(100, 1000))
    await asyncio.sleep(0)
    inbox.close()
    assert not await taking
    inbox.put(records(0, 2), 10)
    assert not await inbox.take(100, 1000)


async def test_more_is_due_when_half_of_the_high_mark_has_been_read() -> None:
    inbox, half = Inbox(), HIGH_RECORDS // 2
    inbox.put(records(0, HIGH_RECORDS), HIGH_BYTES // 4)
    await inbox.take(half - 1, HIGH_BYTES)
    assert inbox.due() == (0, 0)
    await inbox.take(1, HIGH_BYTES)
    assert inbox.due() == (half, 0)  # bytes are due when the whole of a part has been read
    await inbox.take(half, HIGH_BYTES)
    assert inbox.due() == (half, HIGH_BYTES // 4)
    assert inbox.due() == (0, 0)


async def test_more_is_due_when_half_of_the_bytes_have_been_read() -> None:
    inbox = Inbox()
    inbox.put(records(0, 1), HIGH_BYTES // 2)
    await inbox.take(10, 10)
    assert inbox.due() == (1, HIGH_BYTES // 2)


@pytest.mark.parametrize(
    ("count", "size"), [(HIGH_RECORDS, 1), (1, HIGH_BYTES)], ids=["records", "bytes"]
)
async def test_it_is_full_from_the_high_mark_on_until_half_has_been_read(
    count: int, size: int
) -> None:
    inbox = Inbox()
    await inbox.room()
    inbox.put(records(0, count), size)
    waiting = asyncio.create_task(inbox.room())
    if count > 1:
        await inbox.take(count // 2 - 1, HIGH_BYTES)
    await asyncio.sleep(0)
    assert not waiting.done()
    await inbox.take(1, HIGH_BYTES)
    await waiting


async def test_closing_makes_room() -> None:
    inbox = Inbox()
    inbox.put(records(0, 1), HIGH_BYTES)
    inbox.close()
    await inbox.room()
