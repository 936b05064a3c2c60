"""What a topic holds up to some records, and no more of it."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import aclosing

import pytest

from penstock.cli import reading
from penstock.cli.reading import read_to_end
from penstock.plugin import Message, TemporaryError
from penstock.wire.remote import RemotePubSub
from tests.command_line import Penstock


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A gateway with a topic `t` of two partitions, of 1500 records each."""
    penstock = Penstock(tmp_path_factory.mktemp("reading"))
    flags = ("--port", "0", "--set", "partitions=2")
    with penstock.start("gateway", "serve", "inmemory", *flags) as session:
        (address,) = session.shows(r"serves ([^;]+);")
        asyncio.run(publish(address))
        yield address


async def publish(address: str) -> None:
    async with RemotePubSub(address) as gateway:
        await gateway.publish("t", [Message(b"") for _ in range(3000)])


async def read(address: str, ends: Mapping[int, int]) -> dict[int, list[int]]:
    """The offsets that are read, by partition."""
    offsets: dict[int, list[int]] = {}
    async with RemotePubSub(address) as gateway:
        batches = read_to_end(gateway, "t", ends, note=pytest.fail)
        async with aclosing(batches):
            async for partition, records in batches:
                offsets.setdefault(partition, []).extend(record.offset for record in records)
    return offsets


async def test_everything_up_to_the_ends_is_read(address: str) -> None:
    assert await read(address, {0: 1499, 1: 700}) == {0: [*range(1500)], 1: [*range(701)]}


async def test_other_partitions_are_not_read(address: str) -> None:
    assert await read(address, {1: 0}) == {1: [0]}


async def test_nothing_is_read_where_nothing_is_wanted(address: str) -> None:
    assert await read(address, {}) == {}


async def test_a_record_that_does_not_come_is_not_waited_for_for_ever(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "SILENCE", 0.5)
    with pytest.raises(TemporaryError, match=r'"t": its records up to 0/1500 .* in 0\.5 s'):
        await read(address, {0: 1500, 1: 0})
