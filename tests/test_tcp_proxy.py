"""The proxy of the tests cuts, freezes and slows a connection to a plain echo server."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import closing

import pytest

from tests.servers.ports import HOST
from tests.servers.proxy import TcpProxy

PATIENCE = 10.0
SHORT = 0.2
"""Seconds in which nothing may come."""


@pytest.fixture
async def proxy() -> AsyncIterator[TcpProxy]:
    """A proxy before a server that sends back what it gets."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while received := await reader.read(100_000):
            writer.write(received)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(echo, HOST, 0)
    port = server.sockets[0].getsockname()[1]
    async with server, TcpProxy(f"{HOST}:{port}") as proxy, asyncio.timeout(PATIENCE):
        yield proxy


class Client:
    """A connection through the proxy."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    @classmethod
    async def connect(cls, proxy: TcpProxy) -> "Client":
        return cls(*await asyncio.open_connection(HOST, proxy.port))

    def close(self) -> None:
        self.writer.close()

    async def echo(self, message: bytes) -> bytes:
        self.writer.write(message)
        return await self.reader.readexactly(len(message))


async def test_bytes_go_both_ways_and_the_end_is_handed_on(proxy: TcpProxy) -> None:
    with closing(await Client.connect(proxy)) as client:
        message = bytes(range(256)) * 4_000
        assert await client.echo(message) == message
        client.writer.write_eof()
        assert await client.reader.read() == b""


async def test_an_end_comes_after_the_last_byte(proxy: TcpProxy) -> None:
    with closing(await Client.connect(proxy)) as client:
        message = b"x" * 3_000_000
        client.writer.write(message)
        client.writer.write_eof()
        assert len(await client.reader.read()) == len(message)


async def test_cut_closes_connections_and_refuses_new_ones(proxy: TcpProxy) -> None:
    with closing(await Client.connect(proxy)) as client:
        await client.echo(b"before")
        await proxy.cut()
        assert proxy.connections == 0
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await client.echo(b"cut")
    with pytest.raises(ConnectionRefusedError):
        await Client.connect(proxy)
    await proxy.restore()
    with closing(await Client.connect(proxy)) as client:
        assert await client.echo(b"after") == b"after"


async def test_frozen_connections_stay_open_and_move_nothing(proxy: TcpProxy) -> None:
    with closing(await Client.connect(proxy)) as old:
        await old.echo(b"before")
        proxy.freeze()
        with closing(await Client.connect(proxy)) as new:
            for client in (old, new):
                client.writer.write(b"frozen")
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(SHORT):
                        await client.reader.read(1)
            await proxy.restore()
            assert await old.reader.readexactly(6) == b"frozen"
            assert await new.reader.readexactly(6) == b"frozen"


async def test_frozen_connections_can_be_cut(proxy: TcpProxy) -> None:
    proxy.freeze()
    with closing(await Client.connect(proxy)) as client:
        await proxy.cut()
        assert await client.reader.read() == b""


async def test_delay_holds_each_byte_back_and_not_the_flow(proxy: TcpProxy) -> None:
    with closing(await Client.connect(proxy)) as client:
        proxy.slow(delay=SHORT)
        started = time.monotonic()
        message = b"x" * 1_000_000
        assert await client.echo(message) == message
        # There and back; a delay for each chunk in turn would take sixteen times as long.
        assert 2 * SHORT <= time.monotonic() - started < 12 * SHORT


async def test_slow_moves_so_many_bytes_in_a_second(proxy: TcpProxy) -> None:
    with closing(await Client.connect(proxy)) as client:
        proxy.slow(bytes_per_second=100_000)
        started = time.monotonic()
        await client.echo(b"x" * 50_000)
        assert time.monotonic() - started >= 0.4


async def test_restore_ends_the_slowness(proxy: TcpProxy) -> None:
    with closing(await Client.connect(proxy)) as client:
        proxy.slow(bytes_per_second=10, delay=60)
        await proxy.restore()
        assert await client.echo(b"quick") == b"quick"


async def test_a_target_that_is_away_ends_the_connection() -> None:
    async with TcpProxy(f"{HOST}:1") as proxy, asyncio.timeout(PATIENCE):
        with closing(await Client.connect(proxy)) as client:
            assert await client.reader.read() == b""
