"""A network that can be cut, frozen and slowed: a TCP proxy on the loopback."""

import asyncio
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from tests.servers.ports import HOST, free_port

CHUNK_BYTES = 64 * 1024
CHUNKS_IN_FLIGHT = 64


@dataclass(frozen=True)
class Pace:
    """How quickly bytes move, in each direction of each connection.

    Attributes:
        bytes_per_second: At most; no limit where it is None.
        delay: Seconds from when a byte comes in until it goes out.
    """

    bytes_per_second: float | None = None
    delay: float = 0.0

    @property
    def chunk_bytes(self) -> int:
        """How much is moved at once: what takes no longer than a tenth of a second."""
        if self.bytes_per_second is None:
            return CHUNK_BYTES
        return max(1, min(CHUNK_BYTES, int(self.bytes_per_second / 10)))


class TcpProxy:
    """Hands connections on to a server; an async context manager.

    Clients of a broker connect to where the broker tells them: its listener must advertise the
    proxy's port (`tests.servers.kafka.Listener`).

    Args:
        target: Where to, `host:port`. It may be changed, for connections that are made later.
        port: The proxy's own port; a free one if it is None.
    """

    def __init__(self, target: str, port: int | None = None) -> None:
        self.target = target
        self.port = port or free_port()
        self._pace = Pace()
        self._moving = asyncio.Event()
        self._moving.set()
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self.restore()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.cut()

    @property
    def address(self) -> str:
        """Where clients connect to, `host:port`."""
        return f"{HOST}:{self.port}"

    @property
    def connections(self) -> int:
        """How many there are."""
        return len(self._connections)

    async def cut(self) -> None:
        """Close all connections, and refuse new ones."""
        if self._server is not None:
            self._server.close()
            self._server = None
        connections = list(self._connections)
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    def freeze(self) -> None:
        """Accept connections and keep those that there are, but move no byte."""
        self._moving.clear()

    def slow(self, bytes_per_second: float | None = None, delay: float = 0.0) -> None:
        """Move bytes at this pace, those of open connections too."""
        self._pace = Pace(bytes_per_second, delay)

    async def restore(self) -> None:
        """Accept connections again, and move bytes as they come."""
        self._pace = Pace()
        self._moving.set()
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, HOST, self.port)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.create_task(self._connect(reader, writer))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until both sides have ended it, one has broken it, or it is cut."""
        writers = [writer]
        try:
            await self._moving.wait()
            host, _, port = self.target.rpartition(":")
            target_reader, target_writer = await asyncio.open_connection(host, int(port))
            writers.append(target_writer)
            async with asyncio.TaskGroup() as directions:
                directions.create_task(self._forward(reader, target_writer))
                directions.create_task(self._forward(target_reader, writer))
        except* OSError:
            for broken in writers:
                broken.transport.abort()
        except* asyncio.CancelledError:
            for cut in writers:
                cut.transport.abort()
        finally:
            for each in writers:
                each.close()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Move bytes from one side to the other, until the first has no more."""
        in_flight: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(CHUNKS_IN_FLIGHT)
        async with asyncio.TaskGroup() as ends:
            ends.create_task(self._take(reader, in_flight))
            ends.create_task(self._give(in_flight, writer))

    async def _take(
        self, reader: asyncio.StreamReader, in_flight: asyncio.Queue[tuple[float, bytes]]
    ) -> None:
        chunk = None
        while chunk != b"":
            chunk = await reader.read(self._pace.chunk_bytes)
            await in_flight.put((asyncio.get_running_loop().time(), chunk))

    async def _give(
        self, in_flight: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter
    ) -> None:
        loop = asyncio.get_running_loop()
        while True:
            came, chunk = await in_flight.get()
            if (early := came + self._pace.delay - loop.time()) > 0:
                await asyncio.sleep(early)
            await self._moving.wait()
            if not chunk:
                writer.write_eof()
                return
            writer.write(chunk)
            await writer.drain()
            if self._pace.bytes_per_second is not None:
                await asyncio.sleep(len(chunk) / self._pace.bytes_per_second)
