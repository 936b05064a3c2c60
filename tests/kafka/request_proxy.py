"""A proxy in front of a broker that understands as much of Kafka's protocol as to hold it up."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum, StrEnum
from types import TracebackType
from typing import Self

from tests.servers.ports import HOST

_SIZE_BYTES = 4


class Api(IntEnum):
    """Kinds of requests, by Kafka's numbers."""

    PRODUCE = 0
    FETCH = 1
    OFFSET_COMMIT = 8


class Way(StrEnum):
    """Where to a frame goes."""

    TO_BROKER = "to the broker"
    TO_CLIENT = "to the client"


class Hold:
    """Frames of one kind, on one way, do not get further.

    Attributes:
        caught: Set as soon as one is held.
        lifted: Set when they may go on.
    """

    def __init__(self) -> None:
        self.caught = asyncio.Event()
        self.lifted = asyncio.Event()


class RequestProxy:
    """Hands requests on to a broker and its answers back, one by one; an async context manager.

    Args:
        target: The broker, `host:port`.
        port: The proxy's own port, which the broker's listener advertises.
    """

    def __init__(self, target: str, port: int) -> None:
        self._target = target
        self._port = port
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._holds: dict[tuple[int, Way], Hold] = {}

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, HOST, self._port)
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        await self.cut()

    @property
    def address(self) -> str:
        """Where clients connect to, `host:port`."""
        return f"{HOST}:{self._port}"

    @contextmanager
    def hold(self, api: Api, way: Way) -> Iterator[Hold]:
        """Let no frame of a kind through on one way, for as long as the block lasts.

        Whatever comes behind it on the same connection waits with it, as in a slow network.
        """
        hold = self._holds[api, way] = Hold()
        try:
            yield hold
        finally:
            del self._holds[api, way]
            hold.lifted.set()

    async def cut(self) -> None:
        """Break all connections; what is held of them reaches nobody."""
        connections = list(self._connections)
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.create_task(self._connect(reader, writer))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until one side ends it or it is cut."""
        writers = [writer]
        try:
            host, _, port = self._target.rpartition(":")
            broker_reader, broker_writer = await asyncio.open_connection(host, int(port))
            writers.append(broker_writer)
            asked: dict[bytes, int] = {}
            async with asyncio.TaskGroup() as ways:
                ways.create_task(self._ask(reader, broker_writer, asked))
                ways.create_task(self._answer(broker_reader, writer, asked))
        except* (OSError, EOFError, asyncio.CancelledError):
            pass
        finally:
            for each in writers:
                each.transport.abort()

    async def _ask(
        self, client: asyncio.StreamReader, broker: asyncio.StreamWriter, asked: dict[bytes, int]
    ) -> None:
        while True:
            frame = await _frame(client)
            # A request begins with its kind and version, and a number that its answer begins with.
            api = int.from_bytes(frame[:2])
            asked[frame[4:8]] = api
            await self._pass(broker, frame, api, Way.TO_BROKER)

    async def _answer(
        self, broker: asyncio.StreamReader, client: asyncio.StreamWriter, asked: dict[bytes, int]
    ) -> None:
        while True:
            frame = await _frame(broker)
            await self._pass(client, frame, asked.pop(frame[:4]), Way.TO_CLIENT)

    async def _pass(self, writer: asyncio.StreamWriter, frame: bytes, api: int, way: Way) -> None:
        while hold := self._holds.get((api, way)):
            hold.caught.set()
            await hold.lifted.wait()
        writer.write(len(frame).to_bytes(_SIZE_BYTES) + frame)
        await writer.drain()


async def _frame(reader: asyncio.StreamReader) -> bytes:
    """The next frame, without its size.

    Raises:
        EOFError: There is none.
    """
    size = int.from_bytes(await reader.readexactly(_SIZE_BYTES))
    return await reader.readexactly(size)
